"""Lines as a server logs them, and references that they can be compared with."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slu.monitoring.facts import NAMES
from slu.monitoring.log_files import Read
from slu.monitoring.reference import Reference
from slu.monitoring.sketch import Sketch
from slu.monitoring.windows import Length, Log

VERSION = "20260101-120000-abcdef01"
PRODUCTS = ("tea", "coffee", "milk")
LEVEL_DB = -25.0


def line(day: int = 1, hour: int = 10, **changes: Any) -> dict[str, Any]:
    """An answered request of January 2026."""
    return {
        "time": f"2026-01-{day:02d}T{hour:02d}:30:00Z",
        "status": 200,
        "ms": 20.0,
        "labels": {"product": "tea"},
        "confidence": 0.9,
        "understood": True,
        "reason": "",
        "level_db": LEVEL_DB,
        "model_version": VERSION,
    } | changes


def lines(count: int, seed: int = 0, *, level_db: float = LEVEL_DB, **changes: Any) -> list[dict[str, Any]]:
    """Levels, pitches and products differ."""
    rng = np.random.default_rng(seed)
    return [
        line(
            **{
                "level_db": round(float(rng.normal(level_db, 5)), 2),
                "pitch_hz": round(float(rng.uniform(100, 250)), 1),
                "confidence": round(float(rng.beta(20, 1)), 4),
                "labels": {"product": PRODUCTS[rng.integers(3)]},
                "reason": "" if rng.random() < 0.95 else "not sure",
            }
            | changes
        )
        for _ in range(count)
    ]


def as_bytes(records: Iterable[Any]) -> list[bytes]:
    return [json.dumps(record).encode() + b"\n" for record in records]


def write_log(path: Path, records: Iterable[Any], end: bytes = b"") -> Path:
    path.write_bytes(b"".join(as_bytes(records)) + end)
    return path


def log_of(records: Iterable[Any], length: Length = "day") -> Log:
    return Log(length).read(as_bytes(records), Read())


def sketch_of(records: Sequence[Any]) -> Sketch:
    (window,) = log_of(records, "all").windows.values()
    return window.sketches[VERSION]


def reference(clips: int = 400, **likeness: float) -> Reference:
    """Of clips as `lines` makes them, by eight times fewer speakers."""
    return Reference(
        sketch_of(lines(clips, seed=99)), f"{clips} clips", clips // 8, dict.fromkeys(NAMES, 0.0) | likeness
    )
