"""The clips to look at, wherever they are listed: a manifest, a synthesised corpus, or the tables of a source.

Unlike training, exploration takes what it is given: gaps, single classes and missing audio are findings here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from slu.common.errors import UserError
from slu.corpus.labels import label_ids
from slu.corpus.manifest import SPLIT_NAMES, SPLITS, Manifest, infer_heads, normalise_label, read_manifest
from slu.corpus.splits import SplitSettings, assign_splits, spoken_sides
from slu.spec import NOT_MENTIONED, RESERVED, Head

COLUMNS = ("file_name", "where", "speaker", "split", "text", "problem")
"""Columns of every data set beside its heads; an empty cell means unknown, in `problem` that there is none."""


@dataclass(frozen=True)
class Dataset:
    name: str
    table: pd.DataFrame
    """One row per clip, all text, numbered from 0: `COLUMNS`, a column per head, and what else the tables say."""
    audio: tuple[Path | None, ...]
    """Of each row; None where the tables name audio that cannot be found."""
    heads: Mapping[str, tuple[str, ...]]
    """Classes by head: those declared, else the labels that occur."""
    split_origin: str = ""
    """How the split came about, to be put after "the split is"; empty when there is none."""
    split_problem: str = ""
    """Why there is none, or not for every row, in a sentence."""
    notes: tuple[str, ...] = ()
    """What the tables themselves give away, in sentences."""
    spoken: bool = False
    """All of it comes from the synthesiser, which keeps its speakers apart."""
    audio_cure: str = ""
    """The setting that names another folder for the audio, where there is one."""

    @property
    def sides(self) -> list[str]:
        """The splits that occur, train first."""
        return [side for side in SPLITS if (self.table["split"] == side).any()]

    @property
    def people(self) -> pd.DataFrame:
        """The rows that stand for themselves: all but the synthetic voices that only train along."""
        return self.table if "synthetic" not in self.table.columns else self.table[self.table["synthetic"] == ""]

    @property
    def speakers(self) -> list[str]:
        return sorted(set(self.people["speaker"]) - {""})


def from_manifest(
    path: Path, heads: Sequence[str], split: SplitSettings = SplitSettings(), menu: Sequence[Head] = ()
) -> Dataset:
    """`menu`: heads whose classes are fixed already.

    Raises UserError for a table that breaks the manifest's rules, or lacks a head or the split column.
    """
    manifest = read_manifest(path, menu, labels=heads)
    _check_heads(path, manifest.table, heads)
    table = manifest.table.assign(**{head: manifest.table[head].map(normalise_label) for head in heads})
    table = _with_left_out(table, menu)
    table, origin, problem = _with_split(path, table, split)
    table, audio = _located(manifest, table)
    classes = {head: occurring_classes(Manifest(path, table), head) for head in heads}
    return Dataset(path.parent.name or path.stem, completed(table), audio, classes, origin, problem)


def _check_heads(path: Path, table: pd.DataFrame, heads: Sequence[str]) -> None:
    columns = ", ".join(table.columns)
    if not heads:
        raise UserError(f"no head is named; add data.heads=[COLUMN,...] with columns of {path} ({columns})")
    for head in heads:
        if head in RESERVED:
            raise UserError(f"'{head}' cannot be a head: manifests use that column for something else")
        if head not in table.columns:
            raise UserError(f"{path} has no column '{head}'; its columns are {columns}; set data.heads=[COLUMN,...]")


def occurring_classes(manifest: Manifest, head: str) -> tuple[str, ...]:
    """The labels of the head's column, numbers sorted as numbers; there may be one or none."""
    labels = set(manifest.table[head]) - {""}
    return infer_heads(manifest, [head])[0].classes if len(labels) > 1 else tuple(labels)


def completed(table: pd.DataFrame) -> pd.DataFrame:
    """With all of `COLUMNS`, its rows numbered from 0."""
    missing = {column: "" for column in COLUMNS if column not in table.columns}
    return table.assign(**missing).reset_index(drop=True)


def _located(manifest: Manifest, table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Path | None, ...]]:
    """The table with `where` and `problem`, and where the audio of its rows lies."""
    rows = range(len(table))
    audio = tuple(path if path.is_file() else None for path in map(manifest.audio_path, rows))
    problems = [
        "" if path else f"missing audio: there is no {manifest.audio_path(row)}" for row, path in enumerate(audio)
    ]
    return table.assign(where=[manifest.where(row) for row in rows], problem=problems), audio


def _with_split(path: Path, table: pd.DataFrame, settings: SplitSettings) -> tuple[pd.DataFrame, str, str]:
    """The table with its split, how that came about, and what is wrong with it."""
    column = settings.column
    if settings.method in ("auto", "column") and column in table.columns and (table[column] != "").any():
        table = table.assign(split=_sides(path, table, column))
        gaps = int((table["split"] == "").sum())
        problem = f"{gaps} of {len(table)} rows have no {column}: fill the column, or set data.split.method=speaker."
        return table, f"the column '{column}'", problem if gaps else ""
    if column != "split" and column not in table.columns:
        names = ", ".join(table.columns)
        raise UserError(f"{path} has no column '{column}' for the split; its columns are {names}; correct split_column")
    try:
        table = assign_splits(table, settings, str(path))
    except UserError as error:
        known = "speaker" in table.columns and bool((table["speaker"] != "").any())
        return table.assign(split=""), "", f"No split can be drawn: {error}." if known else ""
    how = "at random" if settings.method == "random" else "by speaker"
    return table, f"drawn {how} (seed {settings.seed})", ""


def _sides(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    sides = table[column].str.strip().str.lower().replace(SPLIT_NAMES)
    strange = table.index[~sides.isin(["", *SPLITS])]
    if len(strange):
        line, value = int(strange[0]) + 2, table.loc[strange[0], column]
        raise UserError(f"{path}:{line}: column '{column}': '{value}' is not one of {', '.join(SPLITS)}")
    return sides


def from_spoken(path: Path, task: str, heads: Sequence[Head]) -> Dataset:
    """A corpus of the synthesiser, whose manifest and menu are our own."""
    manifest = read_manifest(path, heads)
    table, audio = _located(manifest, _with_left_out(manifest.table, heads))
    classes = {head.name: tuple(label or head.shown(label) for label in head.classes) for head in heads}
    return Dataset(task, completed(table), audio, classes, "the synthesiser's own", spoken=True)


def _with_left_out(table: pd.DataFrame, heads: Sequence[Head]) -> pd.DataFrame:
    """Empty cells that mean "not mentioned" say so; the others stay empty."""
    ids = label_ids(table, heads)
    optional = [head for head in heads if NOT_MENTIONED in head.classes and head.name in table.columns]
    columns = {
        head.name: table[head.name].mask(ids[head.name] == head.index(NOT_MENTIONED), head.shown(NOT_MENTIONED))
        for head in optional
    }
    return table.assign(**columns)


def with_spoken(recorded: Dataset, spoken: Dataset, val: float = 0.0) -> Dataset:
    """The recordings, and the synthesiser's voices beside them, as training mixes them; `val` as in its settings."""
    voices = spoken.table.index[spoken.table["split"].isin(spoken_sides(recorded.table, val))]
    parts = [recorded.table.assign(synthetic=""), spoken.table.loc[voices].assign(synthetic="yes")]
    table = pd.concat(parts, ignore_index=True).fillna("")
    audio = (*recorded.audio, *(spoken.audio[row] for row in voices))
    note = f"{len(voices)} clips are synthetic voices that train along (data.synthetic_speech=true)."
    return replace(recorded, table=table, audio=audio, heads=spoken.heads, notes=(*recorded.notes, note))
