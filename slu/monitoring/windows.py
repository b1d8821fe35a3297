"""A request log as counts per window of time: one pass, in memory that does not grow with the log."""

import datetime
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from slu.monitoring.facts import BINS, LATENCY, NAMES, bins_of
from slu.monitoring.log_files import Read
from slu.monitoring.sketch import OTHERS, Counts, Sketch, numbers

Length = Literal["hour", "day", "week", "all"]

_BUFFERED = 4096
_MOST_WINDOWS = 1000
"""Days of almost three years, or hours of six weeks; what is older than that is counted together."""
_MOST_VERSIONS = 20
"""Of recognisers in a window; those of a broken log are counted together."""


@dataclass
class Window:
    start: str
    """`2026-01-31`, `2026-01-31T17`, or empty where windows have no start."""
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    latency: Counts = field(default_factory=lambda: np.zeros(BINS, np.int64))
    unusable: int = 0
    """Files without an answer: no audio, or none that can be decoded."""
    sketches: dict[str, Sketch] = field(default_factory=dict)
    """By version of the recogniser."""

    def merge(self, other: "Window") -> None:
        self.requests += other.requests
        self.statuses.update(other.statuses)
        self.latency += other.latency
        self.unusable += other.unusable
        for version, sketch in other.sketches.items():
            self.sketch(version).merge(sketch)

    def sketch(self, version: str) -> Sketch:
        if version not in self.sketches:
            version = version if len(self.sketches) < _MOST_VERSIONS else OTHERS
            self.sketches.setdefault(version, Sketch())
        return self.sketches[version]

    @property
    def failed(self) -> int:
        """Requests whose failure was the server's, too busy included."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    @property
    def clips(self) -> int:
        return sum(sketch.clips for sketch in self.sketches.values())


class Log:
    """`windows` by their start, in order of time once everything was read."""

    def __init__(self, length: Length) -> None:
        self.length = length
        self.windows: dict[str, Window] = {}
        self.earlier: Window | None = None
        """Whatever came before the windows that are kept."""
        self._starts: dict[str, str | None] = {}
        self._rows: dict[tuple[str, str], list[list[Any]]] = {}
        self._ms: dict[str, list[Any]] = {}
        self._waiting = 0

    def read(self, lines: Iterable[bytes], read: Read) -> "Log":
        for line in lines:
            if not self._add(line):
                if line.endswith(b"\n"):
                    read.broken += bool(line.strip())
                else:
                    read.unfinished += 1
            if self._waiting >= _BUFFERED:
                self._flush()
        self._flush()
        self.windows = dict(sorted(self.windows.items()))
        return self

    def _add(self, line: bytes) -> bool:
        """False for what is no line of a server."""
        try:
            record = json.loads(line)
            time, status = record["time"], record["status"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        if not isinstance(time, str) or type(status) is not int or not 100 <= status < 600:
            return False
        start = self._start(time)
        if start is None:
            return False
        window = self._window(start)
        window.requests += 1
        window.statuses[status] += 1
        self._ms.setdefault(window.start, []).append(record.get("ms"))
        self._waiting += 1
        results = record.get("results")
        for one in results if isinstance(results, list) else (record,):
            if isinstance(one, dict):
                self._add_clip(window, one, status)
        return True

    def _add_clip(self, window: Window, one: Mapping[str, Any], status: int) -> None:
        labels = one.get("labels")
        if not isinstance(labels, dict):
            window.unusable += status == 422 or "error" in one
            return
        version = str(one.get("model_version", ""))[:100]
        sketch, reason = window.sketch(version), one.get("reason")
        sketch.count_answer(
            str(reason)[:100] if reason else "", {str(k)[:100]: str(v)[:100] for k, v in labels.items()}
        )
        known = version if version in window.sketches else OTHERS
        self._rows.setdefault((window.start, known), []).append([one.get(name) for name in NAMES])
        self._waiting += 1

    def _start(self, time: str) -> str | None:
        """Of the window that a time is in; None for what is no time."""
        if self.length == "hour":
            day, hour = self._day(time[:10]), time[10:13]
            return day + hour if day and hour[:1] == "T" and hour[1:].isdigit() else None
        return self._day(time[:10])

    def _day(self, text: str) -> str | None:
        if text not in self._starts:
            if len(self._starts) > 100_000:
                self._starts.clear()
            try:
                day = datetime.date.fromisoformat(text)
            except ValueError:
                self._starts[text] = None
            else:
                monday = day - datetime.timedelta(days=day.weekday()) if day.toordinal() > 7 else day
                starts = {"week": monday.isoformat(), "all": ""}
                self._starts[text] = starts.get(self.length, day.isoformat())
        return self._starts[text]

    def _window(self, start: str) -> Window:
        if start in self.windows:
            return self.windows[start]
        if self.earlier is not None and start <= self.earlier.start:
            return self.earlier
        self.windows[start] = Window(start)
        if len(self.windows) > _MOST_WINDOWS:
            self._flush()
            oldest = self.windows.pop(min(self.windows))
            if self.earlier is not None:
                oldest.merge(self.earlier)
            self.earlier = oldest
        return self.windows.get(start) or self.earlier or Window(start)

    def _flush(self) -> None:
        places = {**self.windows, **({self.earlier.start: self.earlier} if self.earlier else {})}
        for (start, version), rows in self._rows.items():
            places[start].sketches[version].add(rows)
        for start, values in self._ms.items():
            known = numbers([values])
            places[start].latency += np.bincount(bins_of(known[np.isfinite(known)], LATENCY), minlength=BINS)
        self._rows, self._ms, self._waiting = {}, {}, 0
