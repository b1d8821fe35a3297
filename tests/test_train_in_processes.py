"""`trainer=ddp` as a user starts it: one run and one version come of two processes, and what it cannot be part of."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.test_train_command import only, tones_task

Printed = Callable[..., tuple[int, str]]


@pytest.mark.slow
def test_two_processes_make_one_run_and_one_version(tones: Path, tmp_path: Path, printed: Printed) -> None:
    settings = [*tones_task(tones), "trainer=ddp", "trainer.max_epochs=2"]
    code, said = printed("train", *settings)
    assert code == 0, said
    assert said.count("features: 96 clips, 96 computed now") == said.count("latest ") == 1
    run = only(tmp_path, "out/runs/train/*")
    assert sorted(path.name for path in run.glob("checkpoints/*")) == ["best.ckpt", "last.ckpt"]
    version = only(tmp_path, "out/registry/tones/2*")
    metrics = json.loads((version / "metrics.json").read_text())
    assert metrics["objective"] == metrics["validation"]["val/objective"]
    assert metrics["test"]["clean"]["n"] == 16
    log = pd.read_csv(run / "csv/metrics.csv")
    assert log["train/loss"].notna().sum() == log["val/objective"].notna().sum() == 2, "one process writes"
    assert int(log["step"].max()) == 2 * 4 - 1, "64 clips make four batches of 16, for two processes as for one"


def test_one_process_is_a_number_of_processes_too(tones: Path, tmp_path: Path, printed: Printed) -> None:
    code, said = printed("train", *tones_task(tones), "trainer=ddp", "trainer.devices=1", "trainer.max_epochs=1")
    assert code == 0, said
    assert only(tmp_path, "out/registry/tones/2*").is_dir()


@pytest.mark.parametrize(
    "settings",
    [
        ("-m", "trainer=ddp", "seed=1,2"),
        ("trainer=cpu,ddp", "-m"),
        ("-m", "trainer.devices=1,2"),
        ("trainer=ddp", "search=orders_m1"),
        ("trainer=ddp", "cross_validation=leave_one_speaker_out"),
    ],
)
def test_many_trainings_are_of_one_process_each(
    settings: tuple[str, ...], tones: Path, tmp_path: Path, printed: Printed
) -> None:
    code, said = printed("train", *tones_task(tones), *settings)
    assert code == 2
    assert said.startswith("error: a sweep, a search, a cross-validation or a study makes several trainings")
    assert not list(tmp_path.glob("out/features"))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("loader.batch_size=15", "loader.batch_size=15 must be a multiple of the 2 processes"),
        ("trainer.devices=20", "20 processes cannot share 16 val clips"),
    ],
)
def test_what_processes_cannot_share_is_refused(setting: str, message: str, tones: Path, printed: Printed) -> None:
    code, said = printed("train", *tones_task(tones), "trainer=ddp", "loader.batch_size=20", setting)
    assert code == 2
    assert message in said
