"""How far two samples are apart, and how often chance alone puts them so far apart.

Numbers: the Kolmogorov-Smirnov distance of their binned distributions, which is never more than that of the numbers
themselves, with the asymptotic p-value in Stephens' form for small samples (1970). Classes: Fisher's exact test of
each against the rest, and Pearson's test of all of them. Both: the population stability index (PSI), less what it
comes to by chance, which is the number of bins less one times (1/n + 1/m) (Yurdakul, 2018).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, fisher_exact, kstwobign

from slu.monitoring.sketch import Counts

_PARTS = 10
_LEAST_EXPECTED = 5.0


class Distance(NamedTuple):
    p: float
    """Of a distance at least so large by chance."""
    psi: float
    ks: float
    """Largest difference of the cumulative shares; of classes, of a class's share."""


@dataclass(frozen=True)
class Sample:
    """Counts, in bins or by class, and how many independent clips they are worth."""

    counts: NDArray[np.int64]
    independent: float

    @property
    def shares(self) -> NDArray[np.float64]:
        return np.asarray(self.counts / max(1, self.counts.sum()), np.float64)

    @property
    def worth(self) -> NDArray[np.int64]:
        """The counts of so many independent clips."""
        return np.rint(self.shares * self.independent).astype(np.int64)


def numbers_apart(now: Sample, before: Sample) -> Distance:
    """Counts are of the same bins, in order of their values."""
    ks = float(np.abs(np.cumsum(now.shares) - np.cumsum(before.shares)).max())
    size = np.sqrt(now.independent * before.independent / (now.independent + before.independent))
    p = float(kstwobign.sf((size + 0.12 + 0.11 / size) * ks))
    parts = _parts(before.counts)
    return Distance(p, stability(now, before, parts), ks)


def classes_apart(now: Sample, before: Sample) -> Distance:
    """Counts are of the same classes, in any order."""
    ours, theirs = now.worth, before.worth
    present = (ours + theirs) > 0
    ours, theirs = ours[present], theirs[present]
    largest = float(np.abs(now.shares - before.shares).max()) if len(now.counts) else 0.0
    if len(ours) < 2 or not ours.sum() or not theirs.sum():
        return Distance(1.0, 0.0, largest)
    rest = (int(ours.sum()), int(theirs.sum()))
    each = [
        float(fisher_exact([[a, rest[0] - a], [b, rest[1] - b]]).pvalue)
        for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)
    ]
    p = min(1.0, 2 * min(_pearson(ours, theirs), len(each) * min(each)))
    return Distance(p, stability(now, before, np.arange(len(now.counts))), largest)


def stability(now: Sample, before: Sample, parts: NDArray[np.int64]) -> float:
    """The index over parts of the bins, beyond chance, not below 0. `parts[i]` is the part that bin i belongs to; half
    a clip more in each keeps an empty one from being infinitely far away."""
    count = int(parts.max()) + 1
    shares = []
    for sample in (now, before):
        filled = np.bincount(parts, sample.shares * sample.independent, count) + 0.5
        shares.append(filled / filled.sum())
    index = float(np.sum((shares[0] - shares[1]) * np.log(shares[0] / shares[1])))
    chance = (count - 1) * (1 / max(1.0, now.independent) + 1 / max(1.0, before.independent))
    return max(0.0, index - chance)


def _parts(counts: Counts) -> NDArray[np.int64]:
    """About ten parts of equal weight."""
    below = (np.cumsum(counts) - counts / 2) / max(1, counts.sum())
    return np.unique(np.minimum((below * _PARTS).astype(np.int64), _PARTS - 1), return_inverse=True)[1]


def _pearson(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    """Of classes that are expected often enough; the others are taken together."""
    expected = ours.sum() * (ours + theirs) / (ours.sum() + theirs.sum())
    rare = expected < _LEAST_EXPECTED
    table = np.stack([ours, theirs])
    if rare.any():
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    return float(chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """p-values such that calling those below alpha keeps the chance of one false call among them below alpha (Holm,
    1979)."""
    order = np.argsort(values)
    adjusted, largest = [1.0] * len(values), 0.0
    for rank, place in enumerate(order.tolist()):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = largest
    return adjusted


def aligned(
    now: Mapping[str, int], before: Mapping[str, int]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Names of both, and the counts of each in their order."""
    names = sorted({*now, *before})
    return (
        names,
        np.array([now.get(n, 0) for n in names], np.int64),
        np.array([before.get(n, 0) for n in names], np.int64),
    )
