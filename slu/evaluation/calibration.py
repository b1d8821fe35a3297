"""Does confidence mean anything? Reliability, its error, and what answering less often buys."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Per bin of equal width over [0, 1]; bins without a clip hold NaN."""

    edges: NDArray[np.float64]
    """(bins + 1,)"""
    confidence: NDArray[np.float64]
    """Mean stated confidence."""
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap, weighted by clips (Naeini et al., 2015; Guo et al., 2017)."""
        filled = self.count > 0
        gaps = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float((gaps * self.count[filled]).sum() / self.count.sum())


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> Reliability:
    """Both per clip. A confidence on an edge belongs to the bin below it, as in Guo et al."""
    stated = np.asarray(confidence, dtype=np.float64)
    hits = np.asarray(right, dtype=np.float64)
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, stated, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            edges,
            np.bincount(place, stated, bins) / count,
            np.bincount(place, hits, bins) / count,
            count,
        )


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    return reliability(confidence, right, bins).error


def accuracy_by_coverage(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Answer only the most confident share of the clips: (share answered, accuracy of those answers).

    Equal confidences are answered together, so no order among them is invented (Geifman and El-Yaniv, 2017).
    """
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(right[order])
    last = np.append(np.diff(confidence[order]) != 0, True)
    answered = np.flatnonzero(last) + 1
    return answered / len(right), hits[last] / answered
