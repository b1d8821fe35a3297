"""What somebody should be told: limits that were surely passed in the newest windows, in plain words."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from slu.evaluation.intervals import exact_interval
from slu.monitoring.facts import LATENCY
from slu.monitoring.findings import Findings, Seen
from slu.monitoring.sketch import UNDERSTOOD


@dataclass(frozen=True)
class Alert:
    kind: str
    """`failed`, `unusable`, `broken`, `latency`, `understood`, `accuracy`, or `drift` with the name of a fact."""
    window: str
    """Its start; empty where it is about all of the log."""
    sentence: str
    look: str
    value: float
    limit: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def alerts(findings: Findings) -> list[Alert]:
    """In order of time; those about the whole log last."""
    found = [alert for seen in findings.newest for alert in _of_requests(seen, findings)]
    found += [alert for seen in findings.newest_compared for alert in _of_clips(seen, findings)]
    return [*found, *_of_all(findings)]


def _of_requests(seen: Seen, findings: Findings) -> Iterator[Alert]:
    limits, window, start = findings.settings.alerts, seen.window, seen.window.start
    if limits.failed is not None and _exceeds(window.failed, window.requests, limits.failed):
        text = f"{window.failed} of {window.requests} requests failed with a status of 5xx."
        yield Alert("failed", start, text, "the server's own log", window.failed / window.requests, limits.failed)
    files = window.clips + window.unusable
    if limits.unusable is not None and _exceeds(window.unusable, files, limits.unusable):
        text = f"{window.unusable} of {files} files hold no audio that can be used."
        yield Alert("unusable", start, text, "what the clients send", window.unusable / files, limits.unusable)
    if limits.latency_ms is not None:
        slow = int(window.latency[LATENCY.edges[:-1] >= limits.latency_ms].sum())
        timed = int(window.latency.sum())
        if _exceeds(slow, timed, 1 - limits.latency_share):
            text = f"{slow} of {timed} requests took longer than {limits.latency_ms:g} ms."
            yield Alert(
                "latency", start, text, LATENCY.look, seen.latency(limits.latency_share) or 0.0, limits.latency_ms
            )


def _of_clips(seen: Seen, findings: Findings) -> Iterator[Alert]:
    limits, start = findings.settings.alerts, seen.window.start
    given, clips = seen.sketch.reasons[UNDERSTOOD], seen.sketch.clips
    if limits.understood is not None and _exceeds(clips - given, clips, 1 - limits.understood):
        text = f"{given} of {clips} clips were understood."
        yield Alert("understood", start, text, "clips that were not understood", given / clips, limits.understood)
    if limits.drift:
        for change in seen.drifted:
            effect = change.distance
            yield Alert(
                f"drift {change.name}", start, change.sentence, change.look, effect.psi, findings.settings.drift.psi
            )


def _of_all(findings: Findings) -> Iterator[Alert]:
    limits, read = findings.settings.alerts, findings.read
    if limits.broken is not None and _exceeds(read.broken, read.lines, limits.broken):
        text = f"{read.broken} of {read.lines} lines are none of a server's request log."
        yield Alert("broken", "", text, "what else writes to the log", read.broken / read.lines, limits.broken)
    if limits.accuracy is not None and findings.reviewed is not None:
        joint = findings.reviewed.joint
        if _exceeds(joint.clips - joint.right, joint.clips, 1 - limits.accuracy):
            text = f"{joint.right} of {joint.clips} reviewed answers were right."
            look = "which answers were corrected"
            yield Alert("accuracy", "", text, look, joint.right / joint.clips, limits.accuracy)


def _exceeds(count: int, total: int, limit: float) -> bool:
    """Surely: by the lower end of the exact 95 % interval."""
    interval = exact_interval(count, total)
    return interval is not None and interval[0] > limit
