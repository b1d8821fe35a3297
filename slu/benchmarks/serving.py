"""`slu.serve` beside the same bundle behind plain FastAPI: throughput, CPU, and how long answers take.

All servers run for the whole time, and are asked in turn in short rounds; those that are not asked are stopped. So a
busy moment of the machine hits all of them, and only ratios between them mean something.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from slu.audio.encode import encode_flac
from slu.benchmarks.load import Load, closed_loop, open_loop
from slu.benchmarks.server_process import ServerProcess, free_port, server_process
from slu.benchmarks.speed import clip as noise_clip
from slu.common.errors import UserError
from slu.common.progress import progress_bar
from slu.versions.places import bundle_place

OURS, TORCH, THREADS = "slu.serve", "FastAPI, torch", "FastAPI, torch, thread pool"
ONNX = "FastAPI, batches, onnxruntime"
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class ServingSettings:
    bundle: str
    clip: str | None
    """A file that is sent; none: 1.8 s of noise."""
    outputs: str
    rounds: Annotated[int, Field(ge=1)] = 5
    seconds: Positive = 4.0
    """Of each server in each round, for throughput; and again for one connection, and at half of its capacity."""
    connections: Annotated[int, Field(ge=1)] = 16
    max_batch: Annotated[int, Field(ge=1)] = 4
    batch_wait_s: Annotated[float, Field(ge=0)] = 0.0


def measure(settings: ServingSettings, folder: Path) -> dict[str, dict[str, Any]]:
    """By server, in the order of the table. Logs of the servers go into `folder`."""
    body = _body(settings)
    with ExitStack() as stack, progress_bar("serving") as advance:
        servers = []
        for number, (name, port, arguments) in enumerate(_commands(settings)):
            log = folder / f"server-{number}.log"
            servers.append(stack.enter_context(server_process(name, port, arguments, body, log)))
            servers[-1].pause()
        found: dict[str, dict[str, list[Any]]] = {s.name: {k: [] for k in _KINDS} for s in servers}
        steps = 3 * settings.rounds * len(servers)
        for done in range(steps):
            round_, rest = divmod(done, 3 * len(servers))
            kind, server = _KINDS[rest // len(servers)], servers[rest % len(servers)]
            server.go_on()
            closed_loop(server.port, body, 2, 0.2)  # awake again
            found[server.name][kind].append(_measured(kind, server, body, settings, found[server.name], round_))
            server.pause()
            advance(done + 1, steps)
        for server in servers:
            server.go_on()
        return {server.name: _summary(server, found[server.name]) for server in servers}


_KINDS = ("busy", "alone", "half")
"""All connections, one, and requests at half of the rate that all reached."""


def _measured(
    kind: str, server: ServerProcess, body: bytes, settings: ServingSettings, found: Mapping[str, list[Any]], seed: int
) -> tuple[Load, float]:
    """And the CPU seconds of the server."""
    before = server.cpu_s()
    if kind == "half":
        rate = 0.5 * float(np.median([load.rate for load, _ in found["busy"]]))
        load = open_loop(server.port, body, rate, settings.seconds, 2 * settings.connections, seed)
    else:
        connections = 1 if kind == "alone" else settings.connections
        load = closed_loop(server.port, body, connections, settings.seconds)
    return load, server.cpu_s() - before


def _summary(server: ServerProcess, found: Mapping[str, list[tuple[Load, float]]]) -> dict[str, Any]:
    busy, alone, half = (found[kind] for kind in _KINDS)
    return {
        "answers_per_s": float(np.median([load.rate for load, _ in busy])),
        "cpu_ms": float(np.median([1e3 * cpu / max(1, len(load.ms)) for load, cpu in busy])),
        "alone_ms": float(np.median([ms for load, _ in alone for ms in load.ms])),
        "half_p50_ms": float(np.percentile([ms for load, _ in half for ms in load.ms], 50)),
        "half_p99_ms": float(np.percentile([ms for load, _ in half for ms in load.ms], 99)),
        "failed": sum(load.failed for kind in _KINDS for load, _ in found[kind]),
        "first_answer_s": server.first_answer_s,
        "start_cpu_s": server.start_cpu_s,
        "resident_mb": server.resident_mb(),
        "stages_ms": {kind: _stages(found[kind]) for kind in _KINDS},
    }


def _stages(rounds: list[tuple[Load, float]]) -> dict[str, float]:
    """Means over the answers, where the server tells; `elsewhere` is what the client waited beyond `all`."""
    together = Load(1.0)
    for load, _ in rounds:
        together.ms += load.ms
        together.stages += load.stages
    means = together.stage_means()
    if not means:
        return {}
    known = {name: value for name, value in means.items() if name != "all"}
    return {
        **known,
        "queue": means["all"] - sum(known.values()),
        "elsewhere": float(np.mean(together.ms)) - means["all"],
    }


def _commands(settings: ServingSettings) -> list[tuple[str, int, list[str]]]:
    """Name, port and the arguments of Python."""
    bundle = str(bundle_place(settings.bundle, Path(settings.outputs) / "registry").resolve())
    port, *ports = (free_port() for _ in range(4))
    options = [f"max_batch={settings.max_batch}", f"batch_wait_s={settings.batch_wait_s}", "log=/dev/null"]
    ours = ["-m", "slu.serve", f"bundle={bundle}", f"port={port}", f"outputs={settings.outputs}", "feedback=none"]
    rivals = [
        (name, at, ["-c", f"from slu.benchmarks.rivals import run; run({kind!r}, {bundle!r}, {at}, "
                          f"{settings.max_batch}, {settings.batch_wait_s})"])
        for (name, kind), at in zip(((TORCH, "torch"), (THREADS, "threads"), (ONNX, "onnx")), ports, strict=True)
    ]  # fmt: skip
    return [(OURS, port, [*ours, *options]), *rivals]


def _body(settings: ServingSettings) -> bytes:
    if settings.clip is None:
        return encode_flac(noise_clip(16_000), 16_000)
    try:
        return Path(settings.clip).read_bytes()
    except OSError as error:
        raise UserError(f"clip={settings.clip}: {error.strerror}") from None
