"""The pictures of a report on a log."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from slu.documents.figures import ACCENT, GRID, MUTED, WARN, new_axes
from slu.monitoring.facts import FACTS, Fact
from slu.monitoring.findings import Seen
from slu.monitoring.reference import Reference
from slu.monitoring.sketch import Counts, quantile

_MOST_BARS = 25


def requests_figure(seen: Sequence[Seen]) -> Figure:
    figure, (axes,) = new_axes(4.6, 2.4)
    place = np.arange(len(seen))
    axes.bar(place, [one.window.requests for one in seen], color=ACCENT, width=0.9, label="requests")
    axes.bar(place, [one.window.failed for one in seen], color=WARN, width=0.9, label="failed (5xx)")
    _times(axes, seen)
    axes.set(title="Requests", ylabel="in a window")
    axes.legend(fontsize=7)
    return figure


def latency_figure(seen: Sequence[Seen], limit_ms: float | None) -> Figure:
    """Half of the requests, and 95 %, were answered within; dashed is the limit."""
    figure, (axes,) = new_axes(4.6, 2.4)
    for share, colour in ((0.5, MUTED), (0.95, ACCENT)):
        axes.plot(_known([one.latency(share) for one in seen]), ".-", color=colour, label=f"{share:.0%}")
    if limit_ms is not None:
        axes.axhline(limit_ms, color=WARN, linestyle="--", linewidth=1)
    _times(axes, seen)
    axes.set(title="How long answers took", ylabel="ms", yscale="log")
    _plain(axes.yaxis)
    axes.legend(fontsize=7)
    return figure


def understood_figure(seen: Sequence[Seen], reference: Reference | None) -> Figure:
    """Share of the clips; dashed is the reference's."""
    figure, (axes,) = new_axes(4.6, 2.4)
    axes.plot(_known([one.understood for one in seen]), ".-", color=ACCENT)
    if reference is not None and (known := Seen(seen[0].window, reference.sketch).understood) is not None:
        axes.axhline(known, color=MUTED, linestyle="--", linewidth=1)
    _times(axes, seen)
    axes.set(title="Clips that were understood", ylabel="share", ylim=(0, 1.02))
    return figure


def fact_figure(fact: Fact, seen: Sequence[Seen], reference: Reference | None) -> Figure:
    """Median of each window; the band holds the middle half of the reference's clips. Red: drifted."""
    figure, (axes,) = new_axes(4.6, 2.2)
    medians = _known([one.medians.get(fact.name) for one in seen])
    axes.plot(medians, ".-", color=ACCENT)
    drifted = [place for place, one in enumerate(seen) if any(change.name == fact.name for change in one.drifted)]
    axes.plot(drifted, medians[drifted], "o", color=WARN, markersize=4)
    if reference is not None:
        counts = reference.sketch.of(fact.name)
        low, high = (quantile(counts, fact, share) for share in (0.25, 0.75))
        if low is not None and high is not None:
            axes.axhspan(low, high, color=GRID, zorder=0)
    _times(axes, seen)
    axes.set(title=fact.title, ylabel=fact.unit)
    return figure


def distribution_figure(fact: Fact, now: Counts, before: Counts) -> Figure:
    """Share of clips per bin: the reference in grey, the windows in colour."""
    figure, (axes,) = new_axes(4.6, 2.2)
    filled = np.flatnonzero(now + before)
    first, last = int(filled[0]), int(filled[-1]) + 1
    step = max(1, (last - first) // 40)
    places = np.arange(first, last, step)
    edges = fact.edges[places]
    for counts, colour, label, alpha in ((before, MUTED, "tested on", 0.45), (now, ACCENT, "log", 0.6)):
        shares = np.add.reduceat(counts, places) / max(1, counts.sum())
        widths = np.diff(np.append(edges, fact.edges[last]))
        axes.bar(edges, shares, widths, align="edge", color=colour, alpha=alpha, label=label)
    if fact.ratio:
        axes.set_xscale("log")
        _plain(axes.xaxis)
    axes.set(title=fact.title, xlabel=fact.unit, ylabel="share of clips")
    axes.legend(fontsize=7)
    return figure


def classes_figure(title: str, now: Mapping[str, int], before: Mapping[str, int]) -> Figure:
    """Shares of the classes, those that differ most where there are many."""
    names = sorted({*now, *before}, key=lambda n: -abs(_share(now, n) - _share(before, n)))[:_MOST_BARS]
    names.sort(key=lambda n: _share(before, n) + _share(now, n))
    figure, (axes,) = new_axes(4.6, 0.9 + 0.22 * len(names))
    place = np.arange(len(names))
    if before:
        axes.barh(place + 0.2, [_share(before, n) for n in names], 0.4, color=MUTED, alpha=0.6, label="tested on")
    axes.barh(place - 0.2, [_share(now, n) for n in names], 0.4, color=ACCENT, label="log")
    axes.set_yticks(place, names, fontsize=8)
    axes.set(title=title, xlabel="share of clips")
    axes.legend(fontsize=7)
    return figure


def fact_named(name: str) -> Fact | None:
    return next((fact for fact in FACTS if fact.name == name), None)


def _share(counts: Mapping[str, int], name: str) -> float:
    return counts.get(name, 0) / max(1, sum(counts.values()))


def _known(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values])


def _plain(axis: Axis) -> None:
    """Of a logarithmic axis: numbers, not powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _times(axes: Axes, seen: Sequence[Seen]) -> None:
    starts = [one.window.start for one in seen]
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(
        lambda place, _: starts[int(place)][5:].replace("T", " ") if 0 <= place < len(starts) else ""
    )
    axes.tick_params(axis="x", labelsize=7)
