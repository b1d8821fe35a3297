"""One real fit in two processes: what each was trained on, and that its validation is what one process would find."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch

from slu.corpus.manifest import read_manifest
from slu.features import build_front_end
from slu.features.augment import AugmentSettings
from slu.spec import TaskSpec
from slu.training.classifier import OBJECTIVE, LossSettings, UtteranceClassifier
from slu.training.datamodule import LoaderSettings, UtteranceDataModule
from slu.training.fit import FitSettings, Fitted
from slu.training.preprocessing import preprocess
from slu.training.ranks import Ranks, run_ranks
from slu.training.schedule import constant
from tests.training.rank_tasks import fit_and_note
from tests.training.test_fit import GRU, HEADS

SPEC = TaskSpec("tones", HEADS, {"name": "logmel", "n_mels": 20})


class Run(NamedTuple):
    table: pd.DataFrame
    settings: FitSettings
    fitted: Fitted
    notes: Path


@pytest.fixture(scope="module")
def run(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Few training clips have a length, so that some shares of a batch have none; 15 clips validate in batches of 14:
    of the last one, the second process gets nothing."""
    folder = tmp_path_factory.mktemp("two")
    table = preprocess(read_manifest(tones, HEADS), SPEC, folder).table
    table = table.drop(index=table.index[table["split"] == "val"][0]).reset_index(drop=True)
    few = (table["split"] == "train") & (np.arange(len(table)) % 20 > 3)
    table.loc[few, "length"] = ""
    settings = FitSettings(
        model=GRU,
        loss=LossSettings(ema_decay=0.5),
        loader=LoaderSettings(batch_size=14),
        augment=AugmentSettings(),
        optimizer=partial(torch.optim.Adam, lr=5e-3),
        scheduler=constant,
        trainer={"max_epochs": 2, "accelerator": "cpu", "devices": 2},
        patience=0,
        seed=0,
        progress=False,
    )
    (fitted, spent_s), (nothing, _) = run_ranks(
        Ranks(2), fit_and_note, folder, table, SPEC, settings, folder, None, Ranks(2)
    )
    assert nothing is None, "only the first has something to tell"
    assert spent_s == fitted.cpu_s > 0
    return Run(table, settings, fitted, folder)


def heard(run: Run, process: str) -> list[list[int]]:
    return [json.loads(line) for line in (run.notes / process).read_text().splitlines()]


def test_processes_train_on_different_clips_which_together_are_the_batches_of_one(run: Run) -> None:
    first, second = heard(run, "0"), heard(run, "1")
    assert [len(batch) for batch in first] == [len(batch) for batch in second] == [7] * 8  # 4 batches, twice
    for epoch in (0, 4):
        rows = [row for side in (first, second) for batch in side[epoch : epoch + 4] for row in batch]
        assert len(set(rows)) == len(rows) == 56, "of 64 clips, in batches of 14"
    alone = replace(run.settings, trainer={**run.settings.trainer, "devices": 1})
    fit_and_note(run.notes, run.table, SPEC, alone, run.notes / "whole", None, Ranks())
    whole = heard(run, "alone")
    assert [sorted(a + b) for a, b in zip(first, second, strict=True)] == [sorted(batch) for batch in whole]


def test_validation_is_what_one_process_finds(run: Run) -> None:
    data = UtteranceDataModule(
        run.table, SPEC, loader=run.settings.loader, augment=AugmentSettings(),
        front_end=build_front_end(SPEC.front_end), seed=0,
    )  # fmt: skip
    classifier = UtteranceClassifier(
        run.settings.model, SPEC, 20, run.settings.loss, run.settings.optimizer, run.settings.scheduler
    )
    classifier.load_state_dict(torch.load(run.fitted.checkpoint, weights_only=True)["state_dict"])
    trainer = L.Trainer(
        accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.validate(classifier, data, verbose=False)
    alone = {name: float(value) for name, value in trainer.callback_metrics.items()}
    assert set(alone) == set(run.fitted.validation)
    counted = {name for name in alone if not name.endswith("loss")}
    assert {n: alone[n] for n in counted} == {n: run.fitted.validation[n] for n in counted}
    assert run.fitted.objective == run.fitted.validation[OBJECTIVE]
    for name in ("val/clean/loss", "val/noisy/loss"):
        assert alone[name] == pytest.approx(run.fitted.validation[name], rel=1e-5)


def test_the_averaged_weights_come_back(run: Run) -> None:
    saved = torch.load(run.fitted.checkpoint, weights_only=True)["state_dict"]
    for name, value in run.fitted.recogniser.state_dict().items():
        assert torch.equal(value, saved[f"average.module.{name}"]), name
    assert not torch.equal(saved["average.module.encoder.dense.weight"], saved["network.encoder.dense.weight"])
