"""Figures as text, the same in tables, pages and cards."""

from collections.abc import Mapping, Sequence
from typing import Any

UNEVEN = 3
"""Times as many clips in the largest class as in the smallest."""


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def between(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    return figure(value) if interval is None else f"{figure(value)} ({between(interval)})"


def balance_matters(head: Mapping[str, Any]) -> bool:
    """Of a head's metrics: balanced accuracy belongs beside accuracy with two classes, and with uneven ones."""
    counts = [values["n"] for values in head.get("classes", {}).values()]
    present = [count for count in counts if count]
    return bool(present) and (len(counts) == 2 or max(present) >= UNEVEN * min(present))


def against_reference(reference: Mapping[str, Any]) -> str:
    """One sentence from the `reference` of metrics: is the model better than the rule beside it?"""
    rule = f"the {reference['name']}"
    points = 100 * reference["difference"]
    if (interval := reference["difference_interval"]) is None:
        if points == 0:
            return f"Not better than {rule}: neither gets more of these clips right."
        return f"Not clearly better than {rule}: {points:+.1f} points of balanced accuracy, on too little to tell."
    low, high = (100 * end for end in interval)
    if reference["better"]:
        return f"Better than {rule} by {points:.1f} points of balanced accuracy ({low:.1f} to {high:.1f})."
    if high < 0:
        return f"Worse than {rule} by {-points:.1f} points of balanced accuracy ({-high:.1f} to {-low:.1f})."
    return f"Not clearly better than {rule}: {points:+.1f} points of balanced accuracy ({low:+.1f} to {high:+.1f})."


def signed(value: float, interval: Sequence[float] | None) -> str:
    """A difference with its interval."""
    return f"{value:+.3f}" if interval is None else f"{value:+.3f} ({interval[0]:+.3f} to {interval[1]:+.3f})"
