"""The figures of servers side by side, for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from slu.benchmarks.serving import OURS

_KINDS = {"alone": "one connection", "half": "half of capacity", "busy": "all connections"}


def serving_tables(found: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    return [_figures(found), _ratios(found), _stages(found[OURS])]


def _figures(found: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = {
        "answers / s": ("answers_per_s", ".1f"),
        "CPU ms / answer": ("cpu_ms", ".1f"),
        "median alone, ms": ("alone_ms", ".1f"),
        "median, 99 % at half, ms": ("half_p50_ms", ".1f"),
        "first answer, s (CPU s)": ("first_answer_s", ".1f"),
        "resident MB": ("resident_mb", ".0f"),
        "failed": ("failed", "d"),
    }
    table = Table(title="servers, medians of interleaved rounds", title_justify="left")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for server, figures in found.items():
        cells = {name: format(figures[key], form) for name, (key, form) in columns.items()}
        cells["median, 99 % at half, ms"] += f", {figures['half_p99_ms']:.1f}"
        cells["first answer, s (CPU s)"] += f" ({figures['start_cpu_s']:.1f})"
        table.add_row(server, *cells.values())
    return table


def ratios(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Of slu.serve to each of the others, and its 99th percentile at half of its capacity to its median alone."""
    ours = found[OURS]
    others = {
        name: {
            "throughput": ours["answers_per_s"] / figures["answers_per_s"],
            "cpu": ours["cpu_ms"] / figures["cpu_ms"],
        }
        for name, figures in found.items()
        if name != OURS
    }
    return {**others, OURS: {"p99_at_half_to_median_alone": ours["half_p99_ms"] / ours["alone_ms"]}}


def _ratios(found: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title=f"{OURS} beside the others", title_justify="left")
    for column in ("", "answers / s, times", "CPU / answer, times"):
        table.add_column(column, justify="right" if column else "left")
    known = ratios(found)
    for name, values in known.items():
        if name != OURS:
            table.add_row(name, f"{values['throughput']:.2f}", f"{values['cpu']:.2f}")
    table.add_row("99 % at half of capacity / median alone", f"{known[OURS]['p99_at_half_to_median_alone']:.1f}", "")
    return table


def _stages(ours: Mapping[str, Any]) -> Table:
    table = Table(title=f"where an answer of {OURS} waits, mean milliseconds", title_justify="left")
    known = ours["stages_ms"]
    table.add_column("")
    for kind in _KINDS:
        table.add_column(_KINDS[kind], justify="right")
    for stage in known["alone"]:
        table.add_row(stage, *(f"{known[kind].get(stage, float('nan')):.1f}" for kind in _KINDS))
    return table
