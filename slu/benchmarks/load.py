"""Requests at a server: as many connections as it is told to have, or at a rate of their own."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_LOCK = threading.Lock()


@dataclass
class Load:
    seconds: float
    ms: list[float] = field(default_factory=list)
    """Of every request that was answered with 200."""
    failed: int = 0
    refused: int = 0
    """The last status that was neither 200 nor 503, which a server that is not ready gives."""
    stages: list[dict[str, float]] = field(default_factory=list)
    """Milliseconds by stage, where the server tells them."""

    @property
    def rate(self) -> float:
        return len(self.ms) / self.seconds

    def stage_means(self) -> dict[str, float]:
        names = self.stages[0] if self.stages else {}
        return {name: float(np.mean([one[name] for one in self.stages])) for name in names}


def closed_loop(port: int, body: bytes, connections: int, seconds: float) -> Load:
    """Each connection waits for its answer before it asks on: what the server can do at most."""
    load, start = Load(seconds), time.monotonic()

    def ask_on(client: "_Client") -> None:
        while time.monotonic() < start + seconds:
            client.ask(time.monotonic())

    _side_by_side(port, body, load, connections, ask_on)
    load.seconds = time.monotonic() - start
    return load


def open_loop(port: int, body: bytes, rate: float, seconds: float, connections: int, seed: int = 0) -> Load:
    """At random moments, `rate` a second on average, whether the server keeps up or not (a Poisson process).

    What a request waits for a free connection is part of its time.
    """
    pauses = np.random.default_rng(seed).exponential(1 / rate, max(1, round(rate * seconds)))
    load, lock = Load(seconds), threading.Lock()
    moments = iter(time.monotonic() + 0.05 + np.cumsum(pauses))

    def ask_on(client: "_Client") -> None:
        while True:
            with lock:
                moment = next(moments, None)
            if moment is None:
                return
            time.sleep(max(0.0, moment - time.monotonic()))
            client.ask(moment)

    _side_by_side(port, body, load, connections, ask_on)
    return load


class _Client:
    def __init__(self, port: int, body: bytes, load: Load) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._body, self._load = body, load

    def ask(self, since: float) -> None:
        try:
            self._connection.request("POST", "/predict", self._body, {"Content-Type": "application/octet-stream"})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            with _LOCK:
                self._load.failed += 1
            return
        if response.status != 200:
            with _LOCK:
                self._load.failed += 1
                self._load.refused = response.status if response.status != 503 else self._load.refused
            return
        self._load.ms.append(1e3 * (time.monotonic() - since))
        answer: dict[str, Any] = json.loads(text)
        if "timings_ms" in answer:
            self._load.stages.append(answer["timings_ms"])


def _side_by_side(port: int, body: bytes, load: Load, connections: int, ask_on: Callable[[_Client], None]) -> None:
    threads = [
        threading.Thread(target=ask_on, args=(_Client(port, body, load),), daemon=True) for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
