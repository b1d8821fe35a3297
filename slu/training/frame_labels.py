"""Which phone and which word every frame of a clip is of, from its alignment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from slu.decoding.alignment import SILENCE, Alignment, Interval
from slu.features.augment import IGNORE


@dataclass(frozen=True)
class FrameTargets:
    """What frames can be, and the alignments of the clips that have one, by the `file_name` of the table."""

    phones: tuple[str, ...]
    """The first is SILENCE. Frames of other phones are ignored."""
    words: tuple[str, ...]
    """The first is empty: pauses, and words that are not in the list."""
    alignments: Mapping[str, Alignment]

    @classmethod
    def of(cls, alignments: Mapping[str, Alignment], words: Sequence[str]) -> "FrameTargets":
        """All phones that are heard in the clips, sorted, and the `words` of a menu."""
        heard = {phone for alignment in alignments.values() for phone, _, _ in alignment.phones}
        return cls((SILENCE, *sorted(heard - {SILENCE})), ("", *words), alignments)

    def __post_init__(self) -> None:
        if self.phones[:1] != (SILENCE,) or self.words[:1] != ("",):
            raise ValueError(f"frames are first '{SILENCE}' and no word, got {self.phones[:1]} and {self.words[:1]}")


class FrameLabels:
    """Per row of a table of features (frames, 2) indices of phones and words; IGNORE without an alignment.

    Kept as runs of equal frames, so that an item costs microseconds and a clip some hundred bytes.
    """

    def __init__(self, table: pd.DataFrame, targets: FrameTargets, hop_s: float) -> None:
        phones = {name: index for index, name in enumerate(targets.phones)}
        words = {name: index for index, name in enumerate(targets.words)}
        starts = table["start_s"] if "start_s" in table.columns else np.zeros(len(table))
        runs: tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]] = ([], [])
        self._given: list[bool] = []
        self._learnt: dict[int, Tensor] = {}
        for name, frames, start_s in zip(table["file_name"], table["n_frames"], starts, strict=True):
            alignment = targets.alignments.get(str(name))
            if alignment is None:
                of_clip = [_run([], {}, IGNORE, IGNORE, int(frames), hop_s)] * 2
            else:
                clip = alignment.shifted(-float(start_s))
                of_clip = [
                    _run(clip.phones, phones, 0, IGNORE, int(frames), hop_s),
                    _run(clip.words, words, 0, 0, int(frames), hop_s),
                ]
            self._given.append(alignment is not None)
            for kind, run in zip(runs, of_clip, strict=True):
                kind.append(run)
        self._offsets = [np.cumsum([0, *(run.shape[1] for run in kind)]) for kind in runs]
        self._runs = [np.concatenate(kind, axis=1) if kind else np.zeros((2, 0), np.int32) for kind in runs]

    def counts(self, kind: int, size: int) -> NDArray[np.int64]:
        """(size,) frames of each phone (kind 0) or word (kind 1), over all clips whose times are given."""
        values, lengths = self._runs[kind]
        known = values != IGNORE
        return np.bincount(values[known], lengths[known], minlength=size).astype(np.int64)

    def is_given(self, row: int) -> bool:
        """Whether the corpus itself says what is heard when."""
        return self._given[row]

    def learn(self, row: int, labels: Tensor) -> None:
        """What a model hears when, (frames, 2), in a clip of which the corpus does not say it."""
        self._learnt[row] = labels.to(torch.int16)

    def __getitem__(self, row: int) -> Tensor:
        if row in self._learnt:
            return self._learnt[row].long()
        columns = []
        for offsets, runs in zip(self._offsets, self._runs, strict=True):
            values, counts = runs[:, offsets[row] : offsets[row + 1]]
            columns.append(np.repeat(values, counts))
        return torch.from_numpy(np.stack(columns, axis=1)).long()


def _run(
    intervals: Sequence[Interval], ids: Mapping[str, int], between: int, unknown: int, frames: int, hop_s: float
) -> NDArray[np.int32]:
    """(2, runs): value and number of frames. Frame number t is centred at t hops."""
    values, ends, last = [], [], 0
    for name, start_s, end_s in intervals:
        start, end = (min(max(round(time / hop_s), last), frames) for time in (start_s, end_s))
        if start > last:
            values.append(between)
            ends.append(start)
        if end > start:
            values.append(ids.get(name, unknown))
            ends.append(end)
        last = max(end, last)
    if last < frames:
        values.append(between)
        ends.append(frames)
    return np.array([values, np.diff([0, *ends])], dtype=np.int32)
