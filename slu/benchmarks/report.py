"""A benchmark's results for the terminal, as a page, as JSON and as CSV."""

from pathlib import Path

import rich.table
from matplotlib.figure import Figure

from slu.benchmarks.published import ACCEPTANCE
from slu.benchmarks.results import CLEAN, Mean, condition_rows
from slu.benchmarks.summary import NAMES, SHORT, WORDS, Summary
from slu.common.files import atomic_write, write_json
from slu.common.wording import figure, with_interval
from slu.documents.figures import SERIES, new_axes
from slu.documents.page import Page, Part, Picture, Section, Table, Text, write_page
from slu.evaluation.tables import facts_table

_MOST = 8
"""Speakers that the terminal lists, below their mean."""


def terminal_tables(summary: Summary, written: Path) -> list[rich.table.Table]:
    tables = [_rich(NAMES[protocol], *_conditions(summary, protocol)) for protocol in summary.protocols]
    if summary.whole_commands:
        tables.append(_rich("whole commands by SNR in dB, mean of the noises", *_engines(summary)))
    for column in ("speaker", "label"):
        columns, rows = _people(summary, column)
        if rows:
            title = f"by {column}, clean recordings, worst first"
            tables.append(_rich(title, columns, rows[: _MOST + 1] if column == "speaker" else rows))
    facts = [("warning", text) for text in summary.measured.warnings]
    facts += [("", text) for text in summary.notes()]
    facts += [(name, _cost(of)) for name, of in summary.measured.trained.items()]
    facts += [("report", str(written / "report.html")), ("figures", str(written / "results.json"))]
    return [*tables, facts_table(facts)]


def write_report(summary: Summary, folder: Path) -> None:
    """report.html, results.json, and results.csv with one row per run, condition and draw."""
    write_json(folder / "results.json", summary.to_json())
    with atomic_write(folder / "results.csv") as file:
        condition_rows(summary.measured.answers, summary.measures).to_csv(file, index=False)
    write_page(folder / "report.html", _page(summary))


def _page(summary: Summary) -> Page:
    sections = []
    for protocol in summary.protocols:
        columns, rows = _conditions(summary, protocol)
        sections.append(Section(NAMES[protocol].capitalize(), [Table(columns, rows)]))
    if summary.whole_commands:
        columns, rows = _engines(summary)
        parts: list[Part] = [Table(columns, rows, caption="by SNR in dB, the mean of the noises")]
        if len(columns) > 3:
            parts.insert(0, Picture(_curves(summary), "Accuracy of all engines by SNR"))
        sections.append(Section("Beside the published engines", parts))
    for column in ("speaker", "label"):
        columns, rows = _people(summary, column)
        if rows:
            sections.append(Section(f"By {column}", [Table(columns, rows, fold_after=20)]))
    trained = [[name, _cost(of)] for name, of in summary.measured.trained.items()]
    how: list[Part] = [Text("\n\n".join(summary.notes()))]
    if trained:
        how.append(Table(["training", ""], trained, text_columns=(0, 1)))
    sections.append(Section("How", how))
    name, source = summary.measured.settings.name, summary.measured.recordings.source
    return Page(f"Benchmark {name}", f"Recordings of people: {source}", sections, summary.measured.warnings)


def _conditions(summary: Summary, protocol: str) -> tuple[list[str], list[list[str]]]:
    lines = summary.lines(protocol)
    measures = list(lines[0].means)
    rows = [[line.name, *(_cell(line.means[m]) for m in measures)] for line in lines]
    return ["condition", *(WORDS[m] for m in measures)], rows


def _engines(summary: Summary) -> tuple[list[str], list[list[str]]]:
    engines = summary.engines()
    levels = sorted({level for row in engines.values() for level in row if level is not None}, reverse=True)
    rows = []
    for name, row in engines.items():
        whole = bool(levels) and all(level in row for level in levels)  # a mean of other SNRs would be another figure
        mean = sum(row[level] for level in levels) / len(levels) if whole else None
        rows.append([name, *(figure(row.get(level)) for level in (None, *levels)), figure(mean)])
    return ["engine", CLEAN, *(f"{level:g}" for level in levels), "mean of noisy"], rows


def _people(summary: Summary, column: str) -> tuple[list[str], list[list[str]]]:
    """One column per protocol, in the order of the first; then the mean over speakers and the worst."""
    by = {protocol: summary.by(protocol, column) for protocol in summary.protocols}
    by = {protocol: means for protocol, means in by.items() if means}
    names = list(dict.fromkeys(name for means in by.values() for name in means))
    rows = [[name, *(_cell(means.get(name)) for means in by.values())] for name in names]
    if rows and column == "speaker":
        averages = [sum(mean.value for mean in means.values()) / len(means) for means in by.values()]
        rows.insert(0, [f"mean of {len(names)}", *map(figure, averages)])
    return [column, *(SHORT[protocol] for protocol in by)], rows


def _cell(mean: Mean | None) -> str:
    return "-" if mean is None else with_interval(mean.value, mean.interval)


def _cost(trained: dict[str, object]) -> str:
    parameters, epochs, cpu_s = trained["parameters"], trained["epochs"], trained["cpu_s"]
    if parameters is None or epochs is None or cpu_s is None:
        return str(trained["bundle"])
    return f"{trained['bundle']}: {parameters:,} parameters, {epochs} epochs, {cpu_s:.0f} CPU s"


def _rich(title: str, columns: list[str], rows: list[list[str]]) -> rich.table.Table:
    table = rich.table.Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _curves(summary: Summary) -> Figure:
    figure_, (axes,) = new_axes(6.6, 4.2)
    ours = 0
    for name, row in summary.engines().items():
        points = sorted((level, value) for level, value in row.items() if level is not None)
        published = name in ACCEPTANCE
        colour = SERIES[-1] if published else SERIES[ours % (len(SERIES) - 1)]
        ours += not published
        axes.plot(
            [level for level, _ in points],
            [value for _, value in points],
            color=colour,
            alpha=0.6 if published else 1.0,
            linewidth=1 if published else 2,
            linestyle="--" if published else "-",
            marker="o" if not published else None,
            label=None if published else name,
        )
        if published:
            axes.annotate(name, points[0], fontsize=7, color=colour, textcoords="offset points", xytext=(2, 3))
    axes.set(ylim=(0, 1.005), xlabel="SNR in dB, of the loudest frames", ylabel="whole commands")
    figure_.legend(loc="outside lower center", ncols=1)
    return figure_
