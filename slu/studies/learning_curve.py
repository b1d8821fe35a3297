"""A learning curve: models trained on growing shares of the training voices, tested on the same clips.

The plan is every model x share x seed. Each fit's result is a file of its own in the study's folder, written
when that fit is done; a study that was cut short goes on with the fits that have none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.common.stage import fingerprint
from slu.studies.fits import Fit, FitResult, Recipe, run_fits
from slu.studies.voices import choose_voices, with_voices
from slu.training.fit import FitSettings
from slu.training.stages import Prepared, require_examples

VERSION = 1
"""Raised whenever the same settings would give other results, so that older ones are not taken for them."""


@dataclass(frozen=True)
class LearningCurveSettings:
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Of the study's folder."""
    question: str
    """What the study is to answer; the first of two models is the one that the answer is about."""
    models: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")], dict[str, Any]]
    shares: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=1)]
    """Of the training voices."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    """Each draws its own voices and its own weights to start from."""
    jobs: Annotated[int, Field(ge=1)] = 2
    """Fits at a time, each in a process with one thread."""


def learning_curve_settings(values: Mapping[str, Any]) -> LearningCurveSettings:
    settings = parse_settings(LearningCurveSettings, values, "learning_curve")
    if not settings.models:
        raise UserError("learning_curve.models is empty; name at least one, as in conf/experiment/m1_vs_m2.yaml")
    for name, chosen in (("shares", settings.shares), ("seeds", settings.seeds)):
        if len(set(chosen)) < len(chosen):
            raise UserError(f"learning_curve.{name}: {list(chosen)} holds a value twice; take one out")
    return replace(settings, shares=tuple(sorted(settings.shares)))


def plan(settings: LearningCurveSettings, data: Prepared) -> list[Fit]:
    """Seed by seed, so that a study that is cut short has whole curves rather than half of every one.

    Raises UserError when a share leaves a class without a training example.
    """
    table, where = data.features.table, str(data.manifest.path)
    fits = []
    for seed in settings.seeds:
        for share in settings.shares:
            voices = choose_voices(table, share, seed, where)
            few = f"{where}, learning_curve.shares={share:g} with seed {seed} ({len(voices)} voices)"
            require_examples(with_voices(table, voices, seed), data.spec, ("train",), few)
            fits += [Fit(name, dict(model), share, seed, tuple(voices)) for name, model in settings.models.items()]
    return fits


def run_learning_curve(
    settings: LearningCurveSettings,
    data: Prepared,
    fit_settings: FitSettings,
    noise_snr_db: Sequence[float],
    home: Path,
) -> tuple[list[FitResult], Path]:
    """All results in the order of the plan, and the folder below `home` that keeps them."""
    recipe = Recipe(data, replace(fit_settings, progress=False, loggers=()), tuple(noise_snr_db))
    folder = home / f"{settings.name}-{recipe_fingerprint(recipe)}"
    return run_fits(plan(settings, data), recipe, folder, settings.jobs), folder


def recipe_fingerprint(recipe: Recipe) -> str:
    """Of everything that all fits share; each result names its own model, voices and seed."""
    data, settings = recipe.data, recipe.settings
    table = data.features.table
    stems = [Path(path).stem for path in table["feature_path"]]
    names = table["speaker"] if "speaker" in table.columns else stems
    return fingerprint(
        version=VERSION,
        data=data.data_hash,
        speakers=sorted(zip(stems, names, strict=True)),
        spec=data.spec.to_json(),
        loss=asdict(settings.loss),
        loader=asdict(settings.loader),
        augment=asdict(settings.augment),
        optimizer=_described(settings.optimizer),
        scheduler=_described(settings.scheduler),
        trainer=dict(settings.trainer),
        patience=settings.patience,
        noise=list(recipe.noise_snr_db),
    )


def _described(part: Any) -> tuple[str, dict[str, Any]]:
    """Optimizer and scheduler are functions with some arguments given."""
    function = getattr(part, "func", part)
    return f"{function.__module__}.{function.__qualname__}", dict(getattr(part, "keywords", {}))
