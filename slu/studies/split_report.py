"""What a leak is worth, on paper: one table, one sentence per model, a page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.table
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.stats import t as student

from slu.common.files import write_json
from slu.common.wording import with_interval
from slu.documents.figures import SERIES, new_axes
from slu.documents.page import Bullets, Page, Picture, Section, Table, Text, write_page
from slu.studies.split_effect import TrialResult
from slu.training.stages import Prepared

Interval = tuple[float, float] | None

COLUMNS = ("split", "is a test of", "what leaks", "test side", "model", "accuracy", "balanced")
_HEARD, _KNOWN, _NEW, _UNKNOWN = "recordings it has heard", "people it has heard", "new people", "nobody knows whom"
_BECAUSE = {
    _HEARD: "other pieces of the same recordings have trained",
    _KNOWN: "other recordings of the same people have trained",
}
_CAPTION = "Test segments with all labels right, mean over the seeds with its 95 % interval."


@dataclass(frozen=True)
class Row:
    """One model under one split."""

    method: str
    model: str
    tests: str
    """Whom the figure speaks of."""
    split: str
    """What leaks, of the seed with most of it."""
    sides: dict[str, dict[str, float]]
    """Means over the seeds."""
    accuracy: float
    accuracy_interval: Interval
    balanced_accuracy: float
    balanced_interval: Interval
    by_seed: tuple[float, ...]
    """Accuracies."""


@dataclass(frozen=True)
class Report:
    task: str
    answer: str
    method: list[str]
    rows: list[Row]
    results: Sequence[TrialResult]


def make_report(results: Sequence[TrialResult], data: Prepared, *, synthetic: bool) -> Report:
    """`synthetic`: every voice is."""
    answer = [_worth(results, model) for model in _distinct([r.model for r in results])]
    answer.append("Only what is measured on new people says what to expect of anybody else.")
    return Report(data.spec.task, "\n\n".join(answer), _describe(results, synthetic=synthetic), _rows(results), results)


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def seed_interval(values: Sequence[float], low: float = -1.0, high: float = 1.0) -> Interval:
    """Student's 95 % of the mean, no wider than `low` to `high`; None where the seeds do not differ."""
    if len(values) < 2 or np.ptp(values) < 1e-9:
        return None
    mean = float(np.mean(values))
    half = float(student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return max(low, mean - half), min(high, mean + half)


def _tests(results: Sequence[TrialResult]) -> str:
    if any(r.leaking_recordings for r in results):
        return _HEARD
    if any(r.leaking_speakers for r in results):
        return _KNOWN
    return _NEW if all(r.split == "speaker-disjoint" for r in results) else _UNKNOWN


def _rows(results: Sequence[TrialResult]) -> list[Row]:
    rows = []
    for method in _distinct([r.method for r in results]):
        of_method = [r for r in results if r.method == method]
        for model in _distinct([r.model for r in of_method]):
            mine = [r for r in of_method if r.model == model]
            accuracies, balanced = [r.accuracy for r in mine], [r.balanced_accuracy for r in mine]
            worst = max(mine, key=lambda r: (r.leaking_recordings, r.leaking_speakers))
            sides = {
                side: {what: float(np.mean([r.sides[side][what] for r in mine if side in r.sides])) for what in counts}
                for side, counts in mine[0].sides.items()
            }
            rows.append(
                Row(
                    method, model, _tests(mine), worst.split, sides, float(np.mean(accuracies)),
                    seed_interval(accuracies, 0.0), float(np.mean(balanced)), seed_interval(balanced, 0.0),
                    tuple(accuracies),
                )
            )  # fmt: skip
    return rows


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    """As in COLUMNS; what a split has in common stands in its first row."""
    cells = []
    for number, row in enumerate(rows):
        sizes = ", ".join(f"{count:.0f} {what}" for what, count in row.sides["test"].items())
        first = number == 0 or rows[number - 1].method != row.method
        common = [row.method, row.tests, row.split, sizes] if first else [""] * 4
        figures = (row.accuracy, row.accuracy_interval), (row.balanced_accuracy, row.balanced_interval)
        cells.append([*common, row.model, *(with_interval(*figure) for figure in figures)])
    return cells


def split_table(rows: Sequence[Row]) -> rich.table.Table:
    """For the terminal."""
    table = rich.table.Table(title=_CAPTION, title_justify="left")
    for column in COLUMNS:
        table.add_column(column, no_wrap=column in ("split", "model"))
    for number, cells in enumerate(_cells(rows)):
        table.add_row(*cells, end_section=number + 1 < len(rows) and rows[number + 1].method != rows[number].method)
    return table


def _worth(results: Sequence[TrialResult], model: str) -> str:
    """What the splits that leak have more than the one that does not, seed by seed."""
    mine = [r for r in results if r.model == model]
    methods = {m: [r for r in mine if r.method == m] for m in _distinct([r.method for r in mine])}
    # By recording may be by speaker too; by speaker is the one that promises it.
    honest = next((m for m in ("speaker", "recording") if m in methods and _tests(methods[m]) == _NEW), None)
    leaky = [m for m, of in methods.items() if any(r.leaks for r in of)]
    if honest is None or not leaky:
        return f"{model}: nothing to compare; a split that leaks and one by whole speakers are needed."
    new = [r.accuracy for r in methods[honest]]
    said = [f"{model}: {100 * np.mean(new):.1f} % of the segments of new people are right."]
    for method in leaky:
        told = [r.accuracy for r in methods[method]]
        why = _BECAUSE[_tests(methods[method])]
        difference = _points([100 * (a - b) for a, b in zip(told, new, strict=True)])
        said.append(f"Split {_named(method)} it seems to be {100 * np.mean(told):.1f} %, for {why}: {difference}.")
    return " ".join(said)


def _points(gaps: Sequence[float]) -> str:
    mean, span = float(np.mean(gaps)), seed_interval(gaps, -100.0, 100.0)
    if len(gaps) < 2:
        return f"{mean:+.1f} points, of a single seed, which cannot tell a leak from luck"
    over = f" (95 % interval over {len(gaps)} seeds {span[0]:+.1f} to {span[1]:+.1f})" if span else " with every seed"
    if mean <= 0 or (span is not None and span[0] <= 0):
        return f"{mean:+.1f} points{over}, which the seeds cannot tell from none"
    return f"the leak is worth {mean:.1f} points{over}"


def _named(method: str) -> str:
    return "at random" if method == "random" else f"by {method}"


def _describe(results: Sequence[TrialResult], *, synthetic: bool) -> list[str]:
    models, methods = _distinct([r.model for r in results]), _distinct([r.method for r in results])
    sizes = {r.model: f"{r.model} {r.parameters:,}" for r in results}
    seeds = sorted({r.seed for r in results})
    minutes = sum(r.cpu_s for r in results) / 60
    total = sum(counts["segments"] for counts in results[0].sides.values())
    notes = [
        f"{len(results)} fits: {', '.join(models)}, splits {', '.join(methods)}, seeds {', '.join(map(str, seeds))}; "
        f"{minutes:.1f} CPU minutes of training. Parameters: {', '.join(sizes.values())}.",
        f"Every fit has the same {total} segments and the same settings: a split moves segments between the sides, and "
        "nothing else. Whole recordings and speakers are of unequal lengths, so their sides are only about as large.",
        "Validation comes from the same split. It chooses the best epoch, and leaks where the test does.",
        "Each seed draws its own split and its own weights to start from. The intervals are Student's over the seeds, "
        "and the differences are taken seed by seed; splits of different seeds overlap, so they may be too narrow.",
    ]
    if synthetic:
        notes.append("All these voices are synthetic; how much a leak is worth among people, only people can show.")
    return notes


def _figure(rows: Sequence[Row]) -> Figure:
    """A column of dots per split and model, one dot per seed, and a line at the mean."""
    figure, (axes,) = new_axes(6.4, 3.2)
    models, methods = _distinct([r.model for r in rows]), _distinct([r.method for r in rows])
    for row in rows:
        number = models.index(row.model)
        x = methods.index(row.method) + 0.6 * ((number + 0.5) / len(models) - 0.5)
        colour = SERIES[number % len(SERIES)]
        axes.scatter([x] * len(row.by_seed), row.by_seed, s=18, color=colour, alpha=0.7, linewidth=0)
        first = row.method == methods[0]
        axes.hlines(row.accuracy, x - 0.08, x + 0.08, color=colour, linewidth=2, label=row.model if first else "_")
    axes.set_xticks(range(len(methods)), [_named(method) for method in methods])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("test segments right")
    axes.legend(loc="lower left", frameon=False)
    return figure


def write_report(run: Path, report: Report) -> None:
    """`split_effect.json` and `report.html` in the run's folder."""
    fits = [asdict(result) for result in report.results]
    facts: dict[str, Any] = {"answer": report.answer, "method": report.method, "rows": [asdict(r) for r in report.rows]}
    write_json(run / "split_effect.json", {**facts, "fits": fits})
    header = ["split", "model", "seed", "leaking speakers", "recordings cut", "accuracy", "balanced", "epochs", "CPU s"]
    every = [
        [r.method, r.model, str(r.seed), str(r.leaking_speakers), str(r.leaking_recordings), f"{r.accuracy:.3f}",
         f"{r.balanced_accuracy:.3f}", str(r.epochs), f"{r.cpu_s:.0f}"]
        for r in report.results
    ]  # fmt: skip
    alt = "Accuracy by split, one dot per seed"
    sections = [
        Section("Answer", [Text(report.answer)]),
        Section("Numbers", [Table(COLUMNS, _cells(report.rows), _CAPTION, text_columns=range(5))]),
        Section("Figure", [Picture(_figure(report.rows), alt, "Dots: single seeds. Lines: their means.")]),
        Section("Every fit", [Table(header, every, text_columns=(0, 1), fold_after=6)]),
        Section("How it was measured", [Bullets(report.method)]),
    ]
    write_page(run / "report.html", Page("What a leak is worth", f"Task {report.task}", sections))
