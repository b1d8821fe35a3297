"""Runs in MLflow: a real store, a real server, and one that goes away, refuses or was never there."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from slu.bundles import Predictor, load_bundle
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.training.mlflow_tracker import MlflowTracker
from slu.training.reporting import EpochLines
from tests.bundles.helpers import tiny_bundle
from tests.conftest import ROOT
from tests.test_train_command import tones_task

needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed")
needs_server = pytest.mark.skipif(
    find_spec("mlflow") is None or find_spec("flask_cors") is None, reason="MLflow's server is not installed"
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own server, and no tracker that was reached in another test."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    monkeypatch.setattr(MlflowTracker, "_reached", set())


def tracker(folder: Path) -> MlflowTracker:
    return MlflowTracker(str(folder / "runs" / "train" / "one"), str(folder), "drinks")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def download(model: str, folder: Path) -> Path:
    """From where the environment says."""
    from mlflow.artifacts import download_artifacts

    return Path(download_artifacts(model, dst_path=str(folder)))


@needs_mlflow
def test_every_run_of_a_grid_is_there_and_the_best_bundle_answers_as_before(
    run_here: Callable[..., Any], tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    more = ("trainer.max_epochs=2", "noise_test_snr_db=[]", "logger=[tensorboard,mlflow]")
    done = run_here("train", *tones_task(tones), *more, "-m", "optimizer.lr=1e-6,5e-3")
    assert done.returncode == 0, done.stderr
    uri = f"sqlite:///{tmp_path}/outputs/mlflow/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("tones")
    runs = {run.data.params["optimizer.lr"]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"1e-06", "0.005"}
    for number, run in enumerate((runs["1e-06"], runs["0.005"])):
        folder = next(tmp_path.glob(f"outputs/runs/train/*/{number}"))
        assert run.info.run_name == f"{folder.parent.name}/{number}"
        assert (run.info.status, run.data.params["model.channels"]) == ("FINISHED", "[16, 24]")
        metrics = read_json(folder / "metrics.json")
        assert run.data.metrics["best/objective"] == pytest.approx(metrics["objective"])
        assert run.data.metrics["test/clean/joint_accuracy"] == metrics["test"]["clean"]["joint_accuracy"]
        assert len(client.get_metric_history(run.info.run_id, "val/objective")) == 2
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert files == {"bundle", "figures", "metrics.json", "model_card.md"}
        figures = {file.path for file in client.list_artifacts(run.info.run_id, "figures/test")}
        assert figures == {"figures/test/pitch.png", "figures/test/length.png"}
        assert (folder / "csv" / "metrics.csv").is_file()
        assert list((folder / "tensorboard").glob("events.*"))

    kept = (tmp_path / "outputs/registry/tones/latest").resolve()
    best = client.get_model_version_by_alias("tones", "best")
    assert best.tags["bundle"] == kept.name
    assert len(client.search_model_versions("name = 'tones'")) == 2
    clip = tones.parent / "audio/005.flac"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    fetched = download("models:/tones@best", tmp_path / "fetched")
    one, two = (Predictor(load_bundle(folder)).predict(clip) for folder in (kept, fetched))
    assert (one.labels, one.scores) == (two.labels, two.scores)


@needs_mlflow
def test_the_alias_moves_as_the_registry_does(tmp_path: Path) -> None:
    runs = [(0.5, "d1"), (0.4, "d1"), (0.1, "d2"), (0.3, "d2")]
    told = []
    for number, (objective, data) in enumerate(runs):
        bundle = tiny_bundle(tmp_path / str(number), seed=number, metrics={"objective": objective, "data": data})
        told.append(tracker(tmp_path / "out").publish(bundle, "drinks"))
    assert [text.partition("; ")[2] for text in told] == [
        "best moved here (the first version)",
        "best stays (validation objective 0.4000 against 0.5000 of version 1)",
        "best moved here (trained on other data than version 1, so their figures cannot be compared)",
        "best moved here (validation objective 0.3000 against 0.1000 of version 3)",
    ]


def test_without_mlflow_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match="logger=mlflow needs MLflow: install it with"):
        tracker(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_training_never_imports_mlflow_unasked() -> None:
    code = "import sys, slu.train; print(sorted({'mlflow', 'wandb'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@needs_mlflow
def test_a_server_that_is_not_there_ends_the_run_before_it_begins(
    run_here: Callable[..., Any], tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{port}")
    done = run_here("train", *tones_task(tones), "logger=mlflow")
    assert done.returncode == 2
    assert f"error: logger=mlflow: MLflow at http://127.0.0.1:{port} does not answer" in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert not (tmp_path / "outputs/features").exists()


@needs_mlflow
def test_wrong_credentials_are_told_from_a_server_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Guarded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(401)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Guarded) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
        with pytest.raises(UserError, match="refuses what MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD say"):
            tracker(tmp_path)
        server.shutdown()
    assert asked == ["Basic bWU6d3Jvbmc="]


class Server:
    """`mlflow server` with its children, which can be held still, so that nobody answers."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'm.db'}"]
        command += ["--artifacts-destination", str(folder / "files"), "--port", self.uri.rpartition(":")[2]]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--workers", "1"],
                cwd=folder, env={**os.environ, **quiet}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5)
                return
            except OSError:
                assert self.process.poll() is None, (folder / "server.log").read_text()
                time.sleep(0.1)
        self.signal(signal.SIGKILL)
        raise TimeoutError((folder / "server.log").read_text())

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.signal(signal.SIGKILL)
    server.process.wait()


@pytest.mark.slow
@needs_server
def test_a_server_that_is_away_for_a_while_gets_everything_in_the_end(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    one = tracker(tmp_path)
    one.log_settings({"model.dropout": 0.1})
    one.log_metrics({"val/objective": 0.1}, 1)
    monkeypatch.setattr("slu.training.mlflow_tracker._SEND_EVERY_S", 0.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    server.signal(signal.SIGSTOP)
    one.log_metrics({"val/objective": 0.2}, 2)
    one.log_metrics({"val/objective": 0.3}, 3)  # not tried
    server.signal(signal.SIGCONT)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    bundle = tiny_bundle(tmp_path / "bundle", metrics={"objective": 0.3, "data": "d"})
    one.finalize("success")
    told = one.publish(bundle, "drinks")
    warnings = capsys.readouterr().out.splitlines()
    assert len(warnings) == 1
    assert f"MLflow at {server.uri} does not answer; the training goes on" in warnings[0]
    assert told == f"drinks version 1 in {server.uri}; best moved here (the first version)"
    client = MlflowClient(server.uri)
    run = client.get_run(one.version)
    assert (run.info.status, run.data.params) == ("FINISHED", {"model.dropout": "0.1"})
    history = {point.step: point.value for point in client.get_metric_history(one.version, "val/objective")}
    assert history == {1: 0.1, 2: 0.2, 3: 0.3}
    fetched = download("models:/drinks@best", tmp_path / "fetched")
    assert {path.name: path.read_bytes() for path in fetched.iterdir()} == {
        path.name: path.read_bytes() for path in bundle.iterdir()
    }


@needs_server
def test_a_training_whose_server_dies_is_not_lost(
    server: Server, run_here: Callable[..., Any], tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Last in this file: it ends the server."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setattr(EpochLines, "on_train_epoch_end", lambda *_: server.signal(signal.SIGKILL))
    more = ("trainer.max_epochs=2", "noise_test_snr_db=[]", "logger=mlflow")
    done = run_here("train", *tones_task(tones), *more)
    assert done.returncode == 0, done.stderr
    assert f"MLflow at {server.uri} does not answer; the run there is not complete" in done.stdout
    assert "not registered there, see the warning above" in done.stdout
    assert load_bundle(tmp_path / "outputs/registry/tones/latest").spec.task == "tones"
