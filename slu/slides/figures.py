"""Figures that only slides have. All text in them comes from the numbers given."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, PercentFormatter

from slu.documents.figures import ACCENT, MUTED, SERIES, WARN, new_axes
from slu.slides.words import brief

_CLASSES = 20
_SIDES = (SERIES[0], SERIES[3], SERIES[4], MUTED)
"""Of the split; without the colour of warnings."""


def class_figure(counts: pd.DataFrame, head: str) -> Figure:
    """Clips by class (rows), stacked by side of the split (columns); of very many classes the rarest."""
    title = head
    if len(counts) > _CLASSES:
        counts = counts.loc[counts.sum(axis=1).sort_values(kind="stable").index[:_CLASSES]]
        title = f"{head}: the {_CLASSES} rarest classes"
    figure, (axes,) = new_axes(4.6, max(2.6, 0.9 + 0.24 * len(counts)))
    places = np.arange(len(counts))[::-1]
    left = np.zeros(len(counts))
    for colour, side in zip(_SIDES, counts.columns, strict=False):
        values = counts[side].to_numpy(dtype=float)
        axes.barh(places, values, 0.7, left=left, color=colour, label=str(side))
        left += values
    axes.set_yticks(places, [brief(str(label)) for label in counts.index])
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="clips", title=title, xlim=(0, max(float(left.max()), 1.0) * 1.05))
    if len(counts.columns) > 1:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=len(counts.columns), frameon=False)
    return figure


def sides_figure(values: Mapping[str, int], what: str) -> Figure:
    """One bar per side of the split, with its number."""
    figure, (axes,) = new_axes(3.2, 2.6)
    bars = axes.bar(list(values), list(values.values()), 0.6, color=_SIDES[: len(values)])
    axes.bar_label(bars, [f"{value:,}" for value in values.values()], padding=2)
    axes.grid(visible=False, axis="x")
    axes.set(ylabel=what, title=f"{what} by split", ylim=(0, max(values.values()) * 1.15))
    return figure


def duration_figure(durations_s: Sequence[float], accepted_s: tuple[float, float] | None) -> Figure:
    figure, (axes,) = new_axes(3.2, 2.6)
    axes.hist(durations_s, bins=min(40, max(5, len(durations_s) // 10)), color=ACCENT)
    near = [limit for limit in accepted_s or () if limit <= 1.5 * max(durations_s)]
    for limit in near:
        axes.axvline(limit, color=WARN, linewidth=1, linestyle="--")
    axes.set(xlabel="seconds", ylabel="clips", title="duration" + ("; dashed: accepted" if near else ""))
    axes.set_xlim(left=0)
    return figure


def loss_figure(losses: Mapping[str, pd.Series]) -> Figure:
    figure, (axes,) = new_axes(4.7, 3.4)
    for colour, (name, series) in zip(SERIES, losses.items(), strict=False):
        axes.plot(series.index, series, "o-" if len(series) < 5 else "-", color=colour, label=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="loss", title="Loss")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right", frameon=False)
    return figure


def objective_figure(objective: pd.Series, best: int) -> Figure:
    figure, (axes,) = new_axes(4.7, 3.4)
    axes.plot(objective.index, objective, "o-" if len(objective) < 5 else "-", color=ACCENT)
    axes.plot([best], [objective[best]], "o", color=WARN)
    axes.annotate(
        f"{objective[best]:.3f} in epoch {best}",
        (best, float(objective[best])),
        (-6, -16),
        textcoords="offset points",
        ha="right" if best > 0.4 * objective.index.max() else "left",
        color=WARN,
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="objective", title="Validation objective")
    axes.set_ylim(0, 1.02)
    return figure


def study_figure(points: Sequence[Mapping[str, Any]], models: Sequence[str], conditions: Sequence[str]) -> Figure:
    """A panel per condition: accuracy over training voices, a line per model."""
    figure, panels = new_axes(3.3 * len(conditions), 3.0, columns=len(conditions))
    for axes, condition in zip(panels, conditions, strict=True):
        axes.sharey(panels[0])
        for colour, model in zip(SERIES, models, strict=False):
            mine = [p for p in points if (p["condition"], p["model"]) == (condition, model)]
            _curve(axes, sorted(mine, key=lambda p: float(p["voices"])), colour, model)
        voices = sorted({int(p["voices"]) for p in points})
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(voices))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(voices, [str(v) for v in voices])
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set(xlabel="training voices", title="clean" if condition == "clean" else f"noise at {condition}")
    panels[0].set_ylabel("all labels right")
    panels[0].legend(loc="best", frameon=False)
    return figure


def _curve(axes: Axes, points: Sequence[Mapping[str, Any]], colour: str, model: str) -> None:
    voices = [p["voices"] for p in points]
    axes.plot(voices, [p["mean"] for p in points], color=colour, label=model, linewidth=1.8)
    bands = [p["interval"] or (p["mean"], p["mean"]) for p in points]
    axes.fill_between(voices, [b[0] for b in bands], [b[1] for b in bands], color=colour, alpha=0.15, linewidth=0)
    dots = [(p["voices"], value) for p in points for value in p.get("by_seed", ())]
    axes.scatter([x for x, _ in dots], [y for _, y in dots], s=12, color=colour if dots else MUTED)
