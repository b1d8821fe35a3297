"""What a study has found: a page, plots, and a table of its trials for other programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import rich.table
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from slu.common.files import atomic_write, write_json
from slu.documents.page import Bullets, Page, Picture, Section, Table, Text, write_page
from slu.studies.search_plots import importances, write_plots
from slu.studies.study_storage import load_study
from slu.studies.trials import ASIDE, ERROR, counted
from slu.studies.winner import Comparison, Winner, chosen

_CAPTIONS = {
    "history": "Trials in the order they were begun, and the best so far.",
    "epochs": "Validation objective by epoch; lines that end early were pruned.",
    "importance": "Share of the objective's variance between whole trials that each setting explains (fANOVA).",
    "parallel": "Every whole trial is a line through its settings.",
    "slice": "Objective by each setting alone.",
    "pareto": "Trials that no other beats on all objectives.",
}


@dataclass(frozen=True)
class StudyPlace:
    url: str
    name: str
    home: Path
    """Where studies have their reports."""

    @property
    def folder(self) -> Path:
        return self.home / self.name

    def load(self) -> Study:
        return load_study(self.url, self.name)


def trials_table(study: Study) -> pd.DataFrame:
    """A row per trial that counts, in the order they were begun: settings, values, state, epochs, seconds, error."""
    rows, front = [], pareto_front(study)
    for trial in counted(study):
        values = trial.values or [None] * len(study.directions)
        names = ["objective"] if len(values) == 1 else [f"objective_{n}" for n in range(1, len(values) + 1)]
        rows.append(
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                **dict(zip(names, values, strict=True)),
                "epochs": max(trial.intermediate_values, default=None),
                "wall_s": None if trial.duration is None else round(trial.duration.total_seconds(), 1),
                **trial.params,
                **({"front": trial.number in front} if front else {}),
                "error": trial.user_attrs.get(ERROR, ""),
            }
        )
    return pd.DataFrame(rows)


def trials_shown(study: Study, most: int) -> rich.table.Table:
    """For the terminal: the best first, then those that were not whole."""
    table = trials_table(study)
    if "objective" in table:
        table = table.sort_values("objective", ascending=False, na_position="last", kind="stable")
    table = table.drop(columns=[name for name in table if not table[name].astype(str).str.len().any()])
    shown = rich.table.Table(title=f"study {study.study_name}: {len(table)} trials", title_justify="left")
    for name in table:
        shown.add_column(str(name), justify="left" if name in ("state", "error") else "right")
    for row in table.head(most).to_dict("records"):
        shown.add_row(*(_cell(value) for value in row.values()))
    return shown


def pareto_front(study: Study) -> list[int]:
    """Of several objectives the trials that none beats on all, the best by the first first; else empty."""
    if len(study.directions) == 1:
        return []
    best = {t.number: t.values for t in study.best_trials}
    sign = 1.0 if study.directions[0].name == "MAXIMIZE" else -1.0
    return sorted(best, key=lambda number: -sign * best[number][0])


def saving(study: Study) -> tuple[int, int] | None:
    """Epochs that were trained, and those that pruning left out of as many as the longest trial had; None where nothing
    was pruned, or no trial was whole."""
    known = [t for t in counted(study) if t.intermediate_values]
    whole = [max(t.intermediate_values) for t in known if t.state is TrialState.COMPLETE]
    cut = [max(t.intermediate_values) for t in known if t.state is TrialState.PRUNED]
    if not whole or not cut:
        return None
    return sum(whole) + sum(cut), sum(max(whole) - epochs for epochs in cut)


def summary(study: Study) -> list[str]:
    """In sentences: how many trials there were, which won, what mattered, what pruning saved."""
    trials = counted(study)
    by_state = {s: sum(t.state is s for t in trials) for s in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)}
    aside = sum(ASIDE in t.user_attrs for t in study.get_trials(deepcopy=False))
    said = [
        f"{len(trials)} trials: {by_state[TrialState.COMPLETE]} whole, {by_state[TrialState.PRUNED]} pruned, "
        f"{by_state[TrialState.FAIL]} failed; {aside} more were cut short and tried again, or set aside"
    ]
    winner = chosen(study)
    if winner is not None:
        said.append(winner.sentence)
    if front := pareto_front(study):
        said.append(f"trials that no other beats on every objective: {', '.join(map(str, front))}")
    if (found := importances(study)) and len(study.directions) == 1:
        said.append("what mattered: " + ", ".join(f"{name} {share:.0%}" for name, share in found.items()))
    if (saved := saving(study)) is not None:
        trained, left_out = saved
        said.append(
            f"pruning left out {left_out} of {trained + left_out} epochs ({left_out / (trained + left_out):.0%})"
        )
    return said


def write_search_report(place: StudyPlace, comparison: Comparison | None = None) -> Path:
    """`report.html`, `trials.csv`, `study.json` and the plots, in the study's folder."""
    study, folder = place.load(), place.folder
    pictures = write_plots(study, folder)
    table, said = trials_table(study), summary(study)
    with atomic_write(folder / "trials.csv") as file:
        table.to_csv(file, index=False)
    winner = chosen(study)
    sections = [Section("Answer", [Bullets(said), *([] if winner is None else [Text(_optimism(winner))])])]
    if comparison is not None:
        sections.append(Section("Winner and start", [_comparison(comparison)]))
    sections += [
        Section(name.capitalize(), [Picture(figure, caption, f"{caption} Interactive: {name}.html", "png")])
        for name, figure in pictures.items()
        for caption in [_CAPTIONS[name.partition("-")[0]]]
    ]
    sections.append(Section("Trials", [_trials(table, counted(study))]))
    facts: dict[str, Any] = {"study": place.name, "said": said, "importances": importances(study)}
    if comparison is not None:
        facts["comparison"] = [
            dict(zip(("measure", "start", "winner", "difference", "interval"), row, strict=True))
            for row in comparison.rows()
        ]
    write_json(folder / "study.json", facts)
    write_page(folder / "report.html", Page(f"Search {place.name}", f"Trials in {place.url}", sections))
    return folder / "report.html"


def _optimism(winner: Winner) -> str:
    return (
        f"The winner's validation figure is the best of {winner.tried}, chosen because it is: part of it is luck, and "
        "it is no forecast. What the settings are worth, test clips of other speakers say, which nothing was chosen by."
    )


def _comparison(comparison: Comparison) -> Table:
    rows = []
    for measure, start, winner, difference, interval in comparison.rows():
        between = "" if interval is None else f"{interval[0]:+.4f} to {interval[1]:+.4f}"
        rows.append([measure, f"{start:.4f}", f"{winner:.4f}", f"{difference:+.4f}", between])
    seeds = ", ".join(map(str, comparison.seeds))
    caption = f"All labels right, means over the seeds {seeds}; 95 % by Student's t over pairs of the same seed."
    return Table(["measure", "as it started", "winner", "difference", "95 % interval"], rows, caption)


def _trials(table: pd.DataFrame, trials: Sequence[FrozenTrial]) -> Table:
    shown = table.drop(columns=["error"]) if not any(table["error"]) else table
    rows = [[_cell(value) for value in row.values()] for row in shown.to_dict("records")]
    return Table(list(map(str, shown.columns)), rows, "Also in trials.csv.", text_columns=(0, 1), fold_after=40)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
