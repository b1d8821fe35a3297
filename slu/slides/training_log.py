"""What a training run logged per epoch, from its `csv/metrics.csv`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from slu.slides.words import Missing

_CURE = "`python -m slu.train` keeps one, with logger=tensorboard or logger=csv"


@dataclass(frozen=True)
class TrainingLog:
    path: Path
    losses: Mapping[str, pd.Series]
    """By name (`training`, `clean validation`, …), over epochs counted from 1."""
    objective: pd.Series | None
    """Of the validation; None without one."""

    @property
    def epochs(self) -> int:
        return max(int(series.index.to_numpy().max()) for series in self.losses.values())

    @property
    def best_epoch(self) -> int | None:
        if self.objective is None:
            return None
        return int(self.objective.index.to_numpy()[self.objective.to_numpy().argmax()])


def read_training_log(run: object) -> TrainingLog | Missing:
    """`run` is the training run's folder as a bundle's metrics name it."""
    if not isinstance(run, str) or not run:
        return Missing("the bundle does not say which run trained it", _CURE)
    path = Path(run) / "csv" / "metrics.csv"
    try:
        by_epoch = pd.read_csv(path).dropna(subset=["epoch"]).groupby("epoch").last()
    except (OSError, ValueError, KeyError):
        return Missing("there is no training log in the folder of the run that trained the bundle", _CURE)
    by_epoch.index = by_epoch.index.astype(int) + 1
    losses = {}
    for column in by_epoch.columns:
        series = by_epoch[column].dropna()
        if column == "train/loss" and len(series):
            losses["training"] = series
        elif (found := re.fullmatch(r"val/(?:(.+)/)?loss", column)) and len(series):
            losses[f"{found[1]} validation" if found[1] else "validation"] = series
    if not losses:
        return Missing(f"the training log {path.name} has no loss in it", _CURE)
    objective = by_epoch["val/objective"].dropna() if "val/objective" in by_epoch.columns else None
    return TrainingLog(path, losses, objective if objective is not None and len(objective) else None)
