"""Who trains, who validates, who tests. Speakers are kept on one side unless a random split is asked for by name."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from slu.common.errors import UserError
from slu.corpus.manifest import SPLIT_NAMES, SPLITS

Method = Literal["auto", "column", "speaker", "random"]


@dataclass(frozen=True)
class SplitSettings:
    method: Method = "auto"
    """`auto` takes the manifest's own column, and splits by speaker where there is none."""
    column: Annotated[str, Field(min_length=1)] = "split"
    """The manifest's column that says which side a row is on, for `auto` and `column`."""
    val: Annotated[float, Field(ge=0, lt=1)] = 0.15
    test: Annotated[float, Field(ge=0, lt=1)] = 0.15
    seed: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        if self.val + self.test >= 1:
            raise ValueError("val and test leave nothing to train on")


def assign_splits(table: pd.DataFrame, settings: SplitSettings, where: str) -> pd.DataFrame:
    """The table with a filled `split` column. Raises UserError when the method cannot be carried out."""
    filled = settings.column in table.columns and (table[settings.column] != "").any()
    if filled and settings.method in ("auto", "column"):
        return table.assign(split=_own_split(table, settings.column, where))
    if settings.method == "column" or (settings.method == "auto" and settings.column != "split"):
        raise UserError(
            f"{where} has no {settings.column} column, or nothing in it; its columns are {', '.join(table.columns)}: "
            "correct data.split.column, or use data.split.method=speaker"
        )
    method = "speaker" if settings.method == "auto" else settings.method
    rng = np.random.default_rng(settings.seed)
    if method == "random":
        units = pd.Series(np.arange(len(table)), index=table.index)
    else:
        units = speakers(table, where)
    names = units.unique()
    order = [names[i] for i in rng.permutation(len(names))]
    n_val, n_test = (max(1, round(len(order) * share)) if share > 0 else 0 for share in (settings.val, settings.test))
    if len(order) - n_val - n_test < 1:
        raise UserError(
            f"{where} has {len(order)} speakers, too few for speaker-disjoint training, validation and test; "
            "record more people, fill a split column, or accept leakage with data.split.method=random"
        )
    side = {name: "test" if i < n_test else "val" if i < n_test + n_val else "train" for i, name in enumerate(order)}
    return table.assign(split=units.map(side))


def _own_split(table: pd.DataFrame, column: str, where: str) -> pd.Series:
    sides = table[column].str.strip().str.lower().replace(SPLIT_NAMES)
    wrong = table.index[~sides.isin(SPLITS)]
    if len(wrong):
        value = table.loc[wrong[0], column]
        problem = f"'{value}' is not one of {', '.join(SPLITS)}" if value else "is empty"
        raise UserError(
            f"{where}:{int(wrong[0]) + 2}: column '{column}' {problem}; fill it or use data.split.method=speaker"
        )
    return sides


def speakers(table: pd.DataFrame, where: str) -> pd.Series:
    """The speaker column. Raises UserError when it is missing or has gaps."""
    if "speaker" not in table.columns:
        raise UserError(
            f"{where} has no speaker column, so a speaker-disjoint split is impossible; "
            "add one, fill a split column, or accept leakage with data.split.method=random"
        )
    empty = table.index[table["speaker"] == ""]
    if len(empty):
        raise UserError(f"{where}:{int(empty[0]) + 2}: column 'speaker' is empty")
    return table["speaker"]


def leave_one_out(table: pd.DataFrame, speaker: str) -> pd.DataFrame:
    """One fold of leave-one-speaker-out: `speaker` is the test split, everybody else trains."""
    return table.assign(split=np.where(table["speaker"] == speaker, "test", "train"))


def leaking_speakers(table: pd.DataFrame) -> list[str]:
    """Speakers that stand on more than one side of the split, sorted."""
    if "speaker" not in table.columns or "split" not in table.columns:
        return []
    known = table[table["speaker"] != ""]
    sides = known.groupby("speaker")["split"].nunique()
    return sorted(sides[sides > 1].index)


def describe_split(table: pd.DataFrame) -> str:
    """`speaker-disjoint`, `speakers leak: …` or `speakers unknown`, for the report."""
    if "speaker" not in table.columns or (table["speaker"] == "").any():
        return "speakers unknown"
    leaking = leaking_speakers(table)
    if not leaking:
        return "speaker-disjoint"
    named = ", ".join(leaking[:3]) + (", …" if len(leaking) > 3 else "")
    return f"speakers leak: {len(leaking)} on both sides of the split ({named})"


def speaker_hash(name: str) -> str:
    """Stands for a speaker in a bundle: bundles travel, names should not."""
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
