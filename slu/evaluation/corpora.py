"""Bundles on several corpora: one table of recognisers by corpora, with the mean and the worst.

What counts is how a recogniser does where it never was: one figure per corpus, and every corpus weighs the same,
however many clips it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.corpus.labels import fully_labelled
from slu.evaluation.clip_choice import ChosenClips, choose_clips
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.honesty import Overlap
from slu.evaluation.labels import OnUnknownLabel
from slu.evaluation.reference import Rule
from slu.spec import Head, TaskSpec

_SHOWN = ("clean", "telephone")

Scored = Mapping[str, Mapping[str, Mapping[str, Evaluation]]]
"""Bundle (short name) -> corpus -> condition -> answers."""


@dataclass(frozen=True)
class Cell:
    """A recogniser on a corpus."""

    value: float | None
    interval: tuple[float, float] | None
    clips: int
    one_class: str = ""
    """As people are shown it, where the corpus has this class alone: the figure is then its recall."""
    trained_on: bool = False
    """On clips of the corpus, or on speakers of these names: no new corpus then."""


@dataclass(frozen=True)
class CorporaTable:
    """Under one condition. `rows` are bundles, then rules: name -> corpus -> cell."""

    condition: str
    figure: str
    rows: Mapping[str, Mapping[str, Cell]]
    rules: tuple[str, ...] = ()
    """Rows that are rules."""

    @property
    def corpora(self) -> list[str]:
        return list(next(iter(self.rows.values())))

    def mean(self, name: str) -> float | None:
        """Over corpora, each of the same weight; None where one has no figure."""
        values = [cell.value for cell in self.rows[name].values()]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if len(known) == len(values) else None

    def worst(self, name: str) -> tuple[str, float] | None:
        known = {corpus: cell.value for corpus, cell in self.rows[name].items() if cell.value is not None}
        return min(known.items(), key=lambda item: item[1]) if known else None

    def to_json(self) -> dict[str, Any]:
        rows = {}
        for name, cells in self.rows.items():
            worst = self.worst(name)
            rows[name] = {
                "corpora": {corpus: asdict(cell) for corpus, cell in cells.items()},
                "mean": self.mean(name),
                "worst": None if worst is None else {"corpus": worst[0], "value": worst[1]},
            }
        return {"figure": self.figure, "rows": rows}


def corpus_names(paths: Sequence[Path]) -> list[str]:
    """The folder of each table; more of the path, or the table's own name, where folders are called alike.

    Raises UserError for a table that is named twice.
    """
    whole = [path.resolve() for path in paths]
    if twice := [path for path, real in zip(paths, whole, strict=True) if whole.count(real) > 1]:
        raise UserError(f"manifest names one table twice: {twice[0]}")
    names = []
    for path in whole:
        parts = path.parent.parts
        own = [path.stem] if sum(other.parent == path.parent for other in whole) > 1 or len(parts) == 1 else []
        depth = next(
            depth
            for depth in range(1, len(parts) + 1)
            if all(other.parent == path.parent or other.parent.parts[-depth:] != parts[-depth:] for other in whole)
        )
        names.append("-".join([*(part for part in parts[-depth:] if part != path.anchor), *own]))
    return names if len(set(names)) == len(names) else [f"{number}-{name}" for number, name in enumerate(names, 1)]


def require_one_task(bundles: Sequence[Bundle]) -> TaskSpec:
    """The task of all; raises UserError where one answers other questions."""
    first = bundles[0]
    for other in bundles[1:]:
        if [(h.name, h.classes) for h in other.spec.heads] != [(h.name, h.classes) for h in first.spec.heads]:
            raise UserError(
                f"{first.folder} answers {_questions(first.spec)} and {other.folder} {_questions(other.spec)}; "
                "name bundles of one task"
            )
    return first.spec


def _questions(spec: TaskSpec) -> str:
    return ", ".join(f"{head.name} ({len(head.classes)} classes)" for head in spec.heads)


def counted_head(spec: TaskSpec, rules: Sequence[Rule | None]) -> Head | None:
    """The head whose balanced accuracy is shown: the one that a rule answers too, or the task's only one if it has
    two classes. None: all labels right is."""
    answered = [rule.head for rule in rules if rule is not None]
    if answered:
        return spec.head(answered[0])
    return spec.heads[0] if len(spec.heads) == 1 and len(spec.heads[0].classes) == 2 else None


def choose_corpora(
    paths: Sequence[Path],
    spec: TaskSpec,
    head: Head | None,
    on_unknown: OnUnknownLabel,
    *,
    split: str | None = None,
    column: str = "split",
) -> dict[str, ChosenClips]:
    """By name. A `split` is taken of the tables that have it, and of the others every row: a corpus that is new as a
    whole has no split.

    Raises UserError for a table that is named twice or cannot be used, for one in which nothing that is counted has
    a label, and for a split that none has.
    """
    chosen = {
        name: choose_clips(path, spec.heads, on_unknown, split=split, column=column, needs_column=False)
        for name, path in zip(corpus_names(paths), paths, strict=True)
    }
    if split is not None and all(choice.split is None for choice in chosen.values()):
        raise UserError(f"split={split}: none of the tables has a column '{column}'; leave split= out, or name "
                        "the column with split_column=")  # fmt: skip
    names = spec.head_names if head is None else [head.name]
    for choice in chosen.values():
        table = choice.clips.table
        absent = [name for name in names if name not in table.columns]
        if absent or not fully_labelled(table, spec.heads, names).any():
            raise UserError(f"{choice.clips.path} has no labels of {' and '.join(absent or names)} to score by; take "
                            "it out of manifest=, or label it")  # fmt: skip
    return chosen


def corpora_tables(
    scored: Scored, head: Head | None, overlaps: Mapping[tuple[str, str], Overlap]
) -> list[CorporaTable]:
    """Clean, and through a telephone where that was scored; `overlaps` by (bundle, corpus)."""
    conditions = next(iter(next(iter(scored.values())).values()))
    return [_corpora_table(scored, name, head, overlaps) for name in _SHOWN if name in conditions]


def _corpora_table(
    scored: Scored, condition: str, head: Head | None, overlaps: Mapping[tuple[str, str], Overlap]
) -> CorporaTable:
    rows: dict[str, dict[str, Cell]] = {}
    rules: dict[str, dict[str, Cell]] = {}
    for label, corpora in scored.items():
        for corpus, results in corpora.items():
            evaluation = results[condition]
            overlap = overlaps[label, corpus]
            rows.setdefault(label, {})[corpus] = _cell(evaluation, head, bool(overlap.clips or overlap.speakers))
            beside = evaluation.metrics.get("reference")
            if beside is not None and head is not None and beside["head"] == head.name:
                only = rows[label][corpus].one_class
                cell = Cell(beside["balanced_accuracy"], beside["interval"], beside["n"], only)
                rules.setdefault(beside["name"], {}).setdefault(corpus, cell)
    figure = "all labels right" if head is None else f"balanced accuracy of {head.name}"
    return CorporaTable(condition, figure, {**rows, **rules}, tuple(rules))


def _cell(evaluation: Evaluation, head: Head | None, trained_on: bool) -> Cell:
    metrics = evaluation.metrics
    if head is None:
        return Cell(metrics["joint_accuracy"], metrics["joint_interval"], metrics["n_joint"], "", trained_on)
    values = metrics["heads"][head.name]
    present = [label for label, of in values.get("classes", {}).items() if of["n"]]
    only = head.shown(present[0]) if len(present) == 1 else ""
    interval = values.get("balanced_accuracy_interval") or values.get("accuracy_interval")
    return Cell(values["balanced_accuracy"], interval, values["n"], only, trained_on)


def csv_rows(tables: Sequence[CorporaTable]) -> list[dict[str, Any]]:
    """One row per condition and recogniser: a column per corpus, then mean and worst."""
    rows = []
    for table in tables:
        for name, cells in table.rows.items():
            worst = table.worst(name)
            rows.append(
                {"condition": table.condition, "recogniser": name, "figure": table.figure}
                | {corpus: cell.value for corpus, cell in cells.items()}
                | {"mean": table.mean(name), "worst": None if worst is None else worst[1]}
            )
    return rows
