"""What several corpora say of bundles: a table for the terminal, and a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import rich.table
from matplotlib.figure import Figure

from slu.bundles import Bundle
from slu.common.files import atomic_write, write_json
from slu.common.wording import between, figure, signed
from slu.documents.figures import MUTED, SERIES, new_axes
from slu.documents.page import Link, Page, Part, Picture, Section, Table, Text, write_page
from slu.evaluation.clip_choice import ChosenClips
from slu.evaluation.corpora import Cell, CorporaTable, Scored, csv_rows
from slu.evaluation.evaluation import Evaluation

ONE_CLASS, TRAINED_ON = "†", "*"


def cell_text(cell: Cell) -> str:
    return figure(cell.value) + (ONE_CLASS if cell.one_class else "") + (TRAINED_ON if cell.trained_on else "")


def notes(tables: Sequence[CorporaTable]) -> list[str]:
    """What the marks in the cells mean, of those that occur."""
    cells = {(corpus, cell) for table in tables for row in table.rows.values() for corpus, cell in row.items()}
    alone = sorted({f"{corpus} {cell.one_class}" for corpus, cell in cells if cell.one_class})
    found = [f"{ONE_CLASS} one class only ({', '.join(alone)}): its recall."] if alone else []
    if any(cell.trained_on for _, cell in cells):
        found.append(
            f"{TRAINED_ON} the bundle was trained on clips of it, or on speakers of these names: no new corpus."
        )
    return found


def sentences(tables: Sequence[CorporaTable], scored: Scored) -> list[str]:
    """One per condition and recogniser, best mean first; then which bundles beat their rule everywhere."""
    found = []
    for table in tables:
        for name in sorted(table.rows, key=lambda name: -(table.mean(name) or 0)):
            if (worst := table.worst(name)) is not None:
                found.append(
                    f"{name}, {table.condition}: {figure(table.mean(name))} on average over {len(table.corpora)} "
                    f"corpora, at worst {figure(worst[1])} ({worst[0]})."
                )
    return [*found, *(text for text, clear in against_rules(tables, scored) if clear)]


def against_rules(tables: Sequence[CorporaTable], scored: Scored) -> list[tuple[str, bool]]:
    """One sentence per condition and bundle that has a rule beside it, and whether the rule is beaten everywhere."""
    found = []
    for condition, label in [(table.condition, label) for table in tables for label in scored]:
        beside = {name: r[condition].metrics.get("reference") for name, r in scored[label].items()}
        known = {name: values for name, values in beside.items() if values is not None}
        if not known:
            continue
        rule = next(iter(known.values()))["name"]
        better = [name for name, values in known.items() if values["better"]]
        worse = [name for name, values in known.items() if (values["difference_interval"] or (0, 0))[1] < 0]
        other = [name for name in known if name not in better and name not in worse]
        groups = {"clearly better than": better, "not clearly better than": other, "worse than": worse}
        parts = [f"{how} the {rule} on {', '.join(names)}" for how, names in groups.items() if names]
        found.append((f"{label}, {condition}: {'; '.join(parts)}.", len(better) == len(known)))
    return found


def write_corpora(
    folder: Path,
    tables: Sequence[CorporaTable],
    scored: Scored,
    chosen: Mapping[str, ChosenClips],
    warnings: Sequence[str],
) -> None:
    """`corpora.json`, `corpora.csv` and `report.html`."""
    document = {
        "bundles": {label: _any(corpora).predictor.bundle.version for label, corpora in scored.items()},
        "corpora": {name: {"manifest": str(c.clips.path), "split": c.split} for name, c in chosen.items()},
        "conditions": {table.condition: table.to_json() for table in tables},
        "warnings": list(warnings),
    }
    write_json(folder / "corpora.json", document)
    with atomic_write(folder / "corpora.csv") as file:
        pd.DataFrame(csv_rows(tables)).to_csv(file, index=False)
    write_page(folder / "report.html", corpora_page(tables, scored, chosen, warnings))


def terminal_table(table: CorporaTable) -> rich.table.Table:
    shown = rich.table.Table(title=f"{table.figure}, {table.condition}", title_justify="left")
    for column in ("", *table.corpora, "mean", "worst"):
        shown.add_column(column, justify="right" if column else "left")
    for name, cells in table.rows.items():
        worst = table.worst(name)
        texts = [cell_text(cell) for cell in cells.values()]
        shown.add_row(name, *texts, figure(table.mean(name)), figure(None if worst is None else worst[1]))
    return shown


def corpora_page(
    tables: Sequence[CorporaTable],
    scored: Scored,
    chosen: Mapping[str, ChosenClips],
    warnings: Sequence[str],
) -> Page:
    """The single reports lie in folders bundle/corpus beside this page."""
    bundles = {label: _any(corpora).predictor.bundle for label, corpora in scored.items()}
    figures = tables[0].figure
    sections = [
        Section("Answer", [Text("\n\n".join(sentences(tables, scored)))]),
        Section(
            figures[0].upper() + figures[1:],
            [
                Picture(dots_figure(tables), f"{figures} by corpus", "With 95 % intervals."),
                *(_table(table) for table in tables),
                *(Text(note, "small") for note in notes(tables)),
            ],
        ),
        *_rule_section(tables, scored),
        Section("Corpora", [_corpora(chosen, scored)]),
        Section("Which is which", [_bundles(bundles, list(chosen))]),
    ]
    spec = next(iter(bundles.values())).spec
    return Page(
        f"{spec.task}: {', '.join(scored)} on {len(chosen)} corpora",
        f"{sum(len(choice.clips.table) for choice in chosen.values())} clips of {', '.join(chosen)}",
        sections,
        warnings,
        "Every corpus weighs the same in a mean. Intervals are of each corpus by itself, over its speakers where they "
        "are known; they do not say how a recogniser does on a corpus that is not here.",
    )


def _any(corpora: Mapping[str, Mapping[str, Evaluation]]) -> Evaluation:
    return next(iter(next(iter(corpora.values())).values()))


def _table(table: CorporaTable) -> Table:
    rows = []
    for name, cells in table.rows.items():
        worst = table.worst(name)
        texts = [f"{cell_text(cell)} ({between(cell.interval)})" for cell in cells.values()]
        rows.append([name, figure(table.mean(name)), "-" if worst is None else f"{worst[1]:.3f} ({worst[0]})", *texts])
    return Table(["", "mean", "worst", *table.corpora], rows, caption=f"{table.condition}, with 95 % intervals")


def _rule_section(tables: Sequence[CorporaTable], scored: Scored) -> list[Section]:
    rows, names = [], set()
    for table in tables:
        for label, corpora in scored.items():
            for corpus, results in corpora.items():
                if (values := results[table.condition].metrics.get("reference")) is not None:
                    names.add(values["name"])
                    difference = signed(values["difference"], values["difference_interval"])
                    high = (values["difference_interval"] or (0, 0))[1]
                    better = "yes" if values["better"] else "worse" if high < 0 else "not clearly"
                    unanswered = f"{values['unanswered']} of {values['n']}"
                    rows.append([corpus, table.condition, label, difference, better, unanswered])
    if not rows:
        return []
    columns = ["corpus", "condition", "bundle", "bundle minus rule (95 %)", "better", "no answer of the rule"]
    text = (
        "The difference is between balanced accuracies on the same clips; its interval resamples speakers where they "
        "are known. A clip that the rule has no answer for counts as wrong."
    )
    parts: list[Part] = [Table(columns, rows, text_columns=(0, 1, 2, 4)), Text(text, "small")]
    return [Section(f"Against the {' and the '.join(sorted(names))}", parts)]


def _corpora(chosen: Mapping[str, ChosenClips], scored: Scored) -> Table:
    first = next(iter(scored.values()))
    rows = []
    for name, choice in chosen.items():
        clean = next(iter(first[name].values()))
        speakers = str(len(set(clean.speakers) - {""})) if clean.speakers is not None else "unknown"
        which = "all rows" if choice.split is None else f"{choice.split} split"
        rows.append([name, str(choice.clips.path), which, str(len(clean.table)), speakers, str(len(clean.broken))])
    return Table(["corpus", "table", "rows", "clips", "speakers", "unreadable"], rows, text_columns=(0, 1, 2))


def _bundles(bundles: Mapping[str, Bundle], corpora: Sequence[str]) -> Table:
    rows: list[list[str | Link]] = [
        [
            label,
            bundle.version,
            f"{sum(p.numel() for p in bundle.recogniser.parameters()):,}",
            *(Link("report", f"{bundle.version}/{corpus}/report.html") for corpus in corpora),
        ]
        for label, bundle in bundles.items()
    ]
    columns = ["", "bundle", "parameters", *corpora]
    return Table(columns, rows, text_columns=(0, 1, *range(3, len(columns))))


def dots_figure(tables: Sequence[CorporaTable]) -> Figure:
    """A row per corpus, a dot with its interval per recogniser, beside each other by condition."""
    corpora, names = tables[0].corpora, list(tables[0].rows)
    height = 1.2 + len(corpora) * (0.22 + 0.16 * len(names))
    figure_, axes_ = new_axes(4.4 * len(tables) if len(tables) > 1 else 6.2, height, columns=len(tables))
    step = 0.7 / len(names)
    for axes, table in zip(axes_, tables, strict=True):
        for place, name in enumerate(names):
            colour, mark = (MUTED, "D") if name in table.rules else (SERIES[place % (len(SERIES) - 1)], "o")
            for row, corpus in enumerate(corpora):
                cell = table.rows[name].get(corpus)
                if cell is None or cell.value is None:
                    continue
                y = len(corpora) - 1 - row + 0.35 - step * (place + 0.5)
                label = name if row == 0 and axes is axes_[0] else None
                if cell.interval is not None:
                    axes.plot(cell.interval, [y, y], color=colour, linewidth=1.4)
                axes.plot(cell.value, y, mark, color=colour, markersize=5, label=label, clip_on=False)
        axes.set_yticks(range(len(corpora)), list(reversed(corpora)) if axes is axes_[0] else [])
        axes.grid(visible=False, axis="y")
        axes.set_xlim(right=1.005)
        axes.set(xlabel=table.figure, title=table.condition, ylim=(-0.5, len(corpora) - 0.5))
    low = min(axes.get_xlim()[0] for axes in axes_)
    for axes in axes_:
        axes.set_xlim(left=max(0.0, low))
    figure_.legend(loc="outside lower center", ncols=3)
    return figure_
