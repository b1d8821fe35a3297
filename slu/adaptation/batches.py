"""Which clips stand together in a batch of an adaptation: own ones beside replayed ones."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from slu.adaptation.clips import Clips
from slu.adaptation.settings import AdaptSettings
from slu.corpus.labels import label_ids
from slu.features.augment import IGNORE
from slu.training.datamodule import Batch, UtteranceDataset

_POOL = 10
"""Batches drawn at once, to be sorted by length: random ones of clips of 2 to 15 s were two thirds padding."""

Rows = NDArray[np.int64]


def draw_batches(
    data: UtteranceDataset, beside: UtteranceDataset, clips: Clips, settings: AdaptSettings, rng: Generator
) -> Iterator[Batch]:
    """Without end. The rows of `clips`, which are those of `data`, are drawn so that classes come equally often."""
    count = own_clips(len(clips), settings)
    chances = class_balance(clips)
    while True:
        mine = _alike(rng.choice(len(data), _POOL * count, p=chances), data, count)
        others = rng.integers(len(beside), size=_POOL * (settings.batch_size - count))
        replayed = _alike(others, beside, settings.batch_size - count)
        for number in rng.permutation(_POOL):
            yield joined(_batch(data, mine[number]), _batch(beside, replayed[number]))


def own_clips(clips: int, settings: AdaptSettings) -> int:
    """In a batch: the share that is asked for, unless so few clips would fill it with copies of themselves."""
    most = min(settings.recorded_share * settings.batch_size, settings.copies * clips)
    return min(max(1, round(most)), settings.batch_size - 1)


def class_balance(clips: Clips) -> NDArray[np.float64]:
    """Probability of each row to be drawn: over the heads, the mean of one by the count of its class."""
    weights = np.zeros(len(clips))
    for ids in label_ids(clips.table, clips.spec.heads).values():
        known = ids >= 0
        counts = np.bincount(ids[known], minlength=1)
        weights[known] += 1.0 / counts[ids[known]]
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def joined(first: Batch, second: Batch) -> Batch:
    """One batch of both, padded alike."""
    frames = max(first.features.shape[1], second.features.shape[1])
    times = None
    if first.frame_labels is not None and second.frame_labels is not None:
        times = torch.cat([_padded(b.frame_labels, frames, IGNORE) for b in (first, second)])  # type: ignore[arg-type]
    return Batch(
        torch.cat([_padded(b.features, frames, 0) for b in (first, second)]),
        torch.cat([first.lengths, second.lengths]),
        {name: torch.cat([ids, second.labels[name]]) for name, ids in first.labels.items()},
        torch.cat([first.rows, second.rows]),
        times,
    )


def _alike(rows: Rows, data: UtteranceDataset, size: int) -> Rows:
    """(batches, size): the shortest in the first."""
    return rows[np.argsort(data.lengths[rows], kind="stable")].reshape(-1, size)


def _batch(data: UtteranceDataset, rows: Rows) -> Batch:
    return data.collate([data[int(row)] for row in rows])


def _padded(values: Tensor, frames: int, fill: int) -> Tensor:
    return torch.nn.functional.pad(values, (0, 0, 0, frames - values.shape[1]), value=fill)
