"""Commands that the page starts: one that works (retraining, monitoring) and one that moves an alias at a time.

A retraining takes minutes, and nobody who wants to roll back should wait for it: so the two do not share a place.
"""

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from slu.common.errors import UserError
from slu.serving.admin.child import command

Place = Literal["work", "move"]
_KEPT, _LONGEST = 200, 1000
"""Lines of a command, and characters of a line."""
_SECRETS = ("SLU_ADMIN_PASSWORD", "SLU_API_KEY")
_WORK_NICE = 10
"""Answers come first."""
_ERROR, _RESULTS = "error: ", {"retrain": "retraining "}
"""How lines begin that say what was wrong, and what came of it; of other commands, the last line says it."""


@dataclass
class Job:
    name: str
    """What it does, for people: retrain, monitor, check, promote, rollback."""
    told_by: str
    """What the last line of it holds where an exit code of 1 is no failure; empty where it always is."""
    process: "subprocess.Popen[str]"
    started: float = field(default_factory=time.time)
    ended: float | None = None
    stopped: bool = False
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))

    @property
    def state(self) -> Literal["running", "done", "failed", "stopped"]:
        if self.ended is None:
            return "running"
        if self.stopped:
            return "stopped"
        code = self.process.returncode
        told = bool(self.told_by) and any(self.told_by in line for line in list(self.lines)[-2:])
        return "done" if code == 0 or (code == 1 and told) else "failed"

    def to_json(self) -> dict[str, Any]:
        lines = list(self.lines)
        return {
            "name": self.name,
            "state": self.state,
            "started": self.started,
            "seconds": round((self.ended or time.time()) - self.started, 1),
            "lines": lines,
            "sentence": self._sentence(lines),
        }

    def _sentence(self, lines: Sequence[str]) -> str:
        """What it came to, or why it failed, as the command says it; empty where it goes on, or said nothing."""
        if self.state == "failed":
            return _failure(lines, self.process.returncode)
        start = _RESULTS.get(self.name, "")
        found = [line.removeprefix(start).strip() for line in lines if line.startswith(start)]
        return found[-1] if found and self.state == "done" else ""


class Jobs:
    """Of one process that speaks HTTP; what they have said is kept until the next one of their place."""

    def __init__(self) -> None:
        self._jobs: dict[Place, Job] = {}
        self._lock = threading.Lock()

    def start(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        *,
        place: Place,
        told_by: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Job:
        """`environment` is for what should not stand in the list of processes.

        Raises UserError while another one of the place goes on.
        """
        with self._lock:
            other = self._jobs.get(place)
            if other is not None and other.ended is None:
                raise UserError(f"{other.name} goes on; wait until it has ended, or stop it")
            nice = _WORK_NICE if place == "work" else 0
            job = Job(name, told_by, _started(module, arguments, nice, environment or {}))
            self._jobs[place] = job
        threading.Thread(target=_listen, args=(job,), daemon=True).start()
        return job

    def stop(self, place: Place) -> None:
        """Asks it to end, as Ctrl-C does. Raises UserError where nothing goes on."""
        with self._lock:
            job = self._jobs.get(place)
            if job is None or job.ended is not None:
                raise UserError("nothing goes on that could be stopped")
            job.stopped = True
            assert job.process.stdin is not None
            job.process.stdin.close()

    def to_json(self) -> dict[str, Any]:
        return {place: job.to_json() for place, job in list(self._jobs.items())}


def _started(module: str, arguments: Sequence[str], nice: int, more: Mapping[str, str]) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    return subprocess.Popen(  # without a width, so that a sentence is a line
        command(module, arguments, nice),
        env={**environment, **more, "PYTHONUNBUFFERED": "1", "COLUMNS": "1000", "NO_COLOR": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,
    )  # fmt: skip


def _listen(job: Job) -> None:
    with job.process as process:
        assert process.stdout is not None
        for line in process.stdout:
            job.lines.append("".join(one if one.isprintable() else " " for one in line.rstrip()[:_LONGEST]))
    job.ended = time.time()


def _failure(lines: Sequence[str], code: int) -> str:
    told = [line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR)]
    if told:
        return told[-1]
    how = f"it was killed by signal {-code}" if code < 0 else f"it ended with exit code {code}"
    return f"{how}; its last line: {lines[-1]}" if lines else how
