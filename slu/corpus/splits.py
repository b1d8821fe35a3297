"""Who trains, who validates, who tests. Speakers are kept on one side unless a random split is asked for by name."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from slu.common.errors import UserError

Method = Literal["auto", "column", "speaker", "random"]


@dataclass(frozen=True)
class SplitSettings:
    method: Method = "auto"
    """`auto` takes the manifest's own `split` column, and splits by speaker where there is none."""
    val: Annotated[float, Field(ge=0, lt=1)] = 0.15
    test: Annotated[float, Field(ge=0, lt=1)] = 0.15
    seed: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        if self.val + self.test >= 1:
            raise ValueError("val and test leave nothing to train on")


def assign_splits(table: pd.DataFrame, settings: SplitSettings, where: str) -> pd.DataFrame:
    """The table with a filled `split` column. Raises UserError when the method cannot be carried out."""
    has_column = "split" in table.columns and (table["split"] != "").any()
    method = ("column" if has_column else "speaker") if settings.method == "auto" else settings.method
    if method == "column":
        if not has_column:
            raise UserError(f"{where} has no split column; use data.split.method=speaker")
        empty = table.index[table["split"] == ""]
        if len(empty):
            raise UserError(
                f"{where}:{int(empty[0]) + 2}: column 'split' is empty; fill it or use data.split.method=speaker"
            )
        return table
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
