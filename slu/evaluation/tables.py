"""Tables for the terminal."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from slu.common.wording import balance_matters, between, figure, signed

_MOST_COLUMNS = 9
"""Of heads' figures side by side; more are told one head per row."""
_TITLES = {"accuracy": "accuracy", "balanced_accuracy": "balanced", "macro_f1": "macro-F1"}


def metrics_table(results: Mapping[str, Mapping[str, Any]], title: str) -> Table:
    """One row per condition (clean, 10 dB, …): accuracy and macro-F1 of each head, and all labels right.

    Balanced accuracy, the mean recall of the classes, where a head has two classes or uneven ones. Where a rule was
    scored beside the model (`reference`), its balanced accuracy and what the model is better by.
    """
    table = Table(title=title, title_justify="left")
    first = next(iter(results.values()))
    heads, rule = first["heads"], first.get("reference")
    columns = [
        (name, key)
        for name, values in heads.items()
        for key in ("accuracy", *(("balanced_accuracy",) if balance_matters(values) else ()), "macro_f1")
    ]
    if rule is None and len(columns) > _MOST_COLUMNS:
        return _heads_table(results, title)
    table.add_column("condition")
    for name, key in columns:
        table.add_column(f"{name}\n{_TITLES[key]}", justify="right")
    table.add_column("all labels\nright", justify="right")
    table.add_column("95 %\ninterval", justify="right")
    table.add_column("clips", justify="right")
    if rule is not None:
        table.add_column(f"{rule['name']}\nbalanced", justify="right")
        table.add_column("model minus\nrule (95 %)", justify="right")
    for condition, metrics in results.items():
        cells = [figure(metrics["heads"][name][key]) for name, key in columns]
        clips = str(metrics["n"]) if metrics["n"] == metrics["n_joint"] else f"{metrics['n_joint']} of {metrics['n']}"
        cells += [figure(metrics["joint_accuracy"]), between(metrics.get("joint_interval")), clips]
        if beside := metrics.get("reference"):
            cells += [figure(beside["balanced_accuracy"]), signed(beside["difference"], beside["difference_interval"])]
        table.add_row(condition, *cells)
    return table


def _heads_table(results: Mapping[str, Mapping[str, Any]], title: str) -> Table:
    """One row per condition and head."""
    table = Table(title=title, title_justify="left")
    for column in ("condition", "head", *_TITLES.values(), "95 % interval", "clips"):
        table.add_column(column, justify="left" if column in ("condition", "head") else "right")
    for condition, metrics in results.items():
        joint = (figure(metrics["joint_accuracy"]), "", "", between(metrics.get("joint_interval")))
        table.add_row(condition, "all labels right", *joint, str(metrics["n_joint"]))
        for name, values in metrics["heads"].items():
            balanced = figure(values["balanced_accuracy"]) if balance_matters(values) else ""
            figures = (figure(values["accuracy"]), balanced, figure(values["macro_f1"]))
            table.add_row("", name, *figures, between(values.get("accuracy_interval")), str(values["n"]))
        table.add_section()
    return table


def speaker_table(metrics: Mapping[str, Any], most: int = 8) -> Table | None:
    """The speakers that are understood worst, first; None when no speaker is known."""
    speakers = sorted(metrics["speakers"].items(), key=lambda item: item[1]["joint_accuracy"])
    if not speakers:
        return None
    table = Table(title=f"speakers, worst first ({min(most, len(speakers))} of {len(speakers)})", title_justify="left")
    for column in ("speaker", "clips", "all labels right"):
        table.add_column(column, justify="left" if column == "speaker" else "right")
    for name, values in speakers[:most]:
        table.add_row(name, str(values["n"]), figure(values["joint_accuracy"]))
    return table


def folds_table(folds: Mapping[str, Mapping[str, Any]], summary: Mapping[str, Any], title: str) -> Table:
    """Leave-one-speaker-out: one row per held-out speaker, then mean, worst and the interval of the mean."""
    table = Table(title=title, title_justify="left")
    for column in ("held-out speaker", "clips", "all labels right"):
        table.add_column(column, justify="left" if column == "held-out speaker" else "right")
    for name, metrics in folds.items():
        table.add_row(name, str(metrics["n"]), figure(metrics["joint_accuracy"]))
    low, high = summary["interval_95"]
    table.add_section()
    table.add_row(
        "mean", "", f"{figure(summary['mean'])} (95 % interval over speakers {figure(low)} to {figure(high)})"
    )
    table.add_row("worst", "", f"{figure(summary['worst'])} ({summary['worst_speaker']})")
    if beside := {name: m["reference"] for name, m in folds.items() if "reference" in m}:
        worst = min(beside, key=lambda name: beside[name]["accuracy"])
        mean = sum(values["accuracy"] for values in beside.values()) / len(beside)
        rule = beside[worst]["name"] + (f", {beside[worst]['head']}" if len(folds[worst]["heads"]) > 1 else "")
        text = f"{figure(mean)} (mean over speakers), {figure(beside[worst]['accuracy'])} ({worst})"
        table.add_row(rule, "", text)
    return table


def facts_table(facts: Sequence[tuple[str, str]]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, value)
    return table


def show(*tables: Table | None) -> None:
    # Through a pipe rich assumes 80 columns and would cut paths: leave the width to the reader there.
    # Names of speakers and classes may hold brackets, which rich would take for its markup.
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=max(140, int(os.environ.get("COLUMNS", "0") or 0)))
    for table in tables:
        if table is not None:
            console.print(table)
