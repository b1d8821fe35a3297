"""A learning curve on paper: figure, table, page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rich.table
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from slu.common.files import atomic_write, write_json
from slu.documents.figures import SERIES, encode, new_axes
from slu.documents.page import Bullets, Page, Picture, Section, Table, Text, write_page
from slu.studies.answer import answer
from slu.studies.curve import Curve, Interval, Point, build_curve
from slu.studies.fits import FitResult
from slu.studies.method import describe_method
from slu.training.stages import Prepared

_MARK = "All labels right, with 95 % intervals; * where a difference excludes zero."
_CAPTION = "Lines: mean over the seeds, with 95 % bands over test speakers. Dots: single seeds."


def curve_figure(curve: Curve) -> Figure:
    """A panel per condition; the voices on a logarithmic axis."""
    figure, panels = new_axes(4.6 * len(curve.conditions), 3.6, columns=len(curve.conditions))
    ticks = {curve.voices(share): share for share in curve.shares}
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for axes, condition in zip(panels, curve.conditions, strict=True):
        for number, model in enumerate(curve.models):
            colour = SERIES[number % len(SERIES)]
            points = curve.at(condition, model)
            voices = [p.voices for p in points]
            axes.plot(voices, [p.mean for p in points], color=colour, label=model, linewidth=1.8)
            bands = [p.interval or (p.mean, p.mean) for p in points]
            axes.fill_between(
                voices, [b[0] for b in bands], [b[1] for b in bands], color=colour, alpha=0.15, linewidth=0
            )
            dots = [(p.voices, value) for p in points for value in p.by_seed]
            axes.scatter([x for x, _ in dots], [y for _, y in dots], s=12, color=colour)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(list(ticks), [f"{voices}\n{share:.0%}" for voices, share in ticks.items()])
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel("training voices")
        axes.set_title("clean" if condition == "clean" else f"noise at {condition}", loc="left", fontweight="bold")
    panels[0].set_ylabel("all labels right")
    panels[0].legend(loc="lower right", frameon=False)
    return figure


def rows(curve: Curve) -> tuple[list[str], list[list[str]]]:
    """Header and cells, for the page and the terminal alike."""
    pair = len(curve.models) == 2
    header = ["condition", "voices", "share", "clips", *curve.models]
    header += [f"{curve.models[0]} minus {curve.models[1]}"] if pair else []
    cells = []
    for condition in curve.conditions:
        by_model = [curve.at(condition, model) for model in curve.models]
        for number, share in enumerate(curve.shares):
            points = [points[number] for points in by_model]
            row = [condition, str(points[0].voices), f"{share:.0%}", f"{points[0].clips:.0f}", *map(_cell, points)]
            if pair:
                difference = curve.differences[condition][share]
                row.append(
                    f"{difference.value:+.3f}{_span(difference.interval, signed=True)}{' *' * bool(difference.sign)}"
                )
            cells.append(row)
    return header, cells


def _cell(point: Point) -> str:
    return f"{point.mean:.3f}{_span(point.interval)}"


def _span(interval: Interval, *, signed: bool = False) -> str:
    if interval is None:
        return ""
    low, high = (f"{end:+.3f}" if signed else f"{end:.3f}" for end in interval)
    return f" ({low} to {high})"


def curve_table(curve: Curve) -> rich.table.Table:
    """For the terminal."""
    header, cells = rows(curve)
    table = rich.table.Table(title=_MARK, title_justify="left")
    for column, name in enumerate(header):
        table.add_column(name, justify="right" if column else "left")
    for number, row in enumerate(cells):
        table.add_row(*row, end_section=(number + 1) % len(curve.shares) == 0)
    return table


@dataclass(frozen=True)
class Report:
    task: str
    question: str
    answer: str
    method: list[str]
    curve: Curve
    results: Sequence[FitResult]


def make_report(
    results: Sequence[FitResult], question: str, data: Prepared, max_epochs: int, *, synthetic: bool
) -> Report:
    """`synthetic`: every voice is."""
    curve = build_curve(results)
    train_clips = int((data.features.table["split"] == "train").sum())
    return Report(
        task=data.spec.task,
        question=question,
        answer=answer(curve, question, synthetic=synthetic),
        method=describe_method(curve, results, train_clips, max_epochs),
        curve=curve,
        results=results,
    )


def write_report(run: Path, report: Report) -> None:
    """`learning_curve.json`, `.png`, `.svg` and `report.html` in the run's folder."""
    curve, results = report.curve, report.results
    figure = curve_figure(curve)
    facts: dict[str, Any] = {"question": report.question, "answer": report.answer, "method": report.method}
    fits = [
        {k: v for k, v in asdict(r).items() if k not in ("right", "speakers")}
        | {"accuracy": {condition: r.accuracy(condition) for condition in r.right}}
        for r in results
    ]
    write_json(run / "learning_curve.json", {**facts, **asdict(curve), "fits": fits})
    for kind in ("png", "svg"):
        with atomic_write(run / f"learning_curve.{kind}", "wb") as file:
            file.write(encode(figure, kind))
    sections = [
        Section("Answer", [Text(report.answer)]),
        Section("Figure", [Picture(figure, "All labels right by number of training voices", _CAPTION)]),
        Section("Numbers", [Table(*rows(curve), _MARK), _fits_table(curve, results)]),
        Section("How it was measured", [Bullets(report.method)]),
    ]
    subtitle = f"Task {report.task}: {', '.join(curve.models)} on {curve.test_clips} test clips, {curve.resampled}"
    write_page(run / "report.html", Page("Learning curve", subtitle, sections))


def _fits_table(curve: Curve, results: Sequence[FitResult]) -> Table:
    header = ["model", "share", "voices", "seed", "epochs", "CPU s", "parameters", *curve.conditions]
    cells = [
        [r.model, f"{r.share:.0%}", str(r.voices), str(r.seed), str(r.epochs), f"{r.cpu_s:.0f}", f"{r.parameters:,}",
         *(f"{r.accuracy(condition):.3f}" for condition in curve.conditions)]
        for r in results
    ]  # fmt: skip
    return Table(header, cells, "Every fit.", fold_after=6)
