"""What is kept of any number of clips: counts in fixed bins, which add up exactly.

Compared with a reservoir or a t-digest, bins need no random numbers, merge without loss and in any order, and make the
Kolmogorov-Smirnov distance and the population stability index of two sketches plain sums; what they cost is
resolution, a two-hundredth of each fact's range.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.monitoring.facts import BINS, FACTS, NAMES, Fact, bins_of

UNDERSTOOD = "understood"
"""Among the reasons: that there was none against it."""
OTHERS = "(others)"
_MOST_NAMES = 1000
"""Labels of a head, and reasons, that are counted by name: those of a recogniser are fewer, a broken log may hold
anything."""

Counts = NDArray[np.int64]


class Sketch:
    def __init__(self) -> None:
        self.clips = 0
        self.counts: Counts = np.zeros((len(FACTS), BINS), np.int64)
        self.reasons: Counter[str] = Counter()
        self.labels: dict[str, Counter[str]] = {}
        """By head, of the answers that were given."""

    def add(self, values: Sequence[Sequence[Any]]) -> None:
        """Rows of the facts' values in the order of FACTS; whatever is no finite number is passed over."""
        table = numbers(values)
        for place, fact in enumerate(FACTS):
            column = table[:, place]
            known = column[np.isfinite(column)]
            if len(known):
                self.counts[place] += np.bincount(bins_of(known, fact), minlength=BINS)

    def count_answer(self, reason: str, labels: Mapping[str, str]) -> None:
        """`reason` is empty for an answer that was given; the labels of others mean nothing."""
        self.clips += 1
        _count(self.reasons, reason or UNDERSTOOD)
        if not reason:
            for head, label in labels.items():
                if head in self.labels:
                    _count(self.labels[head], label)
                elif len(self.labels) < _MOST_NAMES:
                    self.labels[head] = Counter({label: 1})

    def merge(self, other: "Sketch") -> None:
        self.clips += other.clips
        self.counts += other.counts
        self.reasons.update(other.reasons)
        for head, labels in other.labels.items():
            self.labels.setdefault(head, Counter()).update(labels)

    def of(self, name: str) -> Counts:
        """(BINS,) of one fact."""
        return np.asarray(self.counts[NAMES.index(name)])

    def known(self, name: str) -> int:
        """Clips of which the fact is known."""
        return int(self.of(name).sum())

    def to_json(self) -> dict[str, Any]:
        facts = {fact.name: _spans(row) for fact, row in zip(FACTS, self.counts, strict=True) if row.any()}
        labels = {head: dict(counts.most_common()) for head, counts in self.labels.items()}
        return {"clips": self.clips, "facts": facts, "reasons": dict(self.reasons.most_common()), "labels": labels}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Sketch":
        """A fact that is not known here is passed over. Raises ValueError, KeyError or TypeError for what is none."""
        sketch = Sketch()
        sketch.clips = int(document["clips"])
        for name, (first, values) in document["facts"].items():
            if name in NAMES:
                row = np.array(values, np.int64)
                if not 0 <= first <= BINS - len(row) or (row < 0).any():
                    raise ValueError(f"{name} has counts outside of its bins")
                sketch.counts[NAMES.index(name), first : first + len(row)] = row
        sketch.reasons = Counter({str(name): int(count) for name, count in document["reasons"].items()})
        sketch.labels = {
            head: Counter({str(name): int(count) for name, count in counts.items()})
            for head, counts in document["labels"].items()
        }
        return sketch


def quantile(counts: Counts, fact: Fact, share: float) -> float | None:
    """To the middle of a bin; None of nothing."""
    total = counts.sum()
    if not total:
        return None
    place = int(np.searchsorted(np.cumsum(counts), share * total))
    low, high = fact.edges[place : place + 2]
    return float(np.sqrt(low * high) if fact.ratio else (low + high) / 2)


def numbers(rows: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
    """The rows as an array; not a number where there is none."""
    try:
        return np.array(rows, np.float64)
    except (ValueError, TypeError, OverflowError):  # one of them is no number
        return np.array([[_number(value) for value in row] for row in rows], np.float64)


def _number(value: Any) -> float:
    try:
        return float(value) if isinstance(value, (int, float)) else np.nan
    except OverflowError:
        return np.nan


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < _MOST_NAMES else OTHERS] += 1


def _spans(row: Counts) -> list[Any]:
    """The first bin that is not empty, and the counts from there on."""
    filled = np.flatnonzero(row)
    return [int(filled[0]), row[filled[0] : filled[-1] + 1].tolist()]
