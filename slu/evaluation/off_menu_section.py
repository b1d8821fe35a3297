"""Rejection in the report: what is not on the menu, and how much of it is answered all the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import rich.table
from matplotlib.figure import Figure

from slu.common.wording import between, figure
from slu.documents.figures import MUTED, SERIES, WARN, new_axes
from slu.documents.page import Part, Picture, Side, Table, Text
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.off_menu import OffMenu, sureness, trade_off, unreadable


def off_menu_parts(clean: Evaluation, sets: Sequence[OffMenu], facts: Mapping[str, Any]) -> list[Part]:
    """`facts` are those of `rejection`."""
    there = f"false accepts at {facts['at_true_accepts']:.0%} true"
    columns = ["not on the menu", "clips", "false accepts", "95 % interval", there, "why the others are refused"]
    rows = [
        [
            name,
            str(of["clips"]),
            figure(of["false_accepts"]),
            between(of["interval"]),
            figure(of["false_accepts_there"]),
            ", ".join(f"{reason} {count}" for reason, count in of["reasons"].items()),
        ]
        for name, of in facts["sets"].items()
    ]
    return [
        *(Text(f"{sentence}.", "warning") for sentence in unreadable(sets)),
        Text(
            f"As the bundle stands (confidence of at least {facts['min_confidence']:.2f}) {facts['true_accepts']:.1%} "
            f"of {facts['clips']} clips of the menu are answered. {_elsewhere(facts)}"
        ),
        Side(
            [
                Picture(
                    trade_off_figure(clean, sets, facts),
                    "False accepts against true accepts",
                    "Each line is one set of recordings; a lower confidence is further right. Lower lines are better.",
                ),
                Table(columns, rows, text_columns=(0, 5)),
            ]
        ),
    ]


def _elsewhere(facts: Mapping[str, Any]) -> str:
    if (at := facts["confidence_there"]) is None:
        return (
            f"{facts['at_true_accepts']:.0%} never are: too many count as silence or noise, or are too short or long."
        )
    return f"{facts['at_true_accepts']:.0%} would be from a confidence of {at:.2f} on."


def trade_off_figure(clean: Evaluation, sets: Sequence[OffMenu], facts: Mapping[str, Any]) -> Figure:
    figure_, (axes,) = new_axes(5.0, 3.4)
    on_menu = sureness(clean)[clean.complete]
    for place, one in enumerate(sets):
        true, false = trade_off(on_menu, sureness(one.evaluation))
        axes.plot(true, false, color=SERIES[place % len(SERIES)], label=one.name)
    axes.axvline(facts["true_accepts"], color=WARN, linewidth=1, linestyle="--", label="today's threshold")
    axes.axvline(facts["at_true_accepts"], color=MUTED, linewidth=1, linestyle=":")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.01), title="Rejection")
    axes.set(xlabel="share of the menu's clips answered", ylabel="share of the others answered")
    axes.legend(loc="upper left", fontsize=8)
    return figure_


def off_menu_table(facts: Mapping[str, Any]) -> rich.table.Table:
    """For the terminal."""
    title = f"not on the menu; of what is, {facts['true_accepts']:.3f} answered"
    table = rich.table.Table(title=title, title_justify="left")
    table.add_column("recordings")
    for column in ("clips", "false\naccepts", "95 %\ninterval", f"at {facts['at_true_accepts']:.0%}\ntrue accepts"):
        table.add_column(column, justify="right")
    table.add_column("refused as")
    for name, of in facts["sets"].items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in of["reasons"].items())
        cells = figure(of["false_accepts"]), between(of["interval"]), figure(of["false_accepts_there"])
        table.add_row(name, str(of["clips"]), *cells, reasons)
    return table
