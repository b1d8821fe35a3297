"""One fit: what is refused before it starts, what validation logs, and that schedules survive a resumption."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from slu.common.errors import UserError
from slu.corpus.manifest import read_manifest
from slu.features.augment import AugmentSettings
from slu.spec import Head, TaskSpec
from slu.training.classifier import OBJECTIVE, LossSettings
from slu.training.datamodule import LoaderSettings
from slu.training.fit import FitSettings, Fitted, fit
from slu.training.preprocessing import preprocess
from slu.training.schedule import constant, cosine_with_warmup, plateau

HEADS = (Head("pitch", ("high", "low")), Head("length", ("long", "short")))
MFCC = {"name": "mfcc", "n_mels": 40, "n_fft": 512, "hop_length": 256}
SPEC = TaskSpec("tones", HEADS, MFCC)
GRU = {"_target_": "slu.models.recurrent.Recurrent", "cell": "gru", "hidden": 8, "dense": 8, "normalise": "none"}
SETTINGS = FitSettings(
    model=GRU,
    loss=LossSettings(),
    loader=LoaderSettings(batch_size=16, validation_snr_db=None),
    augment=AugmentSettings(),
    optimizer=partial(torch.optim.Adam, lr=5e-3),
    scheduler=partial(plateau, patience=0),
    trainer={"max_epochs": 4, "accelerator": "cpu", "devices": 1},
    patience=0,
    seed=0,
    progress=False,
)


@pytest.fixture(scope="module")
def table(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return preprocess(read_manifest(tones, HEADS), SPEC, tmp_path_factory.mktemp("features")).table


def epochs(count: int) -> FitSettings:
    return replace(SETTINGS, trainer={**SETTINGS.trainer, "max_epochs": count})


@pytest.fixture(scope="module")
def fitted(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return fit(table, SPEC, epochs(5), tmp_path_factory.mktemp("whole"))


def test_validation_logs_precision_and_recall_of_every_head_on_clean_clips_only(fitted: Fitted) -> None:
    metrics = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
    expected = {f"val/clean/{head.name}_{metric}" for head in HEADS for metric in metrics}
    expected |= {f"val/{head.name}_macro_f1" for head in HEADS}  # over clean and noise, for searches
    assert set(fitted.validation) == expected | {"val/clean/loss", "val/clean/joint_accuracy", OBJECTIVE}
    f1 = [fitted.validation[f"val/clean/{head.name}_macro_f1"] for head in HEADS]
    assert fitted.objective == pytest.approx(sum(f1) / 2)


def test_a_training_that_diverges_ends_in_a_sentence(table: pd.DataFrame, tmp_path: Path) -> None:
    diverging = replace(epochs(2), optimizer=partial(torch.optim.SGD, lr=1e30), scheduler=constant)
    with pytest.raises(UserError, match=r"the loss of epoch \d is no number any more.*smaller optimizer\.lr"):
        fit(table, SPEC, diverging, tmp_path)


@pytest.mark.parametrize("wrong", [{"warmup": 7.0}, {"floor": -1.0}, {"floor": float("nan")}])
def test_shares_of_a_schedule_are_shares(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="warmup is a share of the steps, and floor one of the peak"):
        cosine_with_warmup(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0), 10, **wrong)


def test_a_noisy_pass_counts_as_much_as_the_clean_one(tones: Path, tmp_path: Path) -> None:
    spec = replace(SPEC, front_end={"name": "logmel", "n_mels": 20})
    features = preprocess(read_manifest(tones, HEADS), spec, tmp_path).table
    noisy = replace(epochs(1), loader=LoaderSettings(batch_size=16))
    values = fit(features, spec, noisy, tmp_path).validation
    f1 = [values[f"val/{way}/{head.name}_macro_f1"] for way in ("clean", "noisy") for head in HEADS]
    assert values[OBJECTIVE] == pytest.approx(sum(f1) / 4)


def test_heads_weigh_in_the_objective_as_they_are_told_to(table: pd.DataFrame, tmp_path: Path) -> None:
    one, other = (head.name for head in HEADS)
    weighted = replace(epochs(1), loss=LossSettings(objective_weights={one: 3.0}))
    values = fit(table, SPEC, weighted, tmp_path).validation
    f1 = {name: values[f"val/{name}_macro_f1"] for name in (one, other)}
    assert values[OBJECTIVE] == pytest.approx((3 * f1[one] + f1[other]) / 4)
    for wrong, said in (({"colour": 1.0}, "there is no such head"), ({one: 0, other: 0}, "one head at least")):
        with pytest.raises(UserError, match=said):
            fit(table, SPEC, replace(epochs(1), loss=LossSettings(objective_weights=wrong)), tmp_path)


def test_a_resumed_plateau_ends_as_a_whole_run(fitted: Fitted, table: pd.DataFrame, tmp_path: Path) -> None:
    fit(table, SPEC, epochs(3), tmp_path)
    last = tmp_path / "checkpoints/last.ckpt"
    resumed = fit(table, SPEC, epochs(5), tmp_path / "resumed", last)

    def state(path: Path) -> tuple[float, dict[str, Any]]:
        values = torch.load(path, weights_only=True)
        return values["optimizer_states"][0]["param_groups"][0]["lr"], values

    whole_lr, whole = state(fitted.checkpoint.parent / "last.ckpt")
    resumed_lr, again = state(tmp_path / "resumed/checkpoints/last.ckpt")
    assert whole_lr == resumed_lr < 5e-3, "the learning rate should have fallen"
    assert whole["lr_schedulers"][0]["last_epoch"] == again["lr_schedulers"][0]["last_epoch"] == 5
    assert resumed.objective == fitted.objective
    for name, weights in whole["state_dict"].items():
        assert torch.equal(weights, again["state_dict"][name]), name


@pytest.mark.parametrize("optimizer", [torch.optim.Rprop, partial(torch.optim.AdamW, weight_decay=0.1)])
def test_vectors_are_not_decayed_where_an_optimizer_decays(
    optimizer: Callable[..., Any], table: pd.DataFrame, tmp_path: Path
) -> None:
    settings = replace(epochs(1), optimizer=partial(optimizer, lr=1e-3), scheduler=constant)
    fit(table, SPEC, settings, tmp_path)
    saved = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)
    matrices, vectors = saved["optimizer_states"][0]["param_groups"]
    assert (matrices.get("weight_decay"), vectors.get("weight_decay")) in ((None, None), (0.1, 0.0))


@pytest.mark.parametrize(
    "changes",
    [{"augment": AugmentSettings(noise_prob=0.5)}, {"loader": LoaderSettings()}],
)
def test_features_that_are_no_powers_are_not_augmented(
    changes: dict[str, Any], table: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"augment=none loader\.validation_snr_db=null"):
        fit(table, SPEC, replace(SETTINGS, **changes), tmp_path)


def test_a_plateau_needs_validation(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no val rows"):
        fit(table[table["split"] != "val"], SPEC, SETTINGS, tmp_path)
