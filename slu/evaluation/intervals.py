"""95 % confidence intervals by bootstrap: over speakers where they are known, otherwise over clips.

Clips of one speaker succeed and fail together, so resampling clips would promise more than there is: the unit
is the speaker (the cluster bootstrap; Davison and Hinkley, 1997, section 3.8). Where no unit differs from
another (all right, say) there is nothing to resample, and the exact binomial interval stands in.
With a handful of errors the bootstrap promises too much, so the wider of the two counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Floats = NDArray[np.float64]
LEVEL = 0.95
_RESAMPLES = 2_000
FEW = 10
"""Errors, or right answers, below which the bootstrap alone is not believed."""


@dataclass(frozen=True)
class Units:
    """What is resampled: `of_clip[i]` is the number of the unit that clip i belongs to."""

    kind: str
    """`speakers` or `clips`, and why not speakers, for the reader."""
    of_clip: NDArray[np.int64]

    @property
    def count(self) -> int:
        return int(self.of_clip.max()) + 1 if len(self.of_clip) else 0


def units(speakers: Sequence[str] | None, clips: int) -> Units:
    """Speakers if every clip names one and there are at least two; otherwise each clip for itself."""
    alone = np.arange(clips, dtype=np.int64)
    if speakers is None:
        return Units("clips (speakers unknown)", alone)
    names, of_clip = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
    if "" in names:
        return Units("clips (not every clip names its speaker)", alone)
    if len(names) < 2:
        return Units("clips (one speaker)", alone)
    return Units(f"{len(names)} speakers", of_clip.astype(np.int64))


def resample_weights(count: int, *, samples: int = _RESAMPLES, seed: int = 0) -> NDArray[np.int64]:
    """(samples, count): how often each unit is drawn, with replacement, `count` draws each."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=samples)


def ratio_interval(numerator: Floats, denominator: Floats) -> tuple[float, float] | None:
    """Of sum(numerator) / sum(denominator) over units: right answers over clips, by unit; None without a clip."""
    total = round(float(denominator.sum()))
    counted = denominator > 0
    if total == 0:
        return None
    shares = numerator[counted] / denominator[counted]
    right = round(float(numerator.sum()))
    exact = exact_interval(right, total)
    if np.ptp(shares) == 0 or exact is None:
        return exact
    kinds, counts = np.unique(np.stack([numerator[counted], denominator[counted]]), axis=1, return_counts=True)
    drawn = _draw(counts) @ kinds.T
    low, high = percentile(drawn[:, 0] / drawn[:, 1])
    return (min(low, exact[0]), max(high, exact[1])) if min(right, total - right) < FEW else (low, high)


def accuracy_interval(right: NDArray[np.bool_], by: Units) -> tuple[float, float] | None:
    """`right` per clip."""
    size = by.count
    clips = np.bincount(by.of_clip, minlength=size).astype(np.float64)
    return ratio_interval(np.bincount(by.of_clip, right, size).astype(np.float64), clips)


def matrix_interval(
    truth: NDArray[np.int64], guess: NDArray[np.int64], classes: int, by: Units, figure: Callable[[Any], Floats]
) -> tuple[float, float] | None:
    """Of any figure of the confusion matrix: `figure` maps (samples, classes, classes) to (samples,)."""
    if not len(truth):
        return None
    cells, cell_of_clip = np.unique(truth * classes + guess, return_inverse=True)
    counts = np.zeros((by.count, len(cells)), np.int64)
    np.add.at(counts, (by.of_clip, cell_of_clip), 1)
    drawn = np.zeros((_RESAMPLES, classes * classes))
    kinds, kind_counts = np.unique(counts, axis=0, return_counts=True)
    if len(kinds) == 1 or (cells // classes == cells % classes).all():
        return None  # nothing to resample, or nothing wrong: an interval of no width would promise too much
    drawn[:, cells] = _draw(kind_counts) @ kinds
    return percentile(figure(drawn.reshape(_RESAMPLES, classes, classes)))


def balanced_difference(
    difference: Floats, truth: NDArray[np.int64], by: Units
) -> tuple[float, tuple[float, float] | None]:
    """Between two balanced accuracies on the same clips: the mean over classes of per-clip differences, and its
    interval; None where they never differ, and for one unit."""
    classes = int(truth.max()) + 1
    counts = np.zeros((2, by.count, classes))
    np.add.at(counts[0], (by.of_clip, truth), difference)
    np.add.at(counts[1], (by.of_clip, truth), 1)
    value = float(_mean_of_classes(counts[0].sum(0), counts[1].sum(0)))
    if by.count < 2 or not difference.any():
        return value, None
    kinds, number = np.unique(np.concatenate([counts[0], counts[1]], axis=1), axis=0, return_counts=True)
    drawn = _draw(number) @ kinds
    return value, percentile(_mean_of_classes(drawn[:, :classes], drawn[:, classes:]))


def _mean_of_classes(sums: Floats, sizes: Floats) -> Floats:
    """Over the last axis, of the classes that have clips."""
    return np.asarray((sums / np.maximum(sizes, 1)).sum(-1) / (sizes > 0).sum(-1))


def _draw(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(samples, kinds): how many units of each kind a resample holds. Equal units are drawn together: thousands of
    clips are of a few kinds."""
    total = int(counts.sum())
    return np.random.default_rng(0).multinomial(total, counts / total, size=_RESAMPLES)


def percentile(values: Floats) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def exact_interval(right: int, total: int) -> tuple[float, float] | None:
    """Clopper and Pearson, 1934: for independent clips, never too narrow."""
    if total == 0:
        return None
    interval = binomtest(right, total).proportion_ci(LEVEL, method="exact")
    return float(interval.low), float(interval.high)


def mean_interval(values: Sequence[float], *, samples: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """Of the plain mean, for instance over the folds of a cross-validation."""
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    return percentile(data[rng.integers(len(data), size=(samples, len(data)))].mean(axis=1))
