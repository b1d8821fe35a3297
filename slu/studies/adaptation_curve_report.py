"""An adaptation curve on paper: table, figure, JSON."""

from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter
from rich.table import Table

from slu.common.files import atomic_write, write_json
from slu.common.wording import between, figure
from slu.documents.figures import ACCENT, MUTED, SERIES, encode, new_axes
from slu.studies.adaptation_curve import AdaptationCurve, CurveOf

_COLOURS = SERIES[1:]  # the first is the mean's
_NAMED = len(_COLOURS)
"""Speakers who get a line of their own."""
_WHAT: dict[CurveOf, str] = {"any": "clips", "mistakes": "corrections"}


def curve_table(curve: AdaptationCurve) -> Table:
    people, seeds = len(curve.points[0].by_speaker), len({result.seed for result in curve.results})
    drawn = "one seed" if seeds == 1 else f"{seeds} seeds"
    told = f"{curve.task}: all labels right after so many {_WHAT[curve.of]} of a new speaker"
    table = Table(title=f"{told}; {people} speakers, {drawn}", title_justify="left")
    for column in (_WHAT[curve.of], "mean", "95 %, over\nspeakers", "worst\nspeaker", "", "frozen\ncheck", "CPU s"):
        table.add_column(column, justify="left" if not column else "right")
    for point in curve.points:
        table.add_row(
            str(point.count) if point.learnt == point.count else f"{point.count} (mean {point.learnt:.0f})",
            figure(point.mean),
            between(point.interval),
            figure(point.worst),
            point.worst_speaker,
            figure(point.frozen),
            f"{point.cpu_s:.0f}",
        )
    return table


def curve_figure(curve: AdaptationCurve) -> Figure:
    """The mean with its band, and every speaker; clips on a logarithmic axis that has room for none."""
    drawing, (axes,) = new_axes(7.0, 3.8)
    counts, points = [point.count for point in curve.points], curve.points
    names = sorted(points[0].by_speaker)
    for number, name in enumerate(names):
        named = len(names) <= _NAMED
        colour = _COLOURS[number] if named else MUTED
        values = [point.by_speaker[name] for point in points]
        label = name if named else None
        axes.plot(counts, values, color=colour, linewidth=0.9, marker=".", markersize=4, alpha=0.8, label=label)
    axes.fill_between(
        counts, [p.interval[0] for p in points], [p.interval[1] for p in points], color=ACCENT, alpha=0.15, linewidth=0
    )
    axes.plot(counts, [p.mean for p in points], color=ACCENT, linewidth=2.4, label="mean, 95 % over speakers")
    axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(f"{_WHAT[curve.of]} of the speaker that the bundle was adapted to")
    axes.set_ylabel("all labels right, on the speaker's others")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return drawing


def write_report(run: Path, curve: AdaptationCurve) -> None:
    """`adaptation_curve.json` and `.png` in the run's folder."""
    write_json(run / "adaptation_curve.json", asdict(curve))
    with atomic_write(run / "adaptation_curve.png", "wb") as file:
        file.write(encode(curve_figure(curve), "png"))
