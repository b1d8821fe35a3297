"""Results of many fits as curves: means over seeds, intervals over test speakers, paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slu.evaluation.comparison import difference_interval
from slu.evaluation.intervals import Floats, Units, ratio_interval, units
from slu.studies.fits import FitResult

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Point:
    """One model after training on one share of the voices, in one condition."""

    condition: str
    model: str
    share: float
    voices: int
    clips: float
    """Different training clips, mean over the seeds."""
    mean: float
    """All labels right, mean over the seeds."""
    interval: Interval
    by_seed: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """Of the first model and the second on the same clips, in accuracy."""

    value: float
    """Mean over the seeds."""
    interval: Interval
    by_seed: tuple[float, ...]

    @property
    def sign(self) -> int:
        """0 when the interval does not exclude zero."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return 0
        return 1 if self.value > 0 else -1


@dataclass(frozen=True)
class Curve:
    models: tuple[str, ...]
    conditions: tuple[str, ...]
    shares: tuple[float, ...]
    points: tuple[Point, ...]
    differences: dict[str, dict[float, Difference]]
    """By condition and share, first model minus second; empty unless there are exactly two."""
    changes: dict[str, Difference]
    """By condition: the difference at the smallest share minus that at the largest."""
    resampled: str
    test_clips: int

    def at(self, condition: str, model: str) -> list[Point]:
        """By growing share."""
        return [p for p in self.points if (p.condition, p.model) == (condition, model)]

    def voices(self, share: float) -> int:
        return next(p.voices for p in self.points if p.share == share)


def build_curve(results: Sequence[FitResult]) -> Curve:
    """Of at least one result; each model has the same shares and seeds. Raises ValueError where test clips differ."""
    first = results[0]
    if any(result.speakers != first.speakers for result in results):
        raise ValueError("the fits were not tested on the same clips")
    by = units(first.speakers, len(first.speakers))
    models, shares = _distinct([r.model for r in results]), tuple(sorted({r.share for r in results}))
    conditions = tuple(first.right)
    heard = {
        (c, m, s): np.stack([r.flags(c) for r in results if (r.model, r.share) == (m, s)])
        for c in conditions for m in models for s in shares
    }  # fmt: skip
    points = [_point(results, c, m, s, heard[c, m, s], by) for c, m, s in heard]
    differences: dict[str, dict[float, Difference]] = {}
    changes: dict[str, Difference] = {}
    if len(models) == 2:
        for condition in conditions:
            gaps = {s: heard[condition, models[0], s] - heard[condition, models[1], s] for s in shares}
            differences[condition] = {s: _difference(gap, by) for s, gap in gaps.items()}
            if len(shares) > 1:
                changes[condition] = _difference(gaps[shares[0]] - gaps[shares[-1]], by)
    return Curve(
        models, conditions, shares, tuple(points), differences, changes, by.kind, len(first.speakers)
    )  # fmt: skip


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _point(results: Sequence[FitResult], condition: str, model: str, share: float, right: Floats, by: Units) -> Point:
    mine = [result for result in results if (result.model, result.share) == (model, share)]
    clips = np.bincount(by.of_clip, minlength=by.count).astype(np.float64)
    hits = np.bincount(by.of_clip, right.mean(axis=0), by.count).astype(np.float64)
    return Point(
        condition=condition,
        model=model,
        share=share,
        voices=mine[0].voices,
        clips=float(np.mean([result.clips for result in mine])),
        mean=float(right.mean()),
        interval=ratio_interval(hits, clips),
        by_seed=tuple(right.mean(axis=1).tolist()),
    )


def _difference(gaps: Floats, by: Units) -> Difference:
    """`gaps` (seeds, clips). Seeds are averaged clip by clip before resampling: they share their test clips."""
    return Difference(
        float(gaps.mean()), difference_interval(gaps.mean(axis=0), by), tuple(gaps.mean(axis=1).tolist())
    )  # fmt: skip
