"""What a leak is worth: the same segments split at random, by recording and by speaker, and the same models on each.

The plan is every method x seed x model. A seed draws the split and the weights to start from. Validation comes from
the same split, so it leaks where the test does, as it would for whoever makes that mistake.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch.utils.data import DataLoader

from slu.common.errors import UserError
from slu.common.files import settings_hash
from slu.common.settings import parse_settings
from slu.common.stage import fingerprint
from slu.corpus.labels import fully_labelled
from slu.corpus.splits import (
    SplitSettings,
    assign_splits,
    describe_split,
    leaking_recordings,
    leaking_speakers,
    speakers,
)
from slu.evaluation.metrics import Indices, score
from slu.inference.decision import decide
from slu.spec import TaskSpec
from slu.studies.fits import Recipe
from slu.studies.learning_curve import recipe_fingerprint
from slu.studies.stored import Result, run_stored
from slu.training.datamodule import UtteranceDataset
from slu.training.fit import FitSettings, Fitted, fit
from slu.training.stages import Prepared, require_examples

VERSION = 1
"""Raised whenever the same settings would give other results, so that older ones are not taken for them."""

Method = Literal["random", "recording", "speaker"]


@dataclass(frozen=True)
class SplitEffectSettings:
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    """Of slu.corpus.splits, each on the same segments."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    models: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")], dict[str, Any]]
    """By name; where none is given, the run's own."""
    jobs: Annotated[int, Field(ge=1)] = 1
    """Fits at a time, each in a process with one thread."""


def split_effect_settings(values: Mapping[str, Any], name: str, model: Mapping[str, Any]) -> SplitEffectSettings:
    """`name` and `model` are the run's own."""
    models = values.get("models") or {name: dict(model)}
    settings = parse_settings(SplitEffectSettings, {**values, "models": models}, "split_effect")
    for setting, chosen in (("methods", settings.methods), ("seeds", settings.seeds)):
        if len(set(chosen)) < len(chosen):
            raise UserError(f"split_effect.{setting}: {list(chosen)} holds a value twice; take one out")
    return settings


@dataclass(frozen=True)
class Trial:
    model: str
    settings: Mapping[str, Any]
    """Of the model, as in `conf/model`."""
    split: SplitSettings

    @property
    def fingerprint(self) -> str:
        split = self.split
        return settings_hash(dict(self.settings), split.method, split.val, split.test, split.seed)

    @property
    def file_name(self) -> str:
        return f"{self.model}-{self.split.method}-{self.split.seed}.json"


@dataclass(frozen=True)
class TrialResult(Result):
    model: str
    method: str
    seed: int
    split: str
    """What it lets leak, in the words of every report."""
    leaking_speakers: int
    leaking_recordings: int
    sides: dict[str, dict[str, int]]
    """By side (train, val, test): `segments`, and `recordings` and `speakers` where the table names them."""
    accuracy: float
    """Of the test segments with all labels: all right."""
    balanced_accuracy: float
    """Mean over the heads."""
    epochs: int
    cpu_s: float
    parameters: int

    @property
    def leaks(self) -> bool:
        return bool(self.leaking_speakers or self.leaking_recordings)


def plan(settings: SplitEffectSettings, data: Prepared, shares: SplitSettings) -> list[Trial]:
    """Seed by seed, so that a study that is cut short has tested every method; `shares` says how much is held out.

    Raises UserError when a split cannot be made, and when it leaves a class without a training example.
    """
    table, where = data.features.table, str(data.manifest.path)
    if "speaker" in settings.methods:
        speakers(data.manifest.table, where)
    if "recording" in settings.methods and "recording" not in table.columns:
        raise UserError(
            f"{where}: these clips are whole recordings, so a split by recording is the one at random; leave it out "
            "of split_effect.methods, or cut recordings with data.segment_s=3"
        )
    trials = []
    for seed in settings.seeds:
        for method in settings.methods:
            split = replace(shares, method=method, seed=seed)
            drawn = split_rows(data, split)
            place = f"{where}, split_effect.methods={method} with seed {seed}"
            require_examples(drawn, data.spec, ("train", "test"), place)
            labelled = fully_labelled(drawn, data.spec.heads)
            if not (labelled & (drawn["split"] == "test")).any():
                raise UserError(f"{place}: no test segment has all labels; take another seed, or take unlabelled out")
            trials += [Trial(name, dict(model), split) for name, model in settings.models.items()]
    return trials


def split_rows(data: Prepared, split: SplitSettings) -> pd.DataFrame:
    """One row per segment, split anew. Synthetic voices that train along have no part in it: nothing of them tests."""
    table = data.features.table
    if "synthetic" in table.columns:
        table = table[table["synthetic"] == ""]
    # Segments of one recording share a line of the manifest, and so a number in the table's index.
    return assign_splits(table.reset_index(drop=True), split, str(data.manifest.path))


def run_split_effect(
    settings: SplitEffectSettings, data: Prepared, shares: SplitSettings, fit_settings: FitSettings, home: Path
) -> tuple[list[TrialResult], Path]:
    """All results in the order of the plan, and the folder below `home` that keeps them."""
    trials = plan(settings, data, shares)
    recipe = Recipe(data, replace(fit_settings, progress=False, loggers=()), ())
    table = data.features.table
    pieces = table["recording"].tolist() if "recording" in table.columns else []
    value = fingerprint(version=VERSION, recipe=recipe_fingerprint(recipe), recordings=pieces)
    folder = home / f"split_effect-{value}"
    results = run_stored(trials, run_trial, recipe, folder, settings.jobs, kind=TrialResult, line=_line)
    return results, folder


def _line(result: TrialResult) -> str:
    return (
        f"{result.model}, {result.method}, seed {result.seed}: {result.accuracy:.3f} on "
        f"{result.sides['test']['segments']} test segments; {result.epochs} epochs, {result.cpu_s:.0f} CPU seconds"
    )


def run_trial(trial: Trial, recipe: Recipe, scratch: Path) -> TrialResult:
    """Train and test; the checkpoints are gone afterwards."""
    spec = recipe.data.spec
    table = split_rows(recipe.data, trial.split)
    settings = replace(recipe.settings, model=trial.settings, seed=trial.split.seed)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        fitted = fit(table, spec, settings, Path(folder))
    test = table[table["split"] == "test"]
    truth, guess = hear_segments(fitted, test, spec, settings.loader.batch_size)
    metrics = score(truth, guess, {head.name: head.classes for head in spec.heads})
    balanced = [head["balanced_accuracy"] for head in metrics["heads"].values()]
    return TrialResult(
        fingerprint=trial.fingerprint,
        model=trial.model,
        method=trial.split.method,
        seed=trial.split.seed,
        split=describe_split(table, named=False),
        leaking_speakers=len(leaking_speakers(table)),
        leaking_recordings=len(leaking_recordings(table)),
        sides={str(side): _sizes(part) for side, part in table.groupby("split")},
        accuracy=metrics["joint_accuracy"],
        balanced_accuracy=float(np.mean(balanced)),
        epochs=fitted.epochs,
        cpu_s=round(fitted.cpu_s, 1),
        parameters=fitted.parameters,
    )


def hear_segments(
    fitted: Fitted, table: pd.DataFrame, spec: TaskSpec, batch_size: int
) -> tuple[dict[str, Indices], dict[str, Indices]]:
    """Class indices by head: labels (-1 where there is none) and answers, segment by segment."""
    segments = UtteranceDataset(table, spec)
    loader = DataLoader(segments, batch_size, collate_fn=segments.collate)
    with torch.inference_mode():
        logits = [fitted.recogniser(batch.features, batch.lengths) for batch in loader]
    guess = {
        head.name: decide(head, torch.cat([batch[head.name] for batch in logits]).softmax(dim=1).numpy())
        for head in spec.heads
    }
    return {head.name: segments.labels[:, number] for number, head in enumerate(spec.heads)}, guess


def _sizes(part: pd.DataFrame) -> dict[str, int]:
    known = {"recordings": "recording", "speakers": "speaker"}
    counts = {name: len(set(part[column]) - {""}) for name, column in known.items() if column in part.columns}
    return {"segments": len(part), **counts}
