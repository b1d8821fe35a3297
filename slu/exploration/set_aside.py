"""Clips that should not train or test as they are, each with one reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from slu.exploration.dataset import Dataset
from slu.exploration.duplicates import Pair, group
from slu.exploration.durations import DurationLimits
from slu.exploration.settings import Limits

Kind = Literal[
    "conflicting labels",
    "bad row",
    "no label",
    "missing audio",
    "unreadable",
    "silent",
    "duplicate",
    "near-duplicate",
    "too short",
    "too long",
    "clipped",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Where several apply, the first is given."""
_DIGITAL_SILENCE_DB = -100.0
_MOSTLY_EMPTY = 0.2
_SIDES = {"test": 0, "val": 1, "train": 2, "": 3}


@dataclass(frozen=True)
class Reason:
    kind: Kind
    detail: str
    skipped: bool = False
    """Training leaves it out by itself with data.on_bad_audio=skip; the others have to be taken out of the table."""
    twin: int | None = None
    """Row of the copy that stays."""


def find_set_aside(
    dataset: Dataset,
    measured: pd.DataFrame,
    pairs: Sequence[Pair],
    limits: Limits,
    durations: DurationLimits | None,
) -> dict[int, Reason]:
    """By row of the data set, in its order."""
    found: dict[int, Reason] = {}
    reasons = [
        *_by_row(dataset, measured, limits, durations),
        *_copies(dataset, pairs),
    ]
    for row, reason in sorted(reasons, key=lambda item: KINDS.index(item[1].kind)):
        found.setdefault(row, reason)
    return dict(sorted(found.items()))


def _by_row(
    dataset: Dataset, measured: pd.DataFrame, limits: Limits, durations: DurationLimits | None
) -> list[tuple[int, Reason]]:
    heads = list(dataset.heads)
    unlabelled = [not empty_cells_are_common(dataset) and row for row in without_label(dataset)]
    reasons: list[tuple[int, Reason]] = []
    facts = zip(dataset.table["problem"], measured.to_dict("records"), dataset.audio, unlabelled, strict=True)
    for row, (problem, clip, audio, no_label) in enumerate(facts):
        if problem.startswith("conflicting labels: "):
            reasons.append((row, Reason("conflicting labels", problem.partition(": ")[2])))
        elif problem and audio is not None:
            reasons.append((row, Reason("bad row", problem)))
        if audio is None:
            reasons.append((row, Reason("missing audio", problem.partition(": ")[2] or problem)))
        elif clip["unreadable"]:
            reasons.append((row, Reason("unreadable", clip["unreadable"], skipped=True)))
        elif clip["level_db"] < limits.silent_db:
            zeros = bool(clip["level_db"] <= _DIGITAL_SILENCE_DB)
            reasons.append((row, Reason("silent", _level(clip["level_db"]), skipped=zeros)))
        elif durations is not None and clip["duration_s"] < durations.min_s:
            detail = f"{clip['duration_s']:.2f} s, less than {durations.min_s:g} s"
            reasons.append((row, Reason("too short", detail, skipped=True)))
        elif durations is not None and clip["duration_s"] > durations.max_s:
            detail = f"{clip['duration_s']:.2f} s, more than {durations.max_s:g} s"
            reasons.append((row, Reason("too long", detail, skipped=True)))
        if clip["clipped_share"] > limits.clipped_share:
            reasons.append((row, Reason("clipped", f"{clip['clipped_share']:.1%} of the samples are cut off flat")))
        if no_label:
            reasons.append((row, Reason("no label", f"nothing says its {' or '.join(heads)}")))
    return reasons


def without_label(dataset: Dataset) -> list[bool]:
    """Of each row, whether no head has a label."""
    return [bool(empty) for empty in (dataset.table[list(dataset.heads)] == "").all(axis=1)]


def empty_cells_are_common(dataset: Dataset) -> bool:
    """Then they mean something, as 'not mentioned', and the clips are no mistakes to be left out."""
    return any((dataset.table[head] == "").mean() >= _MOSTLY_EMPTY for head in dataset.heads)


def _level(level_db: float) -> str:
    return "every sample is zero" if level_db <= -120 else f"RMS {level_db:.0f} dB: no speech left in 16 bits"


def _copies(dataset: Dataset, pairs: Sequence[Pair]) -> list[tuple[int, Reason]]:
    """All copies when their labels differ, for nobody can tell which is right. Otherwise one stays: that of the
    test before that of validation before that of training, because there are most clips to spare in training."""
    table = dataset.table
    identical = {(pair.first, pair.second) for pair in pairs if pair.kind == "identical"}
    reasons: list[tuple[int, Reason]] = []
    for rows in group(pairs):
        kept = min(rows, key=lambda row: (_SIDES.get(str(table["split"].iloc[row]), 3), row))
        for head, labels in conflicts(dataset, rows).items():
            sides = " but ".join(f"'{label}' ({table['where'].iloc[row]})" for label, row in labels.items())
            reasons += [(row, Reason("conflicting labels", f"the same recording has {head} {sides}")) for row in rows]
        for row in set(rows) - {kept}:
            kind: Kind = "duplicate" if (min(row, kept), max(row, kept)) in identical else "near-duplicate"
            reasons.append((row, Reason(kind, f"the same recording as {table['where'].iloc[kept]}", twin=kept)))
    return reasons


def conflicts(dataset: Dataset, rows: Sequence[int]) -> Mapping[str, dict[str, int]]:
    """Heads for which the rows have different labels: each label and the first row that has it."""
    found = {}
    for head in dataset.heads:
        labels: dict[str, int] = {}
        for row in rows:
            if label := str(dataset.table[head].iloc[row]):
                labels.setdefault(label, row)
        if len(labels) > 1:
            found[head] = labels
    return found


def set_aside_table(dataset: Dataset, reasons: Mapping[int, Reason]) -> pd.DataFrame:
    """What is written as set_aside.csv: the row of the data set, `reason`, `detail`, and who leaves it out."""
    columns = [*dataset.heads, "speaker", "split"]
    table = dataset.table.iloc[list(reasons)]
    return pd.DataFrame(
        {
            "file_name": table["file_name"],
            "where": table["where"],
            "reason": [reason.kind for reason in reasons.values()],
            "detail": [reason.detail for reason in reasons.values()],
            "left_out_by": ["data.on_bad_audio=skip" if reason.skipped else "you" for reason in reasons.values()],
            **{column: table[column] for column in columns},
        }
    )
