"""A server in a process group of its own: started, stopped while others are measured, and what it costs."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from slu.benchmarks.load import closed_loop
from slu.common.errors import UserError

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
_START_S = 120.0


@dataclass(frozen=True)
class ServerProcess:
    name: str
    port: int
    group: int
    first_answer_s: float
    """Since the process was started."""
    start_cpu_s: float
    """Up to the first answer, of all its processes."""

    def cpu_s(self) -> float:
        """Of all processes that it has now."""
        fields = [_stat(pid) for pid in _members(self.group)]
        return sum(int(values[11]) + int(values[12]) for values in fields if values) / _TICKS

    def resident_mb(self) -> float:
        """What its processes hold, shared pages counted once for each that touches them."""
        return sum(int(values[21]) for values in map(_stat, _members(self.group)) if values) * _PAGE_MB

    def pause(self) -> None:
        """So that one which is not asked costs the others nothing."""
        os.killpg(self.group, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self.group, signal.SIGCONT)


def free_port() -> int:
    """Not one of those that the system gives to clients: whoever asks whether a server is there yet would be given its
    very port in the end, and talk to himself."""
    while True:
        port = random.SystemRandom().randrange(10_000, 30_000)  # whoever seeds `random` would get the same one again
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


@contextmanager
def server_process(name: str, port: int, arguments: Sequence[str], body: bytes, log: Path) -> Iterator[ServerProcess]:
    """Python with these arguments, from its first answer to `body` on. Raises UserError if there is none."""
    with log.open("wb") as file:
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=file, stderr=file, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "SLU_API_KEY": ""},
        )  # fmt: skip
    try:
        while not (tried := closed_loop(port, body, 1, 0.001)).ms:
            if tried.refused:
                raise UserError(f"{name} refuses the clip with {tried.refused}; name another one with clip=FILE")
            if process.poll() is not None or time.monotonic() > start + _START_S:
                words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise UserError(f"{name} does not answer: {words[-1] if words else 'it says nothing'}")
            time.sleep(0.02)
        took = time.monotonic() - start
        server = ServerProcess(name, port, process.pid, took, 0.0)
        yield ServerProcess(name, port, process.pid, took, server.cpu_s())
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _members(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(ProcessLookupError, PermissionError):
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                found.append(int(entry.name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; none of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
