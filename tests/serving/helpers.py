"""A real server in a process of its own, with a tiny bundle."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile as sf

from slu.benchmarks.server_process import free_port
from tests.conftest import RATE, ROOT, tone

LIMITS = ("max_upload_mb=1", "max_duration_s=2", "max_in_flight=8")
"""Of the server that most tests share."""


@dataclass
class Server:
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, **arguments: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/predict", timeout=30, verify=False, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=30, verify=False, **arguments)

    def family(self) -> list[int]:
        """Processes of the server that are still there."""
        group = os.getpgid(self.process.pid) if self.process.poll() is None else self.process.pid
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getpgid(int(entry.name)) == group and _alive(entry):
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
        return found

    def until_ready(self, limit_s: float = 120) -> None:
        limit = time.monotonic() + limit_s
        while time.monotonic() < limit:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.get("/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready: {self.log.read_text()}")


def _alive(entry: Path) -> bool:
    try:
        return entry.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def running(folder: Path, *settings: str, path: str = str(ROOT)) -> Iterator[Server]:
    """`python -m slu.serve` with these settings, in a process group that is gone afterwards; `path` is PYTHONPATH."""
    port = free_port()
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "slu.serve", f"port={port}", f"outputs={folder / 'out'}", *settings],
            cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        server.until_ready()
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def audio(wave: np.ndarray, kind: str = "WAV", rate: int = RATE, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    with sf.SoundFile(file, "w", rate, 1 if wave.ndim == 1 else wave.shape[1], subtype, format=kind) as output:
        for start in range(0, len(wave), rate):  # libsndfile dies of minutes of Vorbis at once
            output.write(wave[start : start + rate])
    return file.getvalue()


GOOD = audio(tone(300, 0.6))
"""A clip that is answered."""
