"""Trainings in processes of their own, by joblib, submitit and Ray: refused, killed, interrupted."""

import importlib.util
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from slu.common import launchers
from slu.common.errors import UserError
from slu.common.launchers import require_launcher
from slu.search.jobs import JobFailed, JobLost, Jobs, as_job, keep_submitit
from tests.conftest import ROOT
from tests.test_search_command import STUDY, command, options
from tests.test_train_command import tones_task, train

NO_RAY = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="ray is not installed")
ENGINES = ["joblib", "submitit_local", pytest.param("ray", marks=[pytest.mark.slow, NO_RAY])]

WORKER = {"joblib": "popen_loky_posix", "submitit_local": "submitit.core._submit", "ray": "ray::_run_job"}


def processes(mark: Path) -> dict[int, str]:
    """Those that descend from what was started with this mark: their command lines by number."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"SLU_TEST={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has just ended
            continue
    return found


def until(happens: Callable[[], bool], timeout_s: float = 600) -> None:
    end = time.monotonic() + timeout_s
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.1)


def jobs_of(engine: str, folder: Path, wrap: Callable[[TaskFunction], TaskFunction] = lambda train: train) -> Jobs:
    """The launcher as Hydra makes it, with a training that takes no time and ends as `seed` says."""
    killed = folder / "killed"

    def train(config: DictConfig) -> Any:
        if config.seed == 1:
            raise UserError("it cannot be trained so")
        if config.seed == 2 or (config.seed == 3 and not killed.exists()):
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"seed": config.seed, "process": os.getpid(), "threads": os.environ.get("OMP_NUM_THREADS")}

    given = [f"hydra/launcher={engine}", "hydra/hydra_logging=disabled", f"outputs={folder}"]
    keep_submitit(engine)
    with initialize_config_dir(str(ROOT / "conf"), job_name="train", version_base="1.3"):
        config = compose("train", given, return_hydra_config=True)
        context = HydraContext(config_loader=GlobalHydra.instance().config_loader(), callbacks=Callbacks())
        launcher = Plugins.instance().instantiate_launcher(context, wrap(train), config)
    return Jobs(launcher, Path(str(config.hydra.sweep.dir)))


def tried(jobs: Jobs, folder: Path, seeds: Sequence[int]) -> list[Any]:
    return jobs.results([[f"outputs={folder}", f"seed={seed}"] for seed in seeds])


def test_a_launcher_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    require_launcher(None)
    require_launcher("basic")
    monkeypatch.setattr(launchers, "installed_plugins", lambda: {"hydra_joblib_launcher", "hydra_optuna_sweeper"})
    require_launcher("joblib")
    for name, said in {
        "slurm": "pip install hydra-submitit-launcher",
        "submitit_local": "pip install hydra-submitit-launcher",
        "ray": "pip install ray && pip install --no-deps hydra-ray-launcher",
        "nothing": "there is no such launcher; take basic (one after the other), joblib, ray, slurm",
    }.items():
        with pytest.raises(UserError, match=re.escape(said)):
            require_launcher(name)
    monkeypatch.setattr(launchers, "installed_plugins", lambda: {"hydra_submitit_launcher"})
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="this machine has no srun"):
        require_launcher("slurm")
    monkeypatch.setattr(launchers, "installed_plugins", lambda: {"hydra_rq_launcher"})
    require_launcher("rq")  # Hydra knows it


def test_no_grid_begins_without_its_launcher(
    run_here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launchers, "installed_plugins", lambda: set())
    result = run_here("train", "-m", "seed=1,2", "hydra/launcher=joblib")
    assert result.returncode == 2
    assert result.stderr == (
        "error: hydra/launcher=joblib comes with a package that is not installed: pip install hydra-joblib-launcher\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_slurm_is_given_more_than_an_hour() -> None:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        launcher = compose("train", ["hydra/launcher=slurm"], return_hydra_config=True).hydra.launcher
    assert launcher._target_.endswith("SlurmLauncher")
    assert (launcher.timeout_min, launcher.max_num_timeout) == (1440, 0)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_job_comes_again_and_costs_no_other_its_result(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = jobs_of(engine, tmp_path)
    good, killed = tried(jobs, tmp_path, [7, 3])
    assert (good["seed"], killed["seed"]) == (7, 3)
    assert len({good["process"], killed["process"], os.getpid()}) == 3
    assert engine == "ray" or "the process of a training was lost" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_job_that_is_refused_or_always_dies_says_so(engine: str, tmp_path: Path) -> None:
    good, refused, hopeless = tried(jobs_of(engine, tmp_path, as_job), tmp_path, [7, 1, 2])
    assert good["seed"] == 7
    assert isinstance(refused, JobFailed)
    assert str(refused) == "it cannot be trained so"
    assert isinstance(hopeless, JobLost)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_search_whose_jobs_are_killed_and_that_is_interrupted_comes_to_its_total(
    engine: str, tones: Path, tmp_path: Path
) -> None:
    """Ctrl-C reaches the whole process group, as on a terminal, and nothing may be left running."""
    storage = f"hydra.sweeper.storage=journal:///{tmp_path / 'study.journal'}" if engine == "joblib" else "seed=0"
    usual = [*command(tones, tmp_path, f"hydra/launcher={engine}", "hydra.sweeper.n_jobs=2", storage), "workers=1"]
    mark = {**options(tmp_path)["env"], "SLU_TEST": str(tmp_path)}
    first = subprocess.Popen(
        [*usual, "trainer.max_epochs=60", "patience=0", "pruner=none"],
        cwd=tmp_path, env=mark, stdout=(tmp_path / "out.txt").open("w"), stderr=subprocess.STDOUT,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    begun = "out/runs/train/*/*/checkpoints/last.ckpt"
    until(lambda: len(list(tmp_path.glob(begun))) == 2)
    killed = [pid for pid, line in processes(tmp_path).items() if WORKER[engine] in line]
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    if engine != "ray":  # which starts them again itself
        until(lambda: "tried again, one by one" in (tmp_path / "out.txt").read_text())
        until(lambda: len(list(tmp_path.glob(begun))) == 3)
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(timeout=120) == 130
    until(lambda: not processes(tmp_path), 60)
    said = (tmp_path / "out.txt").read_text()
    assert "stopped; finished stages and checkpoints are kept" in said

    second = subprocess.run(usual, cwd=tmp_path, env=mark, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert list(pd.read_csv(tmp_path / "out" / STUDY / "trials.csv")["state"]) == ["complete"] * 4
    assert "Traceback" not in second.stderr
    assert not processes(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_grid_goes_on_where_one_training_is_refused(engine: str, tones: Path, tmp_path: Path) -> None:
    settings = [*tones_task(tones), "trainer.max_epochs=1", "noise_test_snr_db=[]", "workers=1"]
    result = train(tmp_path, *settings, "-m", "model.attention_heads=5,2", f"hydra/launcher={engine}")
    assert result.returncode == 1
    assert "attention_heads=5" in result.stderr
    assert "Traceback" not in result.stderr
    assert (tmp_path / "outputs/registry/tones/latest").is_dir(), "of the one that can be"
