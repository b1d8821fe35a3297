"""Where it is good and where not: by class, by speaker, by confidence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.documents.page import Bullets, Picture, Table, Text
from slu.documents.slide_parts import Columns, Rows, Slide, SlidePart
from slu.evaluation.calibration import accuracy_by_coverage, reliability
from slu.evaluation.metrics import worst_speaker
from slu.evaluation.plots import bars_figure, confusion_figure, coverage_figure, reliability_figure
from slu.slides.missing import missing_slide
from slu.slides.sources import Sources
from slu.slides.words import Missing, brief, cite, counted, percent, span

_CLASSES = 16
"""More than these cannot be read on a slide; the most confused are shown."""
_SPEAKERS = 14


def head_slides(s: Sources) -> list[Slide]:
    return [_head_slide(s, name, values) for name, values in s.metrics["heads"].items()]


def _head_slide(s: Sources, name: str, values: Mapping[str, Any]) -> Slide:
    cited = [cite(s.metrics_path, f"heads.{name}: accuracy, classes, confusion")]
    if "confusion" not in values:
        return Slide(f"{name}: no clip has a label", Text("Nothing could be scored for this head.", "warning"), cited)
    matrix = np.array(values["confusion"], dtype=np.int64)
    classes = list(values["classes"])
    pairs = confused_pairs(values)
    title = f"{name}: {percent(values['accuracy'])} of {counted(values['n'], 'clip')} are right"
    if pairs:
        said, heard, count, of = pairs[0]
        title += f"; most often confused: {said} heard as {heard} ({count} of {of})"
    else:
        title += ", and no two classes are confused"
    chosen = _most_confused(matrix) if len(classes) > _CLASSES else np.arange(len(classes))
    caption = name if len(chosen) == len(classes) else f"The {len(chosen)} most confused of {len(classes)} classes"
    figure = confusion_figure(matrix[np.ix_(chosen, chosen)], [brief(classes[i], 18) for i in chosen], caption)
    weakest = sorted(values["classes"].items(), key=lambda item: (_low(item[1]["f1"]), item[0]))
    rows = [
        [label, percent(c["precision"]), percent(c["recall"]), percent(c["f1"]), str(c["n"])] for label, c in weakest
    ]
    table = Table(["class, weakest first", "precision", "recall", "F1", "clips"], rows)
    picture = Picture(figure, f"Confusion matrix of {name}: rows are what was said, columns what was heard")
    return Slide(title, Columns([picture, table]), cited)


def _low(value: float | None) -> float:
    return 2.0 if value is None else value


def _most_confused(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    return np.sort(np.argsort(-(errors.sum(0) + errors.sum(1)), kind="stable")[:_CLASSES])


def confused_pairs(values: Mapping[str, Any]) -> list[tuple[str, str, int, int]]:
    """(said, heard, how often, of how many clips), the most frequent first, of one head's metrics."""
    if "confusion" not in values:
        return []
    matrix, classes = np.array(values["confusion"], dtype=np.int64), list(values["classes"])
    totals = matrix.sum(axis=1)
    found = [(classes[i], classes[j], int(matrix[i, j]), int(totals[i])) for i, j in np.argwhere(matrix > 0) if i != j]
    return sorted(found, key=lambda pair: (-pair[2], -pair[2] / pair[3], pair[0], pair[1]))


def speakers_slide(s: Sources) -> Slide:
    speakers: Mapping[str, Mapping[str, Any]] = s.metrics["speakers"]
    worst = worst_speaker(s.metrics)
    if worst is None:
        title = "Speakers are not known"
        sentence = "The manifest names no speakers: a column 'speaker' would show who is understood worst."
        if s.metrics["joint_accuracy"] is None:
            title, sentence = "Speakers cannot be compared", "No clip has a label for every head."
        return Slide(title, Text(sentence, "warning"), [cite(s.metrics_path, "speakers")])
    ordered = sorted(speakers.items(), key=lambda item: (item[1]["joint_accuracy"], item[0]))
    accuracies = [values["joint_accuracy"] for _, values in ordered]
    perfect = sum(value == 1 for value in accuracies)
    values = speakers[worst]
    title = f"Worst speaker: {worst}, {percent(values['joint_accuracy'])} of {counted(values['n'], 'clip')} right"
    if perfect == len(ordered):
        title = "Every speaker has every clip right" if len(ordered) > 1 else f"{worst} has every clip right"
    elif len(ordered) > 1:
        title += f"; {perfect} of {len(ordered)} speakers have every clip right"
    first = f"For example {worst}" if perfect == len(ordered) and len(ordered) > 1 else worst
    items = [
        f"{first}: {percent(values['joint_accuracy'])}, 95 % interval over this speaker's clips "
        f"{span(values['interval'])}.",
        f"The middle one of {counted(len(ordered), 'speaker')}: {percent(float(np.median(accuracies)))}.",
        "A speaker has few clips, so a single mistake moves the figure far: the black lines are exact binomial "
        "intervals.",
    ]
    shown = [(brief(name), values) for name, values in ordered[:_SPEAKERS]]
    heading = f"The worst {len(shown)} of {len(ordered)} speakers" if len(shown) < len(ordered) else "All speakers"
    picture = Picture(bars_figure(shown, heading), "Accuracy by speaker, worst first")
    notes = [cite(s.metrics_path, "speakers, worst_speaker")]
    return Slide(title, Columns([picture, Bullets(items)], (3, 2)), notes)


def confidence_slide(s: Sources) -> Slide:
    if isinstance(s.predictions, Missing):
        return missing_slide("Confidence", s.predictions)
    p, ece = s.predictions, s.metrics.get("joint_ece")
    if not p.complete.any() or ece is None:
        sentence = "No clip has a label for every head, so the confidence of a whole answer cannot be checked."
        return Slide("Confidence was not measured", Text(sentence, "warning"), [cite(s.metrics_path, "joint_ece")])
    confidence, right = p.confidence[p.complete], p.right[p.complete]
    stated, happened = float(confidence.mean()), float(right.mean())
    side = "less sure than they should be" if stated < happened else "surer than they should be"
    title = f"Answers are {side}: {percent(stated)} stated on average, {percent(happened)} right (ECE {ece:.3f})"
    pictures: list[SlidePart] = [
        Picture(
            reliability_figure(reliability(confidence, right), "Stated confidence and what happened"),
            "Reliability diagram of the whole answer",
        ),
        Picture(
            coverage_figure(*accuracy_by_coverage(confidence, right), s.metrics["understood_share"]),
            "Accuracy of the answers against the share answered",
        ),
    ]
    below = Text(_acceptance(s.metrics))
    notes = [
        cite(p.path, "confidence and labels of every clip"),
        cite(s.metrics_path, "joint_ece, understood_share, understood_accuracy"),
        "ECE: expected calibration error, the mean gap between stated and real, weighted by clips; 0 is perfect.",
    ]
    return Slide(title, Rows([Columns(pictures, (5, 6)), below], (8, 1)), notes)


def _acceptance(m: Mapping[str, Any]) -> str:
    answered, right = m["understood_share"], m["understood_accuracy"]
    text = f"At today's threshold {percent(answered)} of the clips are answered"
    return text + ("." if right is None else f", and {percent(right)} of these answers are right.")


def pair_sentences(heads: Mapping[str, Mapping[str, Any]], most: int) -> Sequence[str]:
    """The most confused pairs of all heads, one sentence per head."""
    found = []
    for name, values in heads.items():
        if pairs := confused_pairs(values)[:most]:
            listed = "; ".join(f"{said} heard as {heard} ({count} of {of})" for said, heard, count, of in pairs)
            found.append(f"{name}: {listed}.")
    return found
