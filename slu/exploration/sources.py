"""The clips that a source's own tables describe, whose audio is looked for and may be missing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from slu.common.errors import UserError
from slu.corpus.audio_finder import AudioFinder
from slu.corpus.clips import ClipError, Source
from slu.corpus.manifest import Manifest
from slu.exploration.dataset import Dataset, completed, occurring_classes
from slu.exploration.wording import counted


def from_source(source: Source, name: str, heads: Sequence[str]) -> Dataset:
    """Raises UserError for a source without clips."""
    finder = AudioFinder(source.audio)
    rows: list[dict[str, str]] = []
    audio: list[Path | None] = []
    for clip in source.clips:
        problem = str(clip.problem or "")
        try:
            audio.append(finder.find(clip.paths))
        except ClipError as refusal:
            audio.append(None)
            problem = problem or str(refusal.reason)
        known = {"speaker": clip.speaker, "split": clip.split, "text": clip.text, "problem": problem}
        file = clip.paths[0] if clip.paths else clip.key
        rows.append({"file_name": file, **clip.extra, **clip.labels, **known, "where": f"{clip.source} ({clip.key})"})
    table = completed(pd.DataFrame(rows, columns=None if rows else list(heads), dtype=str).fillna(""))
    place = source.tables[0] if source.tables else source.audio
    if not rows:
        raise UserError(f"{place} lists no clips")
    classes = {head: occurring_classes(Manifest(place, table), head) for head in heads}
    origin = "the tables' own" if (table["split"] != "").any() else ""
    notes, cure = _source_notes(source), "source.audio=FOLDER"
    return Dataset(name, table, tuple(audio), classes, origin, notes=notes, audio_cure=cure)


def _source_notes(source: Source) -> tuple[str, ...]:
    notes = []
    if source.tables and source.rows > len(source.clips):
        listings = Counter(clip.source.count("; ") + 1 for clip in source.clips)
        often = ", ".join(
            f"{counted(count, 'clip')} in {counted(times, 'row')}" for times, count in sorted(listings.items())
        )
        tables = f"{len(source.tables)} tables" if len(source.tables) > 1 else "one table"
        notes.append(
            f"{source.rows} rows of {tables} describe {len(source.clips)} clips ({often}); they were merged by clip."
        )
    within = sum(len(set(tables)) < len(tables) for tables in (_tables(clip.source) for clip in source.clips))
    if within:
        notes.append(f"{counted(within, 'clip stands', 'clips stand')} more than once in one and the same table.")
    if source.rejected:
        first = source.rejected[0]
        rows = counted(len(source.rejected), "row is no clip", "rows are no clips")
        notes.append(f"{rows}, the first is {first.source}: {first.reason}.")
    return tuple(notes)


def _tables(where: str) -> list[str]:
    return [place.rpartition(":")[0] for place in where.split("; ") if ":" in place]
