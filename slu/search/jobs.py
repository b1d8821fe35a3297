"""Trainings in processes of their own, by Hydra's launchers: what became of each, also of one that was killed.

A launcher that loses a process raises, and what the others of its batch found is lost with it; and jobs of submitit
run on after whoever waits for them has gone. Both are put right here.
"""

import atexit
import functools
import importlib.util
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher

from slu.common.cli import sentence
from slu.common.errors import UserError
from slu.studies.study_storage import reason

P = TypeVar("P")
T = TypeVar("T")

_ENDS_S = 5.0


class JobFailed(CompactHydraException):
    """Hydra prints it without a traceback."""


class JobLost(JobFailed):
    """Its process ended without an answer: killed, out of memory or of time."""


class Jobs:
    """What `launcher` starts below `folder`, numbered through all batches: none shares its folder with another."""

    def __init__(self, launcher: Launcher, folder: Path) -> None:
        self.launcher, self.folder, self.begun = launcher, folder, 0

    def results(self, batch: Sequence[Sequence[str]]) -> list[Any]:
        """What each training of the batch returned, or the exception that it ended with.

        One whose process was lost is tried again, alone, once. Raises UserError for a launcher that starts nothing.
        """
        results = self._launched(batch)
        if any(isinstance(result, JobLost) for result in results):
            print("the process of a training was lost; what it had begun is tried again, one by one", flush=True)
        return [
            self._launched([one])[0] if isinstance(result, JobLost) else result
            for one, result in zip(batch, results, strict=True)
        ]

    def _launched(self, batch: Sequence[Sequence[str]]) -> list[Any]:
        there, first = self._folders(), self.begun
        self.begun += len(batch)
        try:
            returned = self.launcher.launch(batch, initial_job_idx=first)
        except Exception as error:  # of the launchers' own kinds
            if self._folders() == there:
                raise UserError(f"hydra/launcher: {reason(error)}") from None
            return [JobLost(reason(error)) for _ in batch]
        return [each._return_value for each in returned]  # its property raises what a training raised

    def _folders(self) -> set[str]:
        """A training that was begun has one; a launcher's own begin with a dot."""
        return {p.name for p in self.folder.iterdir() if p.name[0] != "."} if self.folder.is_dir() else set()


def as_job(train: Callable[[P], T]) -> Callable[[P], T]:
    """In a sweep the others go on where one training cannot be: its launcher hears why."""

    @functools.wraps(train)
    def wrapped(config: P) -> T:
        # One that is tried again says once more what its first try said.
        warnings.filterwarnings("ignore", "The reported value is ignored", module="optuna")
        try:
            return train(config)
        except Exception as error:
            said = sentence(error)
            if said is None:
                raise
            raise JobFailed(said) from None

    return wrapped


def keep_submitit(launcher: str | None) -> None:
    """If that is the launcher: each job's end is told apart, and all end with this process."""
    if launcher is None or not launcher.startswith(("submitit", "slurm")) or not importlib.util.find_spec("submitit"):
        return
    import submitit
    from submitit.core.utils import FailedJobError

    class Executor(submitit.AutoExecutor):
        def map_array(self, fn: Any, *iterable: Any) -> list[Any]:
            try:
                jobs = super().map_array(fn, *iterable)
            except FailedJobError as error:  # of sbatch
                raise JobFailed(reason(error)) from None
            atexit.register(_cancel, jobs)
            return [_Waited(job) for job in jobs]

    submitit.AutoExecutor = Executor  # type: ignore[misc]


class _Waited:
    """A job of submitit's whose result says what went wrong, and does not raise it."""

    def __init__(self, job: Any) -> None:
        self.job = job

    def results(self) -> list[JobReturn]:
        from submitit.core.utils import UncompletedJobError

        try:
            return [self.job.results()[0]]
        except UncompletedJobError as error:
            lost = JobLost(f"its process was lost ({str(error).splitlines()[-1]}); see {self.job.paths.folder}")
            return [JobReturn(status=JobStatus.FAILED, _return_value=lost)]


def _cancel(jobs: Sequence[Any]) -> None:
    from submitit import LocalJob

    # After Ctrl-C on a terminal local jobs are ending already, and a second signal would keep them from it.
    until = time.monotonic() + _ENDS_S
    while time.monotonic() < until and not all(job.done() for job in jobs if isinstance(job, LocalJob)):
        time.sleep(0.1)
    for job in jobs:
        with suppress(Exception):  # of a job that has ended by itself
            if not job.done():
                job.cancel(check=False)
