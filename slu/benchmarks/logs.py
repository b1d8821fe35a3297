"""How fast a request log is read, and in how much memory, as it grows: each size in a process of its own."""

import json
import multiprocessing
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from slu.benchmarks.memory import peak_mb
from slu.monitoring.facts import FACTS
from slu.monitoring.log_files import Read, read_lines
from slu.monitoring.windows import Log

_DAYS = 60
_KINDS = 500
"""Different lines: making a million of them would take longer than reading them."""


@dataclass(frozen=True)
class LogReading:
    lines: int
    megabytes: float
    cpu_s: float
    peak_mb: float
    """Resident, with everything that the process holds anyway."""
    grown_mb: float
    """Of it, by reading."""

    @property
    def lines_per_s(self) -> float:
        return self.lines / self.cpu_s

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "lines_per_s": self.lines_per_s}


def log_reading(sizes: list[int], folder: Path) -> list[LogReading]:
    """Of logs with so many lines, of sixty days, made in `folder` one after the other."""
    context = multiprocessing.get_context("spawn")
    found = []
    for size in sizes:
        path = folder / f"{size}.log"
        _write(path, size)
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=_measure, args=(str(path), send))
        process.start()
        send.close()
        found.append(receive.recv())  # EOFError if the child died: its traceback is on stderr
        process.join()
        path.unlink()
    return found


def _measure(path: str, send: Any) -> None:
    read, before = Read(), peak_mb()
    start = time.process_time()
    log = Log("day").read(read_lines([path], read), read)
    spent = time.process_time() - start
    assert sum(window.clips for window in log.windows.values()) == read.lines
    peak = peak_mb()
    send.send(LogReading(read.lines, read.bytes / 1e6, spent, peak, peak - before))


def _write(path: Path, lines: int) -> None:
    """Lines as long as a server's, with every fact."""
    rng = np.random.default_rng(0)
    kinds = [_line(rng) for _ in range(_KINDS)]
    start = datetime(2026, 1, 1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            now = start + timedelta(seconds=round(86_400 * _DAYS * number / lines))
            file.write(f'{{"time": "{now:%Y-%m-%dT%H:%M:%SZ}", {kinds[number % _KINDS]}\n')


def _line(rng: np.random.Generator) -> str:
    """Without its time and the bracket before it."""
    record: dict[str, Any] = {"status": 200, "ms": round(float(rng.lognormal(3, 0.5)), 1)}
    record["request_id"] = rng.bytes(16).hex()
    record["labels"] = {"product": f"product {rng.integers(10)}", "quantity": str(rng.integers(1, 6))}
    record |= {fact.name: round(float(fact.low + (fact.high - fact.low) * rng.beta(5, 5)), 3) for fact in FACTS}
    record |= {"understood": True, "reason": "", "model_version": "20260101-120000-abcdef01"}
    record["timings_ms"] = {"decode": 1.07, "features": 1.62, "recognise": 8.21, "all": 12.02}
    return json.dumps(record)[1:]
