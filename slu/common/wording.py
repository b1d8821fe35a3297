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
