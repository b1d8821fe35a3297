"""A search of real trials: killed, taken up again, and its winner tested once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from slu.common.errors import UserError
from slu.studies.search import best_settings, claim, take_up
from tests.conftest import ROOT
from tests.test_train_command import tones_task

MAXIMIZE = ["maximize"]


def command(tones: Path, folder: Path, *more: str) -> list[str]:
    quick = (
        "trainer.max_epochs=1", "noise_test_snr_db=[]", f"outputs={folder / 'out'}", "hydra.sweeper.n_trials=4",
        "hydra.sweeper.sampler.n_startup_trials=2",
    )  # fmt: skip
    return [sys.executable, "-m", "slu.train", "search=orders_m1", *tones_task(tones), *quick, *more]


def trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    path = folder / "out" / "studies" / "search" / "orders_m1.sqlite"
    return optuna.load_study(study_name="orders_m1", storage=f"sqlite:///{path}").get_trials()


def test_killed_and_started_again_it_comes_to_its_total_and_tests_the_winner(tones: Path, tmp_path: Path) -> None:
    options = {"cwd": tmp_path, "env": {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, "text": True}
    first = subprocess.Popen(command(tones, tmp_path), stdout=subprocess.PIPE, **options)  # type: ignore[call-overload]
    assert first.stdout is not None
    begun = (line for line in first.stdout if line.startswith("run: "))
    next(begun), next(begun)  # into its second trial
    first.send_signal(signal.SIGKILL)
    first.wait()
    (done, cut) = trials(tmp_path)
    assert (done.state, cut.state) == (TrialState.COMPLETE, TrialState.RUNNING)

    second = subprocess.run(command(tones, tmp_path), capture_output=True, check=False, **options)  # type: ignore[call-overload]
    assert second.returncode == 0, second.stderr
    assert "1 of 4 trials are there, 0 of them failed; 1 that were cut short are tried again first" in second.stdout
    whole = [trial for trial in trials(tmp_path) if trial.state is TrialState.COMPLETE]
    assert len(whole) == 4
    assert whole[1].params == cut.params, "nothing that was begun is lost"
    assert len({trial.params["optimizer.lr"] for trial in whole}) == 4, "and nothing is tried twice"
    best = max(whole, key=lambda trial: trial.value or 0.0)
    assert f"best of 4 trials by validation, {best.value:.4f}" in second.stdout
    (version,) = (
        path for path in (tmp_path / "out" / "registry" / "tones").iterdir() if not path.is_symlink() and path.is_dir()
    )
    assert str(best.params["optimizer.lr"]) in (version / "config.yaml").read_text(), "the winner alone is registered"


def test_a_trial_of_a_live_process_is_left_and_one_of_a_dead_process_is_tried_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'study.sqlite'}"
    assert take_up(url, "s", MAXIMIZE).done == 0
    study = optuna.load_study(study_name="s", storage=url)
    mine, orphan, failed = study.ask(), study.ask(), study.ask()
    for trial in (mine, orphan, failed):
        trial.suggest_float("x", 0, 1)
        claim(None, trial)
    orphan.set_user_attr("process", mine.user_attrs["process"].rpartition(":")[0] + ":1")
    study.tell(failed, state=TrialState.FAIL)
    state = take_up(url, "s", MAXIMIZE)
    assert (state.done, state.failed, state.again, state.seen) == (1, 1, 1, 3)
    again = study.ask()
    assert again.suggest_float("x", 0, 1) == orphan.params["x"]
    assert best_settings(url, "s") is None
    study.tell(again, 0.5)
    assert best_settings(url, "s") == (again.params, 0.5)
    assert take_up(url, "s", MAXIMIZE).done == 2


def test_another_space_under_the_same_name_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.sqlite'}"
    take_up(url, "s", MAXIMIZE)
    optuna.load_study(study_name="s", storage=url).ask().suggest_categorical("x", [1, 2])
    assert take_up(url, "s", MAXIMIZE, {"x": CategoricalDistribution([1, 2])}).seen == 1
    with pytest.raises(UserError, match="x is searched elsewhere in the study s"):
        take_up(url, "s", MAXIMIZE, {"x": CategoricalDistribution([1, 2, 3])})


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_storage_that_cannot_be_used_is_named(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "study"
    url = f"{kind}:///{file}"
    assert take_up(url, "s", MAXIMIZE).done == 0
    with pytest.raises(UserError, match="has other objectives"):
        take_up(url, "s", ["minimize", "maximize"])
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match=f"hydra.sweeper.storage={kind}"):
        take_up(url, "s", MAXIMIZE)
