"""A run in MLflow: its settings, its metrics as they come, and its bundle as a version of a registered model.

Lightning's own MLFlowLogger makes a request of every call, and one that fails ends the fit. Here calls are sent
together every few seconds, kept while the server is away, and sent at the end: nothing that goes wrong with MLflow
costs a training.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from lightning.pytorch.loggers.logger import Logger
from matplotlib.figure import Figure

from slu.bundles.store import is_better
from slu.common.errors import UserError
from slu.common.files import from_here, read_json
from slu.inference.files import CARD, METRICS
from slu.training.mlflow_store import MlflowStore

ALIAS = "best"
"""What the registry of folders calls `latest`, a word that MLflow keeps for the newest version."""

_ARTIFACT = "bundle"
"""The folder of a run's files that a version is made of."""
_SEND_EVERY_S = 5.0
_MOST_PARAMS, _MOST_METRICS, _LONGEST = 100, 1000, 500
"""Of one request; the length is that of a parameter's text, on servers that are some years old."""


class MlflowTracker(Logger):
    _reached: ClassVar[set[str]] = set()

    def __init__(self, save_dir: str, outputs: str, experiment: str) -> None:
        """`save_dir` is the run's folder and names it, `outputs` holds the default store, in `mlflow`.

        Raises UserError where MLflow is not installed or its store cannot be used, before anything is computed. A store
        that was reached before, by another run of a grid, is given until the run's end to come back.
        """
        super().__init__()
        self._folder, self._experiment = Path(save_dir), experiment
        home, folder = Path(outputs).resolve() / "runs" / "train", self._folder.resolve()
        self._run_name = str(folder.relative_to(home)) if folder.is_relative_to(home) else folder.name
        self._store = MlflowStore(Path(outputs) / "mlflow")
        self._experiment_id = self._run_id = ""
        self._params: list[tuple[str, str]] = []
        self._metrics: list[Any] = []
        self._figures: dict[str, Figure] = {}
        self._sent, self._away = -_SEND_EVERY_S, False
        try:
            self._experiment_id = self._store.open_experiment(experiment)
            self._reached.add(self._store.uri)
        except Exception as error:  # of the network, the database, and MLflow's own
            if self._store.uri not in self._reached:
                raise UserError(self._store.refusal(error)) from None

    @property
    def name(self) -> str:
        return self._experiment

    @property
    def version(self) -> str | None:
        """The id of the run, which is there when the first metrics are."""
        return self._run_id or None

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: what the trainer gives here is a part of the settings."""

    def log_settings(self, settings: Mapping[str, Any]) -> None:
        """Flat settings, sent with the first metrics."""
        self._params += [(_named(key), str(value)[:_LONGEST]) for key, value in settings.items()]

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._metrics += [Metric(_named(name), float(value), now, step or 0) for name, value in metrics.items()]
        if not self._away and time.monotonic() - self._sent >= _SEND_EVERY_S:
            self._try(self._send, "the training goes on, and what is missing is sent at its end")

    def log_figures(self, figures: Mapping[str, Figure]) -> None:
        """Sent with the bundle."""
        self._figures.update(figures)

    def finalize(self, status: str) -> None:
        """Ends the run there; a bundle may follow."""
        ended = "FINISHED" if status in ("success", "finished") else "FAILED"
        self._try(lambda: self._end(ended), "the run there is not complete")

    def publish(self, bundle: Path, task: str) -> str:
        """Store a bundle as a version of the registered model `task`; what came of it, for the user.

        The alias `best` moves by the rule of the registry of folders, against the version that has it there.
        """
        told: list[str] = []
        self._try(
            lambda: told.append(self._publish(bundle, task)), f"the bundle is in {from_here(bundle)} all the same"
        )
        return told[0] if told else "not registered there, see the warning above"

    def _send(self) -> None:
        from mlflow.entities import Param

        client = self._store.client
        if not self._run_id:
            self._begin()
        while self._params:
            client.log_batch(self._run_id, params=[Param(*param) for param in self._params[:_MOST_PARAMS]])
            del self._params[:_MOST_PARAMS]
        while self._metrics:
            client.log_batch(self._run_id, metrics=self._metrics[:_MOST_METRICS])
            del self._metrics[:_MOST_METRICS]
        self._sent = time.monotonic()

    def _begin(self) -> None:
        from mlflow.tracking.context.registry import resolve_tags

        self._experiment_id = self._experiment_id or self._store.open_experiment(self._experiment)
        tags = resolve_tags({"folder": str(self._folder)})  # with the user and the commit, as MLflow has it
        run = self._store.client.create_run(self._experiment_id, tags=tags, run_name=self._run_name)
        self._run_id = run.info.run_id

    def _end(self, status: str) -> None:
        self._send()
        self._store.client.set_terminated(self._run_id, status)

    def _publish(self, bundle: Path, task: str) -> str:
        client, metrics = self._store.client, read_json(bundle / METRICS)
        tests = {name: test.get("joint_accuracy") for name, test in (metrics.get("test") or {}).items()}
        self._away = True  # what follows is sent at once
        self.log_metrics({f"test/{name}/joint_accuracy": value for name, value in tests.items() if value is not None})
        self._end("FINISHED")
        for name, figure in self._figures.items():
            client.log_figure(self._run_id, figure, f"figures/{name}.png")
        for name in (METRICS, CARD):  # once more where a person looks first
            client.log_artifact(self._run_id, str(bundle / name))
        client.log_artifacts(self._run_id, str(bundle), _ARTIFACT)
        if not client.search_registered_models(f"name = '{task}'"):
            client.create_registered_model(task)
        tags = {"bundle": bundle.name, "data": str(metrics.get("data")), "objective": str(metrics.get("objective"))}
        source = f"runs:/{self._run_id}/{_ARTIFACT}"
        version = client.create_model_version(task, source, self._run_id, tags=tags).version
        better, reason = self._compare(task, metrics)
        if better:
            client.set_registered_model_alias(task, ALIAS, version)
        moved = f"{ALIAS} moved here" if better else f"{ALIAS} stays"
        return f"{task} version {version} in {self._store.place}; {moved} ({reason})"

    def _compare(self, task: str, metrics: Mapping[str, Any]) -> tuple[bool, str]:
        client = self._store.client
        current = client.get_registered_model(task).aliases.get(ALIAS)
        if current is None:
            return is_better(metrics, None, "")
        tags = client.get_model_version(task, current).tags
        objective = tags.get("objective", "None")
        old = {"data": tags.get("data"), "objective": None if objective == "None" else float(objective)}
        return is_better({**metrics, "data": str(metrics.get("data"))}, old, f"version {current}")

    def _try(self, action: Callable[[], None], otherwise: str) -> None:
        """Does it, or warns."""
        try:
            action()
            self._away = False
        except Exception as error:  # of the network, the database, and MLflow's own: none may cost the training
            self._away = True
            print(f"warning: {self._store.trouble(error)}; {otherwise}", flush=True)


def _named(key: str) -> str:
    """With only the characters that MLflow takes in a name."""
    return re.sub(r"[^/\w.\- :]", "_", key)
