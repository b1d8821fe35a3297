"""Where MLflow keeps runs: a SQLite file below the outputs folder, or the server that the environment names.

`MLFLOW_TRACKING_URI` wins, with `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` for servers that ask; that is
also all that DagsHub needs. MLflow is imported here only when a run asks for it.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from slu.common.errors import UserError

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing of a run goes anywhere that nobody named
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # MLflow's own would hold a training up for minutes whenever its server is away.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_INSTALL = "`.venv/bin/uv pip install --python .venv/bin/python 'mlflow>=3.17,<3.18'`"


class MlflowStore:
    def __init__(self, folder: Path) -> None:
        """`folder` gets `mlflow.db` and `artifacts/`, unless the environment names another place.

        Raises UserError without MLflow, and for a database that cannot be opened. No server is asked yet.
        """
        for name, value in _DEFAULTS.items():
            os.environ.setdefault(name, value)  # read when it is imported
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise UserError(f"logger=mlflow needs MLflow: install it with {_INSTALL}") from None
        logging.getLogger("urllib3.connectionpool").setLevel(
            logging.ERROR
        )  # its retries are told here, in one sentence
        self._folder = folder
        named = os.environ.get("MLFLOW_TRACKING_URI")
        self.uri = named or f"sqlite:///{folder / 'mlflow.db'}"
        self._artifacts = None if named else (folder / "artifacts").resolve().as_uri()
        try:
            with self._alone():
                self.client = MlflowClient(self.uri)
        except Exception as error:  # of the database's own kinds, and of MLflow's
            raise UserError(self.refusal(error)) from None

    @property
    def place(self) -> str:
        """The URI for people, without a password that may stand in it."""
        return self._hidden(self.uri)

    def open_experiment(self, name: str) -> str:
        """Its id, of a new one where there is none. Raises what MLflow does where the store cannot be used."""
        with self._alone():
            experiment = self.client.get_experiment_by_name(name)
            if experiment is not None and experiment.lifecycle_stage == "active":
                return str(experiment.experiment_id)
            return str(self.client.create_experiment(name, artifact_location=self._artifacts))

    def refusal(self, error: Exception) -> str:
        """Why no run can begin there, and what to do."""
        return f"logger=mlflow: {self.trouble(error)}; see MLFLOW_TRACKING_URI, or train with another logger"

    def trouble(self, error: Exception) -> str:
        """What is wrong, in words: that it is away, refuses, or what it says itself."""
        return f"MLflow at {self.place} {self._reason(error)}"

    def _reason(self, error: Exception) -> str:
        from requests.exceptions import ConnectionError, Timeout

        if any(isinstance(cause, (ConnectionError, Timeout)) for cause in _causes(error)):
            return "does not answer"
        if _status(error) in (401, 403):
            return "refuses what MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD say"
        text = " ".join(self._hidden(str(error)).split())
        return f"cannot be used: {text[:300] or type(error).__name__}"

    def _hidden(self, text: str) -> str:
        user = urlsplit(self.uri).netloc.rpartition("@")[0]
        return text.replace(f"{user}@", "") if user else text

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two runs that start at once must not both make the tables of the local database."""
        if self._artifacts is None:
            yield
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error: Exception) -> int | None:
    """The HTTP status that an answer of the server had, where there was one."""
    response: Any = getattr(error, "response", None)
    if response is not None:
        return int(response.status_code)
    status = getattr(error, "get_http_status_code", None)
    return None if status is None else int(status())
