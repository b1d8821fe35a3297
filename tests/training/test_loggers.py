"""Loggers of a run: what is missing or refuses is a sentence, and W&B keeps the runs of a grid apart."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.test_train_command import tones_task


def test_without_wandb_a_sentence_says_how_to_get_it(
    run_here: Callable[..., Any], tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lightning.pytorch.loggers.wandb._WANDB_AVAILABLE", False)
    done = run_here("train", *tones_task(tones), "logger=wandb")
    assert done.returncode == 2
    assert "error: logger=wandb needs wandb: install it with" in done.stderr
    assert not (tmp_path / "outputs/features").exists()


def test_a_logger_with_a_wrong_setting_is_named(run_here: Callable[..., Any], tones: Path) -> None:
    done = run_here("train", *tones_task(tones), "+logger.csv.colour=red")
    assert done.returncode == 2
    assert "error: logger.csv:" in done.stderr
    assert "colour" in done.stderr


def test_wandb_offline_has_a_run_of_its_own_for_each_of_a_grid(
    run_here: Callable[..., Any], tones: Path, tmp_path: Path
) -> None:
    pytest.importorskip("wandb", reason="W&B is not installed")
    more = ("trainer.max_epochs=1", "noise_test_snr_db=[]", "logger=wandb", "logger.wandb.offline=true")
    done = run_here("train", *tones_task(tones), *more, "-m", "seed=1,2")
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("outputs/runs/train/*/[01]/wandb/offline-run-*/*.wandb"))) == 2
    assert "wandb" in sys.modules
