"""Two recognisers on the same clips: how much better, and could it be chance?

McNemar's exact test asks whether the clips that only one of them gets right fall evenly (McNemar, 1947); it
takes clips as independent. The bootstrap over speakers does not, so with known speakers its interval decides.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from slu.evaluation.intervals import Units, percentile, resample_weights


@dataclass(frozen=True)
class Comparison:
    """Of A against B; differences are A minus B, in accuracy."""

    difference: float
    interval: tuple[float, float] | None
    """95 %, bootstrap over `resampled`; None when they never differ."""
    resampled: str
    only_a: int
    """Clips that A alone gets right."""
    only_b: int
    p_mcnemar: float

    @property
    def verdict(self) -> str:
        """`A`, `B`, or `` when the difference may be chance."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return ""
        return "A" if self.difference > 0 else "B"


def compare(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_], by: Units) -> Comparison:
    """Of the same clips in the same order; raises ValueError when there are none."""
    if len(right_a) != len(right_b) or not len(right_a):
        raise ValueError(f"{len(right_a)} and {len(right_b)} answers cannot be paired")
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    difference = right_a.astype(float) - right_b
    return Comparison(
        float(difference.mean()), difference_interval(difference, by), by.kind, only_a, only_b, float(p)
    )  # fmt: skip


def difference_interval(difference: NDArray[np.float64], by: Units) -> tuple[float, float] | None:
    """Of the mean of per-clip differences; None when they are all equal or there is one unit."""
    if np.ptp(difference) == 0 or by.count < 2:
        return None
    sums = np.bincount(by.of_clip, difference, by.count)
    sizes = np.bincount(by.of_clip, minlength=by.count)
    weights = resample_weights(by.count)
    return percentile((weights @ sums) / (weights @ sizes))
