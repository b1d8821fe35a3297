"""Which clips of a table are scored: a split of it, or all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.manifest import SPLIT_NAMES, SPLITS, Manifest
from slu.corpus.splits import SplitSettings, assign_splits
from slu.evaluation.labels import OnUnknownLabel, read_labelled
from slu.evaluation.run import clip_digests, subset
from slu.spec import Head


@dataclass(frozen=True)
class ChosenClips:
    clips: Manifest
    """Those that are scored."""
    whole: Manifest
    """The table before a split was chosen from it."""
    unknown: dict[str, int]
    """Labels that are left out, by reason."""
    split: str | None
    """None: every row."""

    @cached_property
    def digests(self) -> list[str]:
        return clip_digests(self.clips)


def choose_clips(
    path: Path,
    heads: Sequence[Head],
    on_unknown: OnUnknownLabel = "error",
    *,
    split: str | None = None,
    column: str = "split",
    needs_column: bool | None = None,
) -> ChosenClips:
    """The rows of `split`, or all; `column` says which side a row is on, and leaks are looked for by it.

    Raises UserError for a table, label or split that cannot be used, and where the column is missing that a split
    (unless `needs_column` is False: then every row is taken) or its name calls for.
    """
    whole, unknown = read_labelled(path, heads, on_unknown)
    if column not in whole.table.columns and needs_column is False:
        return ChosenClips(whole, whole, unknown, None)
    whole = _with_split(whole, column, split is not None if needs_column is None else needs_column)
    return _side(whole, unknown, split)


def trained_beside(
    path: Path, heads: Sequence[Head], data: Mapping[str, Any], on_unknown: OnUnknownLabel = "error", *, split: str
) -> ChosenClips:
    """A side of the table that a recogniser was trained on, as its training drew it; `data` are its settings of then.

    Raises UserError as `choose_clips` does.
    """
    settings = parse_settings(SplitSettings, data.get("split") or {}, "data.split")
    whole, unknown = read_labelled(path, heads, on_unknown)
    if data.get("manifest") is not None:  # else a menu's voices, whose sides are written down
        whole = Manifest(whole.path, assign_splits(whole.table, settings, str(path)))
    else:
        whole = _with_split(whole, settings.column, True)
    return _side(whole, unknown, split)


def _side(whole: Manifest, unknown: dict[str, int], split: str | None) -> ChosenClips:
    split = None if split is None else SPLIT_NAMES.get(split, split)
    if split is not None and split not in SPLITS:
        raise UserError(f"split={split}: it must be one of {', '.join(SPLITS)}")
    clips = whole if split is None else subset(whole, "split", split)
    if clips.table.empty:
        raise UserError(f"{whole.path}: the {split} split is empty")
    return ChosenClips(clips, whole, unknown, split)


def _with_split(manifest: Manifest, column: str, needed: bool) -> Manifest:
    if column not in manifest.table.columns:
        if needed or column != "split":
            cure = "leave split= out to score every row, or name the column that has it with split_column="
            raise UserError(f"{manifest.path} has no column '{column}'; {cure}")
        return manifest
    if column == "split":
        return manifest
    split = SplitSettings(method="column", column=column)
    return Manifest(manifest.path, assign_splits(manifest.table, split, str(manifest.path)))
