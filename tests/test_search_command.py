"""A search of real trials: killed, taken up again, shared, and its winner tested."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.search import search
from slu.studies.trials import counted
from tests.conftest import ROOT
from tests.test_train_command import tones_task

STUDY = "studies/search/orders_m1"


def command(tones: Path, folder: Path, *more: str) -> list[str]:
    quick = (
        "trainer.max_epochs=1", "noise_test_snr_db=[]", f"outputs={folder / 'out'}", "hydra.sweeper.n_trials=4",
        "hydra.sweeper.sampler.n_startup_trials=2", "compare_seeds=[]",
    )  # fmt: skip
    return [sys.executable, "-m", "slu.train", "-m", "search=orders_m1", *tones_task(tones), *quick, *more]


def options(folder: Path) -> dict[str, Any]:
    return {"cwd": folder, "env": {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, "text": True}


def study_of(folder: Path, url: str | None = None) -> optuna.Study:
    return optuna.load_study(study_name="orders_m1", storage=url or f"sqlite:///{folder / 'out' / STUDY}.sqlite")


def test_killed_and_started_again_it_comes_to_its_total_and_tests_the_winner(tones: Path, tmp_path: Path) -> None:
    first = subprocess.Popen(command(tones, tmp_path), stdout=subprocess.PIPE, **options(tmp_path))
    assert first.stdout is not None
    begun = (line for line in first.stdout if line.startswith("run: "))
    next(begun), next(begun)  # into its second trial
    first.send_signal(signal.SIGKILL)
    first.wait()
    (done, cut) = study_of(tmp_path).get_trials()
    assert (done.state, cut.state) == (TrialState.COMPLETE, TrialState.RUNNING)

    second = subprocess.run(command(tones, tmp_path), capture_output=True, check=False, **options(tmp_path))
    assert second.returncode == 0, second.stderr
    assert "1 of 4 trials are there, 0 failed" in second.stdout
    whole = [trial for trial in counted(study_of(tmp_path)) if trial.state is TrialState.COMPLETE]
    assert len(whole) == 4
    assert whole[1].params == cut.params, "nothing that was begun is lost"
    assert len({trial.params["optimizer.lr"] for trial in whole}) == 4, "and nothing is tried twice"
    best = max(whole, key=lambda trial: trial.value or 0.0)
    assert f"best of 4 trials by validation: trial {best.number} with {best.value:.4f}" in second.stdout
    (version,) = (
        path for path in (tmp_path / "out" / "registry" / "tones").iterdir() if not path.is_symlink() and path.is_dir()
    )
    assert str(best.params["optimizer.lr"]) in (version / "config.yaml").read_text(), "the winner alone is registered"

    folder = tmp_path / "out" / STUDY
    assert len(pd.read_csv(folder / "trials.csv")) == 4
    for name in ("history", "epochs", "parallel", "slice"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "plotly" in (folder / f"{name}.html").read_text()
    assert "part of it is luck" in (folder / "report.html").read_text()

    third = subprocess.run(
        command(tones, tmp_path, "optimizer.lr=interval(0.1,0.2)"),
        capture_output=True,
        check=False,
        **options(tmp_path),
    )
    assert third.returncode == 2
    assert "optimizer.lr was searched otherwise in the study orders_m1" in third.stderr
    assert "Traceback" not in third.stderr


@pytest.mark.slow
def test_two_processes_share_a_search_and_one_of_them_trains_the_winner_by_seeds(tones: Path, tmp_path: Path) -> None:
    journal = f"journal:///{tmp_path / 'study.journal'}"
    shared = command(tones, tmp_path, f"hydra.sweeper.storage={journal}", "+trainer.limit_train_batches=1")
    shared[-3] = "compare_seeds=[3]"
    two = [subprocess.Popen(shared, stdout=subprocess.PIPE, **options(tmp_path)) for _ in range(2)]
    try:
        said = [each.communicate(timeout=580)[0] for each in two]
    finally:
        for each in two:
            each.kill()
    assert [each.returncode for each in two] == [0, 0]
    folder = tmp_path / "out" / STUDY
    trials = pd.read_csv(folder / "trials.csv")
    assert list(trials["state"]) == ["complete"] * 4
    assert trials["optimizer.lr"].is_unique
    finished = [text for text in said if "winner against the settings it started from" in text]
    assert len(finished) == 1
    assert sum("the last of them trains the winner" in text for text in said) == 1
    compared = read_json(folder / "study.json")["comparison"]
    assert [row["measure"] for row in compared] == ["validation objective", "test, clean"]
    assert all(row["difference"] == pytest.approx(row["winner"] - row["start"]) for row in compared)
    assert "as it started" in (folder / "report.html").read_text()


@pytest.mark.slow
def test_a_trial_that_fails_ends_nothing_and_is_kept_with_its_reason(tones: Path, tmp_path: Path) -> None:
    usual = [a for a in command(tones, tmp_path) if not a.startswith("loader.batch_size")]
    told = ("hydra.sweeper.n_trials=3", "loader.batch_size=choice(8,0)", "hydra.sweeper.sampler.seed=1")
    done = subprocess.run([*usual, *told], capture_output=True, check=False, **options(tmp_path))
    assert done.returncode == 0, done.stderr
    trials = pd.read_csv(tmp_path / "out" / STUDY / "trials.csv")
    assert sorted(trials["state"].unique()) == ["complete", "fail"]
    failed = trials[trials["state"] == "fail"]
    assert set(failed["loader.batch_size"]) == {0}
    assert "loader.batch_size" in failed["error"].iloc[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("optimizer.rate=interval(1,2)", "optimizer.rate"),
        ("hydra/sweeper/sampler=grid", "a grid is no search"),
        ("objectives=[val/a,val/b]", "1 directions for 2 objectives"),
        ("hydra.sweeper.direction=[maximize,maximize]", "2 directions for 1 objectives"),
        ("hydra/launcher=nothing", "hydra/launcher=nothing: there is no such launcher; take basic"),
        ("hydra.sweeper.storage=sqlite:////proc/no/study", "hydra.sweeper.storage=sqlite:////proc/no/study"),
    ],
)
def test_a_search_that_cannot_be_says_why(tones: Path, tmp_path: Path, given: str, said: str) -> None:
    def run(arguments: Sequence[str]) -> None:
        raise AssertionError(f"begun: {arguments}")

    with pytest.raises(UserError, match=re.escape(said)):
        search([*command(tones, tmp_path)[3:], given], run)
