"""The fits of a learning curve: which voices one hears, and what it came to."""

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.common.files import settings_hash
from slu.evaluation.run import subset
from slu.studies.scoring import score_fitted
from slu.studies.stored import Result, run_stored
from slu.studies.voices import with_voices
from slu.training.fit import FitSettings, fit
from slu.training.stages import Prepared


@dataclass(frozen=True)
class Fit:
    model: str
    settings: Mapping[str, Any]
    """Of the model, as in `conf/model`."""
    share: float
    seed: int
    voices: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        return settings_hash(dict(self.settings), self.seed, sorted(self.voices))

    @property
    def file_name(self) -> str:
        return f"{self.model}-{self.share}-{self.seed}.json"


@dataclass(frozen=True)
class Recipe:
    """What all fits of a study have in common."""

    data: Prepared
    settings: FitSettings
    """The model and the seed in it are replaced by those of the fit."""
    noise_snr_db: tuple[float, ...]
    """The test clips are heard clean, and in generated noise at each of these."""


@dataclass(frozen=True)
class FitResult(Result):
    model: str
    share: float
    seed: int
    voices: int
    clips: int
    """Different ones, before they were repeated."""
    epochs: int
    cpu_s: float
    parameters: int
    speakers: tuple[str, ...]
    """Of the test clips that have every label."""
    right: dict[str, str]
    """By condition, one character per clip: 1 where every label was heard, else 0."""

    def flags(self, condition: str) -> NDArray[np.float64]:
        return np.array([float(mark) for mark in self.right[condition]])

    def accuracy(self, condition: str) -> float:
        return float(self.flags(condition).mean()) if self.speakers else math.nan


def run_fits(fits: Sequence[Fit], recipe: Recipe, folder: Path, jobs: int) -> list[FitResult]:
    """The results in the order of `fits`; those that `folder` has are read, the others made and put there."""
    return run_stored(fits, run_fit, recipe, folder, jobs, kind=FitResult, line=_line)


def _line(result: FitResult) -> str:
    heard = ", ".join(f"{condition} {result.accuracy(condition):.3f}" for condition in result.right)
    return (
        f"{result.model}, {result.voices} voices ({result.share:.0%}), seed {result.seed}: {heard}; "
        f"{result.epochs} epochs, {result.cpu_s:.0f} CPU seconds"
    )


def run_fit(fit_: Fit, recipe: Recipe, scratch: Path) -> FitResult:
    """Train and test; the checkpoints are gone afterwards."""
    data, spec = recipe.data, recipe.data.spec
    table = with_voices(data.features.table, list(fit_.voices), fit_.seed)
    settings = replace(recipe.settings, model=fit_.settings, seed=fit_.seed)
    test = subset(data.manifest, "split", "test")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        fitted = fit(table, spec, settings, Path(folder))
    heard = score_fitted(fitted, spec, test, recipe.noise_snr_db)
    clean = heard["clean"]
    right = {name: "".join("01"[int(mark)] for mark in e.right[e.complete]) for name, e in heard.items()}
    train = data.features.table["split"] == "train"
    return FitResult(
        fingerprint=fit_.fingerprint,
        model=fit_.model,
        share=fit_.share,
        seed=fit_.seed,
        voices=len(fit_.voices),
        clips=int((train & data.features.table["speaker"].isin(fit_.voices)).sum()),
        epochs=fitted.epochs,
        cpu_s=round(fitted.cpu_s, 1),
        parameters=fitted.parameters,
        speakers=tuple(clean.table["speaker"][clean.complete]),
        right=right,
    )
