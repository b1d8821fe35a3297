"""Fits are stored one by one; what is stored is not made again, unless something that matters changed."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slu.corpus.manifest import Manifest, read_manifest
from slu.features.augment import AugmentSettings
from slu.spec import Head, TaskSpec
from slu.studies import fits as module
from slu.studies.fits import Fit, FitResult, Recipe, run_fit, run_fits
from slu.studies.learning_curve import LearningCurveSettings, plan, recipe_fingerprint
from slu.training.preprocessing import preprocess
from slu.training.stages import Prepared
from tests.studies.helpers import M1, M2, fit_settings
from tests.training.test_preprocessing import LOGMEL

SPEC = TaskSpec("tones", (Head("pitch", ("high", "low")), Head("length", ("long", "short"))), LOGMEL)
SETTINGS = LearningCurveSettings("tiny", "Which?", {"m1": M1, "m2": M2}, (0.5, 1.0), (0,), 1)


@pytest.fixture
def data(tones: Path, tmp_path: Path) -> Prepared:
    features = preprocess(read_manifest(tones, SPEC.heads), SPEC, tmp_path / "out")
    return Prepared(Manifest(tones, features.table), SPEC, features)


@pytest.fixture
def recipe(data: Prepared) -> Recipe:
    return Recipe(data, fit_settings(), (10.0,))


class Counted:
    """Stands for a fit; the one with this number is killed."""

    def __init__(self, kill_at: int = -1) -> None:
        self.kill_at, self.made = kill_at, list[str]()

    def __call__(self, fit: Fit, recipe: Recipe, scratch: Path) -> FitResult:
        if len(self.made) == self.kill_at:
            raise KeyboardInterrupt
        self.made.append(fit.file_name)
        marks = {"clean": "10", "10 dB": "01"}
        return FitResult(
            fit.fingerprint, fit.model, fit.share, fit.seed, len(fit.voices), 9, 1, 0.1, 5, ("a", "b"), marks
        )


def test_a_killed_study_goes_on_with_the_missing_fits(
    data: Prepared, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fits, folder = plan(SETTINGS, data), tmp_path / "study"
    first, second = Counted(kill_at=3), Counted()
    monkeypatch.setattr(module, "run_fit", first)
    with pytest.raises(KeyboardInterrupt):
        run_fits(fits, recipe, folder, 1)
    assert sorted(path.name for path in folder.iterdir()) == sorted(first.made), "neither checkpoints nor half a file"
    assert len(first.made) == 3
    monkeypatch.setattr(module, "run_fit", second)
    results = run_fits(fits, recipe, folder, 1)
    assert second.made == [fits[3].file_name]
    assert [(r.model, r.share, r.seed) for r in results] == [(f.model, f.share, f.seed) for f in fits]
    printed = capsys.readouterr().out
    assert "study: 4 fits in" in printed
    assert "3 of them done before" in printed
    assert "fit 4 of 4: m2, 4 voices (100%), seed 0: clean 0.500, 10 dB 0.500; 1 epochs, 0 CPU seconds" in printed


def test_a_model_with_other_settings_and_a_damaged_file_are_made_again(
    data: Prepared, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = plan(SETTINGS, data)
    monkeypatch.setattr(module, "run_fit", Counted())
    run_fits(fits, recipe, tmp_path / "study", 1)
    (tmp_path / "study" / fits[0].file_name).write_text('{"model": "m1"')
    again = Counted()
    monkeypatch.setattr(module, "run_fit", again)
    changed = plan(replace(SETTINGS, models={"m1": M1, "m2": {**M2, "layers": 2}}), data)
    run_fits(changed, recipe, tmp_path / "study", 1)
    assert again.made == [fits[0].file_name, fits[1].file_name, fits[3].file_name]


def test_a_study_has_a_folder_of_its_own_for_all_that_matters(data: Prepared, recipe: Recipe) -> None:
    here = recipe_fingerprint(recipe)
    assert recipe_fingerprint(Recipe(data, fit_settings(model=M2, seed=4), (10.0,))) == here, "named in each result"
    swapped = data.features.table.assign(speaker=data.features.table["speaker"].replace({"s0": "s1", "s1": "s0"}))
    others = [
        Recipe(data, fit_settings(augment=AugmentSettings(noise_prob=0.5)), (10.0,)),
        Recipe(data, fit_settings(optimizer=recipe.settings.optimizer.func), (10.0,)),  # type: ignore[attr-defined]
        Recipe(data, fit_settings(patience=1), (10.0,)),
        Recipe(data, fit_settings(trainer={**recipe.settings.trainer, "max_epochs": 2}), (10.0,)),
        Recipe(data, fit_settings(), (5.0,)),
        Recipe(replace(data, features=replace(data.features, table=swapped)), fit_settings(), (10.0,)),
    ]
    assert len({here, *map(recipe_fingerprint, others)}) == len(others) + 1


def test_a_real_fit_is_tested_clip_by_clip_and_leaves_no_checkpoint(
    data: Prepared, recipe: Recipe, tmp_path: Path
) -> None:
    (tmp_path / "scratch").mkdir()
    fit = plan(SETTINGS, data)[0]
    result = run_fit(fit, recipe, tmp_path / "scratch")
    assert (result.voices, result.clips, result.epochs) == (2, 32, 1)
    assert list(result.right) == ["clean", "10 dB"]
    assert result.speakers == ("s5",) * 16
    assert {len(marks) for marks in result.right.values()} == {16}
    assert result.accuracy("clean") == np.mean([mark == "1" for mark in result.right["clean"]])
    assert not list((tmp_path / "scratch").iterdir())
    restored = json.loads(json.dumps(asdict(result)))
    assert restored["right"] == result.right
    assert pd.Series(result.flags("clean")).isin([0.0, 1.0]).all()
