"""Clips with their features: what is adapted to, and what is replayed beside it."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from slu.common.errors import UserError
from slu.corpus.audio_finder import AUDIO_SUFFIXES
from slu.corpus.labels import NO_LABEL, label_ids
from slu.corpus.manifest import Manifest, read_manifest
from slu.spec import TaskSpec
from slu.training.alignment import frame_targets
from slu.training.datamodule import UtteranceDataset
from slu.training.frame_labels import FrameLabels
from slu.training.preprocessing import FeatureTable, preprocess


@dataclass(frozen=True)
class Clips:
    """Rows of a table of features, of one manifest; `file_name` is absolute."""

    path: Path
    table: pd.DataFrame
    spec: TaskSpec
    hop_s: float
    left_out: int = 0
    """Files that could not be used."""

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def files(self) -> list[str]:
        """Each recording once, however many segments it was cut into."""
        return list(dict.fromkeys(self.table["file_name"].astype(str)))

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """Per row: there is a label of some head."""
        ids = label_ids(self.table, self.spec.heads)
        known: NDArray[np.bool_] = np.logical_or.reduce([values != NO_LABEL for values in ids.values()])
        return known

    def of_files(self, names: set[str]) -> "Clips":
        return replace(self, table=self.table[self.table["file_name"].isin(names)].reset_index(drop=True))

    def manifest(self) -> Manifest:
        """To be heard from their audio, as a prediction hears them."""
        return Manifest(self.path, FeatureTable(self.path, self.table, self.table.iloc[:0], 0).recordings)

    def dataset(self) -> UtteranceDataset:
        """A new one: what a model learns of a clip's times stays in it."""
        targets = frame_targets(self.table, self.spec)
        frames = None if targets is None else FrameLabels(self.table, targets, self.hop_s)
        return UtteranceDataset(self.table, self.spec, frames)

    def features(self) -> list[Tensor]:
        data = self.dataset()
        return [data[row][0] for row in range(len(data))]


OnBadAudio = Literal["error", "skip"]


def labelled_clips(
    path: Path, spec: TaskSpec, hop_s: float, outputs: Path, on_bad_audio: OnBadAudio, workers: int
) -> Clips:
    """The rows of a manifest that have a label.

    Raises UserError for a label that the task does not have, for audio that cannot be used, and where nothing is left.
    """
    try:
        manifest = read_manifest(path, spec.heads, require_heads=False)
    except UserError as error:
        cure = "; the bundle knows no others: correct the label, or take the row out"
        raise UserError(f"{error}{cure if 'one of the classes' in str(error) else ''}") from None
    ids = label_ids(manifest.table, spec.heads)
    known = np.logical_or.reduce([values != NO_LABEL for values in ids.values()])
    if not known.any():
        raise UserError(
            f"{path}: not one clip has a label of {', '.join(spec.head_names)}; fill that column, or adapt without "
            "labels with unlabelled=FOLDER"
        )
    return _with_features(Manifest(path, manifest.table[known]), spec, hop_s, outputs, on_bad_audio, workers)


def unlabelled_clips(folder: Path, spec: TaskSpec, hop_s: float, outputs: Path, workers: int) -> Clips:
    """Every audio file in a folder or below it; those that cannot be used are left out.

    Raises UserError where there is none, or none is usable.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; name one that holds audio files")
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file()]
    names = [p.relative_to(folder).as_posix() for p in files if not p.name.startswith(".")]
    if not names:
        raise UserError(f"{folder} holds no audio ({' '.join(AUDIO_SUFFIXES)}); name a folder of clips")
    return _with_features(
        Manifest(folder / "(every file)", pd.DataFrame({"file_name": names})), spec, hop_s, outputs, "skip", workers
    )


def _with_features(
    manifest: Manifest, spec: TaskSpec, hop_s: float, outputs: Path, on_bad_audio: OnBadAudio, workers: int
) -> Clips:
    features = preprocess(manifest, spec, outputs, on_bad_audio=on_bad_audio, workers=workers)
    return Clips(manifest.path, features.table.reset_index(drop=True), spec, hop_s, len(features.rejected))
