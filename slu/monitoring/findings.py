"""What a log says, window by window, beside the reference."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from slu.common.errors import UserError
from slu.evaluation.intervals import exact_interval
from slu.monitoring.drift import Change, drift
from slu.monitoring.facts import FACTS, LATENCY
from slu.monitoring.feedback import Reviewed
from slu.monitoring.log_files import Read
from slu.monitoring.reference import Reference
from slu.monitoring.settings import MonitorSettings
from slu.monitoring.sketch import UNDERSTOOD, Sketch, quantile
from slu.monitoring.windows import Log, Window


@dataclass(frozen=True)
class Seen:
    """A window, and its clips that the version answered."""

    window: Window
    sketch: Sketch
    changes: Sequence[Change] = ()
    is_reference: bool = False

    @property
    def drifted(self) -> list[Change]:
        return [change for change in self.changes if change.drifted]

    @property
    def understood(self) -> float | None:
        return self.sketch.reasons[UNDERSTOOD] / self.sketch.clips if self.sketch.clips else None

    def latency(self, share: float) -> float | None:
        """Milliseconds that so many of the requests took at most."""
        return quantile(self.window.latency, LATENCY, share)

    @cached_property
    def medians(self) -> dict[str, float]:
        found = {fact.name: quantile(self.sketch.of(fact.name), fact, 0.5) for fact in FACTS}
        return {name: value for name, value in found.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        window = self.window
        return {
            "start": window.start,
            "requests": window.requests,
            "statuses": {str(status): count for status, count in sorted(window.statuses.items())},
            "latency_ms": {f"p{round(100 * share)}": self.latency(share) for share in (0.5, 0.95, 0.99)},
            "unusable": window.unusable,
            "clips": self.sketch.clips,
            "clips_of_other_versions": window.clips - self.sketch.clips,
            "understood": self.understood,
            "understood_interval": exact_interval(self.sketch.reasons[UNDERSTOOD], self.sketch.clips),
            "reasons": dict(self.sketch.reasons.most_common()),
            "labels": {head: dict(counts.most_common()) for head, counts in self.sketch.labels.items()},
            "medians": self.medians,
            "is_reference": self.is_reference,
            "changes": [change.to_json() for change in self.changes],
        }


@dataclass(frozen=True)
class Findings:
    read: Read
    version: str
    """Of the recogniser that is looked at; empty where the log has no answer."""
    seen: Sequence[Seen]
    """In order of time."""
    reference: Reference | None
    missing: str = ""
    """Why there is no reference, and what to do about it."""
    reviewed: Reviewed | None = None
    earlier: int = 0
    """Requests from before the windows that are kept."""
    settings: MonitorSettings = field(default_factory=lambda: MonitorSettings("", ""))

    @property
    def total(self) -> Seen:
        """All windows together."""
        window, sketch = Window(""), Sketch()
        for one in self.seen:
            window.merge(one.window)
            sketch.merge(one.sketch)
        return Seen(window, sketch)

    @property
    def newest(self) -> list[Seen]:
        """Those that raise alerts about requests."""
        return list(self.seen[-self.settings.recent :])

    @property
    def newest_compared(self) -> list[Seen]:
        """Those that raise alerts about clips: windows with too few of them are passed over."""
        enough = [one for one in self.seen if one.sketch.clips >= self.settings.drift.min_clips]
        return enough[-self.settings.recent :]


def answering_version(log: Log) -> str:
    """That of most answers in the newest window that has any; empty where none has."""
    for window in reversed(log.windows.values()):
        if window.clips:
            return max(window.sketches, key=lambda version: window.sketches[version].clips)
    return ""


def look_at(
    log: Log, read: Read, version: str, reference: Reference | None, missing: str, settings: MonitorSettings
) -> Findings:
    """Raises UserError where the log's first days are to be the reference, and cannot be."""
    first: set[str] = set()
    if settings.reference_days is not None:
        reference, first = own_reference(log, version, settings.reference_days, reference)
        missing = ""
    seen = []
    for window in log.windows.values():
        sketch, own = window.sketches.get(version, Sketch()), window.start in first
        changes = [] if reference is None or own else drift(sketch, reference, settings.drift)
        seen.append(Seen(window, sketch, changes, own))
    earlier = log.earlier.requests if log.earlier else 0
    return Findings(read, version, seen, reference, missing, None, earlier, settings)


def own_reference(log: Log, version: str, days: int, other: Reference | None = None) -> tuple[Reference, set[str]]:
    """Of the log's first days, and which windows those are; how alike one person's clips are, the `other` knows.

    Raises UserError where the days are not there.
    """
    if log.length == "all" or log.earlier is not None:
        raise UserError("reference_days: the first days are no windows of their own here; set window=day")
    sketch, first = Sketch(), set[str]()
    end = None
    for window in log.windows.values():
        day = datetime.date.fromisoformat(window.start[:10])
        end = end or day + datetime.timedelta(days=days)
        if day < end:
            first.add(window.start)
            sketch.merge(window.sketches.get(version, Sketch()))
    if not sketch.clips:
        raise UserError(f"reference_days={days}: those have no answer of {version or 'a recogniser'}")
    return Reference(
        sketch, f"{sketch.clips} clips of the log's first {days} days", 0, other.likeness if other else {}
    ), first
