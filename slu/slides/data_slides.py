"""The data: classes, speakers, durations, and what the exploration found."""

import math
from collections.abc import Sequence

import numpy as np

from slu.documents.page import Bullets, Picture, Table
from slu.documents.slide_parts import Columns, Rows, Slide, SlidePart
from slu.slides.data import DataFacts, Exploration
from slu.slides.figures import class_figure, duration_figure, sides_figure
from slu.slides.missing import missing_slide
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, counted, shown

_BESIDE = 3
"""Heads on one slide."""
_WARNINGS = 5


def data_slides(s: Sources) -> list[Slide]:
    if isinstance(s.data, Missing):
        return [missing_slide("Data exploration", s.data)]
    heads = list(s.data.classes)
    chunks = [heads[i : i + _BESIDE] for i in range(0, len(heads), _BESIDE)]
    return [*(_class_slide(s, s.data, chunk) for chunk in chunks), _clip_slide(s, s.data), _found_slide(s)]


def _whole(s: Sources, data: DataFacts) -> str:
    """Before what is told of clips that were not all evaluated."""
    return f"whole table ({counted(data.clips, 'clip')})" if s.metrics["n"] < data.clips else ""


def _class_slide(s: Sources, data: DataFacts, heads: Sequence[str]) -> Slide:
    pictures = [Picture(class_figure(data.classes[head], head), f"Clips by class of {head}") for head in heads]
    title, whole = _balance(data, heads), _whole(s, data)
    notes = [cite(data.path, *(f"labels of {h}" for h in heads))]
    if whole:
        title = f"{whole.capitalize()}, of which {s.metrics['n']:,} evaluated. {title}"
        notes.append(cite(s.metrics_path, "n, the clips that were evaluated"))
    return Slide(title, Columns(pictures), notes)


def _balance(data: DataFacts, heads: Sequence[str]) -> str:
    """Of the head whose classes differ most."""
    ratios = {}
    for head in heads:
        fewest = data.rarest(head)[1]
        ratios[head] = data.commonest(head)[1] / fewest if fewest else math.inf
    head = max(ratios, key=lambda name: ratios[name])
    (rare, fewest), (common, most) = data.rarest(head), data.commonest(head)
    if fewest == 0:
        return f"No clip is labelled {rare} ({head}); the commonest, {common}, has {counted(most, 'clip')}"
    if ratios[head] < 1.5:
        each = counted(fewest, "clip") if fewest == most else f"{fewest:,} to {counted(most, 'clip')}"
        return f"The classes are balanced: {each} for each {head}"
    return f"{common} has {ratios[head]:.1f} times the clips of {rare} ({head}): {most:,} against {fewest:,}"


def _clip_slide(s: Sources, data: DataFacts) -> Slide:
    accepted = None
    notes = [cite(data.path, "clips and speakers by split")]
    if not isinstance(s.bundle, Missing):
        accepted = (s.bundle.spec.min_duration_s, s.bundle.spec.max_duration_s)
        notes.append(cite(s.bundle.folder / "spec.json", "accepted durations, dashed"))
    pictures: list[SlidePart] = [Picture(sides_figure(data.sides, "clips"), "Clips by split")]
    if data.speakers:
        pictures.append(Picture(sides_figure(data.speakers, "speakers"), "Speakers by split"))
    title = counted(data.clips, "clip") + (f" of {counted(data.people, 'speaker')}" if data.people else "")
    if whole := _whole(s, data):
        title = whole.capitalize() + (f", {counted(data.people, 'speaker')}" if data.people else "")
        title += f", of which {s.metrics['n']:,} evaluated"
        notes.append(cite(s.metrics_path, "n, the clips that were evaluated"))
    if data.durations_s:
        pictures.append(Picture(duration_figure(data.durations_s, accepted), "Durations"))
        title += f"; half of them last {np.median(data.durations_s):.1f} s or less"
        notes.append(f"Durations are read from the headers of {len(data.durations_s):,} of these files.")
    if not data.speakers:
        notes.append("Speakers are not known: a column 'speaker' in the manifest names them.")
    elif data.on_two_sides:
        stands = "stands" if data.on_two_sides == 1 else "stand"
        title += f"; {counted(data.on_two_sides, 'speaker')} {stands} on two sides of the split"
    return Slide(title, Columns(pictures), notes)


def _found_slide(s: Sources) -> Slide:
    if isinstance(s.exploration, Missing):
        return missing_slide("What is wrong with the data", s.exploration)
    found = s.exploration
    copies = f"Copies of one recording: {found.identical:,} pairs sample by sample, {found.near:,} more to the ear."
    rows = [[str(d.get("topic")), str(d.get("what")), str(d.get("why"))] for d in found.decisions]
    parts: list[SlidePart] = [Bullets([*list(found.warnings)[:_WARNINGS], copies])]
    if rows:
        parts.append(Table(["about", "decision", "because"], rows, text_columns=(0, 1, 2)))
    notes = [cite(found.path, "warnings, decisions, copies"), f"Its page: {shown(found.path.with_name('report.html'))}"]
    return Slide(_found_title(found), Rows(parts, (0, 1) if rows else ()), [*notes, *found.warnings])


def _found_title(found: Exploration) -> str:
    if not found.warnings:
        return f"The exploration raises no warning; {counted(len(found.decisions), 'decision')} for the training follow"
    first = str(found.warnings[0]).partition(". ")[0].rstrip(".")
    rest = len(found.warnings) - 1
    return first + (f" (and {counted(rest, 'more warning')})" if rest else "")
