"""From answers clip by clip to means over seeds, with what the draw of seeds and clips leaves open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from slu.evaluation.intervals import LEVEL, ratio_interval, units

CLEAN = "clean"
KEYS = ["protocol", "run", "noise", "snr_db", "draw"]


@dataclass(frozen=True)
class Mean:
    """Over runs: a run is a seed, or a bundle that was given."""

    value: float
    runs: tuple[float, ...]
    interval: tuple[float, float] | None
    """95 %, Student's t over the runs; None for one. What other seeds would give on the same clips."""

    def to_json(self) -> dict[str, Any]:
        return {"mean": self.value, "runs": list(self.runs), "interval_95_over_runs": self.interval}


def mean_of_runs(values: Sequence[float]) -> Mean:
    """Of shares: the interval ends at 0 and 1. The bootstrap would promise that a fourth seed lies between three."""
    mean, size = float(np.mean(values)), len(values)
    if size < 2:
        return Mean(mean, tuple(values), None)
    half = float(t.ppf(0.5 + LEVEL / 2, size - 1)) * float(np.std(values, ddof=1)) / size**0.5
    return Mean(mean, tuple(values), (max(0.0, mean - half), min(1.0, mean + half)))


def over_runs(answers: pd.DataFrame, measure: str) -> Mean:
    """`answers`: rows of one condition, or of several that count alike."""
    return mean_of_runs([float(rows[measure].mean()) for _, rows in answers.groupby("run", sort=False)])


def over_clips(answers: pd.DataFrame, measure: str) -> tuple[tuple[float, float] | None, str]:
    """95 % bootstrap interval over speakers where they are named, else over clips, of the mean of all runs; and over
    what it is."""
    clips = answers.groupby("clip", sort=False).agg({measure: "mean", "speaker": "first", "clips": "first"})
    names = clips["speaker"].tolist()
    by = units(names if any(names) else None, len(clips))
    heard = clips["clips"].to_numpy(float)  # of a held-out speaker's row, all of that speaker's
    right = np.bincount(by.of_clip, heard * clips[measure].to_numpy(float), by.count).astype(np.float64)
    return ratio_interval(right, np.bincount(by.of_clip, heard, by.count).astype(np.float64)), by.kind


def means_by(answers: pd.DataFrame, column: str, measure: str) -> dict[str, Mean]:
    """By speaker or label, worst first; empty where none is named."""
    known = answers[answers[column] != ""]
    means = {str(name): over_runs(rows, measure) for name, rows in known.groupby(column)}
    return dict(sorted(means.items(), key=lambda item: item[1].value))


def condition_rows(answers: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """One row per protocol, run, noise, SNR and draw: the number of clips and the mean of every measure that is known
    (of speakers held out in turn, only who was right)."""
    grouped = answers.groupby(KEYS, sort=False, dropna=False)
    known = {measure: (measure, "mean") for measure in measures if measure in answers.columns}
    return grouped.agg(clips=("clips", "sum"), **known).reset_index()
