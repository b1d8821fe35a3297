"""What the clips are: counted from the manifest, and what an exploration found out about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.corpus.manifest import SPLITS, Manifest
from slu.slides.words import Missing

_HEADERS = 2_000
"""Files whose header is read for their duration, spread evenly over the manifest."""
_ALL = "all clips"


@dataclass(frozen=True)
class DataFacts:
    path: Path
    clips: int
    sides: Mapping[str, int]
    """Clips by side of the split; one entry where there is no split."""
    speakers: Mapping[str, int]
    """By side of the split; empty where they are not known."""
    people: int
    """Different speakers."""
    on_two_sides: int
    """Speakers on more than one side of the split."""
    classes: Mapping[str, pd.DataFrame]
    """By head: clips by class (rows) and side of the split (columns)."""
    durations_s: tuple[float, ...]
    """Of the clips whose header was read."""
    sources: Mapping[str, int]
    """Clips by the column `source`; empty without one."""

    def rarest(self, head: str) -> tuple[str, int]:
        totals = self.classes[head].sum(axis=1)
        return str(totals.idxmin()), int(totals.min())

    def commonest(self, head: str) -> tuple[str, int]:
        totals = self.classes[head].sum(axis=1)
        return str(totals.idxmax()), int(totals.max())


def count_data(manifest: Manifest, heads: Mapping[str, Sequence[str]]) -> DataFacts:
    """`heads`: classes by name; those without a column are left out."""
    table = manifest.table
    split = table["split"].replace("", "no split") if "split" in table.columns else pd.Series(_ALL, index=table.index)
    sides = [side for side in (*SPLITS, "no split", _ALL) if (split == side).any()]
    speaker = table["speaker"] if "speaker" in table.columns else pd.Series("", index=table.index)
    known = speaker != ""
    classes = {}
    for head, labels in heads.items():
        if head in table.columns:
            counts = pd.crosstab(table[head], split)
            classes[head] = counts.reindex(index=list(labels), columns=sides, fill_value=0).astype(int)
    said = table["source"].replace("", "not said") if "source" in table.columns else pd.Series(dtype=str)
    return DataFacts(
        path=manifest.path,
        clips=len(table),
        sides={side: int((split == side).sum()) for side in sides},
        speakers={side: int(speaker[known & (split == side)].nunique()) for side in sides} if known.any() else {},
        people=int(speaker[known].nunique()),
        on_two_sides=int((split[known & split.isin(SPLITS)].groupby(speaker).nunique() > 1).sum()),
        classes=classes,
        durations_s=_durations(manifest),
        sources={str(name): int(count) for name, count in said.value_counts().items()},
    )


def _durations(manifest: Manifest) -> tuple[float, ...]:
    found = []
    total = len(manifest.table)
    for row in np.unique(np.linspace(0, total - 1, min(total, _HEADERS)).astype(int)).tolist():
        try:
            found.append(float(sf.info(manifest.audio_path(row)).duration))
        except (sf.LibsndfileError, OSError):
            continue  # its header says nothing, or it is not there; the exploration lists such clips
    return tuple(found)


@dataclass(frozen=True)
class Exploration:
    path: Path
    warnings: Sequence[str]
    decisions: Sequence[Mapping[str, Any]]
    """Each with `topic`, `what` and `why`."""
    identical: int
    """Pairs of clips that are one recording, sample by sample."""
    near: int
    """The same to the ear only."""


def read_exploration(
    folder: Path | None, outputs: Path, manifest: Manifest | Missing, heads: Sequence[str], command: str
) -> Exploration | Missing:
    """The one that is named, or the newest about these clips; `command` makes one.

    Raises UserError when the named one cannot be read.
    """
    cure = f"`{command}` makes one"
    if folder is not None:
        if (found := _read(folder / "eda.json")) is None:
            raise UserError(f"{folder / 'eda.json'} is not an exploration; make one with `{command}`")
        return _exploration(folder / "eda.json", found)
    if isinstance(manifest, Missing):
        return Missing("there is no exploration of the clips", cure)
    for path in sorted((outputs / "runs" / "eda").glob("*/eda.json"), reverse=True):
        if (found := _read(path)) is not None and _same_clips(found, manifest.table, heads):
            return _exploration(path, found)
    return Missing("there is no exploration of these clips", cure)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = read_json(path)
        return found if isinstance(found["heads"], dict) and isinstance(found["warnings"], list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _same_clips(found: Mapping[str, Any], table: pd.DataFrame, heads: Sequence[str]) -> bool:
    """By what was counted: eda.json names its data, and the same data may lie in another folder by now."""
    shared = [head for head in heads if head in found["heads"] and head in table.columns]
    counts = {head: table[head].value_counts() for head in shared}
    return bool(shared) and all(
        int(row["clips"]) == int(counts[head].get(label, 0))
        for head in shared
        for label, row in found["heads"][head]["classes"].items()
    )


def _exploration(path: Path, found: Mapping[str, Any]) -> Exploration:
    copies = found.get("copies") or {}
    return Exploration(
        path, found["warnings"], found.get("decisions") or [], copies.get("identical", 0), copies.get("near", 0)
    )
