"""What was found as tables, the same for the terminal and the page."""

from collections.abc import Sequence

from slu.common.wording import between, figure
from slu.monitoring.drift import Change
from slu.monitoring.feedback import Accuracy
from slu.monitoring.findings import Findings, Seen

WINDOW_COLUMNS = ("from", "requests", "failed", "95 % within, ms", "no audio", "clips", "understood", "confidence",
                  "level, dB", "drifted")  # fmt: skip
CHANGE_COLUMNS = ("", "tested on", "now", "clips", "PSI", "KS", "p", "")
ACCURACY_COLUMNS = ("", "reviewed", "right", "accuracy", "95 % interval")


def window_row(seen: Seen) -> list[str]:
    window, medians = seen.window, seen.medians
    slow = seen.latency(0.95)
    drifted = "reference" if seen.is_reference else ", ".join(change.name for change in seen.drifted)
    return [
        window.start or "all",
        f"{window.requests:,}",
        f"{window.failed:,}" if window.failed else "",
        "" if slow is None else f"{slow:.0f}",
        f"{window.unusable:,}" if window.unusable else "",
        f"{seen.sketch.clips:,}",
        "" if seen.understood is None else f"{seen.understood:.0%}",
        "" if "confidence" not in medians else f"{medians['confidence']:.2f}",
        "" if "level_db" not in medians else f"{medians['level_db']:.1f}",
        drifted,
    ]


def change_rows(changes: Sequence[Change]) -> list[list[str]]:
    """As they are sorted: what has drifted first."""
    return [
        [
            change.title,
            change.before,
            change.now,
            f"{change.clips:,}",
            f"{change.distance.psi:.2f}",
            f"{change.distance.ks:.2f}",
            f"{change.p:.3f}" if change.p >= 0.001 else f"{change.p:.0e}",
            "drifted" if change.drifted else "",
        ]
        for change in changes
    ]


def accuracy_rows(findings: Findings) -> list[list[str]]:
    reviewed = findings.reviewed
    if reviewed is None or not reviewed.joint.clips:
        return []
    heads: list[tuple[str, Accuracy]] = [("all labels right", reviewed.joint), *reviewed.heads.items()]
    return [
        [name, f"{a.clips:,}", f"{a.right:,}", figure(a.right / a.clips if a.clips else None), between(a.interval)]
        for name, a in heads
    ]


def compared_sentence(findings: Findings) -> str:
    """With what, and how surely."""
    reference, settings = findings.reference, findings.settings.drift
    if reference is None:
        return findings.missing
    return (
        f"Compared with {reference.source}. Of 100 windows in which nothing has changed, at most about "
        f"{100 * settings.alpha:g} are called drifted, all comparisons of a window together, if one speaker has about "
        f"{settings.clips_per_speaker:g} clips in it; and what differs surely, but by less than a PSI of "
        f"{settings.psi:g} and a KS distance of {settings.ks:g}, is passed over."
    )


def read_sentence(findings: Findings) -> str:
    read = findings.read
    parts = [f"{read.lines:,} lines of {len(read.files)} {'file' if len(read.files) == 1 else 'files'}"]
    if read.broken:
        parts.append(f"{read.broken:,} of them no line of a server")
    if read.unfinished:
        parts.append("the last one unfinished")
    if read.damaged:
        parts.append(f"{', '.join(read.damaged)} ends too early")
    if findings.earlier:
        parts.append(f"{findings.earlier:,} requests are older than the windows that are kept")
    others = sum(seen.window.clips - seen.sketch.clips for seen in findings.seen)
    if others:
        parts.append(f"{others:,} clips were answered by other versions, and are left out")
    return "; ".join(parts) + "."
