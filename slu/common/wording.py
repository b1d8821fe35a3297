"""Figures as text, the same in tables, pages and cards."""

from collections.abc import Sequence


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def between(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    return figure(value) if interval is None else f"{figure(value)} ({between(interval)})"
