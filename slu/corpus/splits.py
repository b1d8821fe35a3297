"""Who trains, who validates, who tests.

Speakers, and the recordings that clips were cut from, are kept on one side unless another split is asked for by name.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from slu.common.errors import UserError
from slu.corpus.manifest import SPLIT_NAMES, SPLITS

Method = Literal["auto", "column", "speaker", "recording", "random"]


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
    units = _units(table, method, where)
    names = units.unique()
    order = [names[i] for i in rng.permutation(len(names))]
    n_val, n_test = (max(1, round(len(order) * share)) if share > 0 else 0 for share in (settings.val, settings.test))
    if len(order) - n_val - n_test < 1:
        if method == "random":
            raise UserError(f"{where} has {len(order)} clips, too few for training, validation and test")
        more = "record more people" if method == "speaker" else "add recordings"
        raise UserError(
            f"{where} has {len(order)} {method}s, too few for {method}-disjoint training, validation and test; "
            f"{more}, fill a split column, or accept leakage with data.split.method=random"
        )
    side = {name: "test" if i < n_test else "val" if i < n_test + n_val else "train" for i, name in enumerate(order)}
    return table.assign(split=units.map(side))


def workable_method(table: pd.DataFrame) -> Method | None:
    """The first of `auto`, `speaker`, `recording` and `random` that these rows can be split by with what is otherwise
    the default; None where they are too few for any."""
    methods: tuple[Method, ...] = ("auto", "speaker", "recording", "random")
    for method in methods:
        try:
            assign_splits(table, SplitSettings(method), "")
        except UserError:
            continue
        return method
    return None


def _units(table: pd.DataFrame, method: str, where: str) -> pd.Series:
    """What goes to one side as a whole: by row the name of its speaker, of its recording, or its own number."""
    if method == "random":
        return pd.Series(np.arange(len(table)), index=table.index)
    if method == "recording":
        if "recording" not in table.columns:
            raise UserError(
                f"{where} has no recording column, so whole recordings cannot be kept on one side; "
                "add one, or use data.split.method=speaker"
            )
        return _filled(table, "recording", where)
    people = speakers(table, where)
    return _joined(people, table["recording"]) if "recording" in table.columns else people


def _joined(people: pd.Series, recordings: pd.Series) -> pd.Series:
    """Speakers who share a recording go under the name of one of them: neither may stand on both sides."""
    leader = {name: name for name in people}

    def leads(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for _, group in people[recordings != ""].groupby(recordings):
        first = leads(group.iloc[0])
        for name in group.unique():
            leader[leads(name)] = first
    return people.map(leads)


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
        leaky = "recording" if "recording" in table.columns else "random"
        raise UserError(
            f"{where} has no speaker column, so a speaker-disjoint split is impossible; "
            f"add one, fill a split column, or accept leakage with data.split.method={leaky}"
        )
    return _filled(table, "speaker", where)


def _filled(table: pd.DataFrame, column: str, where: str) -> pd.Series:
    empty = table.index[table[column] == ""]
    if len(empty):
        raise UserError(f"{where}:{int(empty[0]) + 2}: column '{column}' is empty")
    return table[column]


def leave_one_out(table: pd.DataFrame, speaker: str) -> pd.DataFrame:
    """One fold of leave-one-speaker-out: `speaker` is the test split, everybody else trains."""
    return table.assign(split=np.where(table["speaker"] == speaker, "test", "train"))


def leaking_speakers(table: pd.DataFrame) -> list[str]:
    """Speakers that stand on more than one side of the split, sorted."""
    return _leaking(table, "speaker")


def leaking_recordings(table: pd.DataFrame) -> list[str]:
    """Recordings whose pieces stand on more than one side of the split, sorted."""
    return _leaking(table, "recording")


def _leaking(table: pd.DataFrame, column: str) -> list[str]:
    if column not in table.columns or "split" not in table.columns:
        return []
    known = table[table[column] != ""]
    sides = known.groupby(column)["split"].nunique()
    return sorted(sides[sides > 1].index)


def describe_split(table: pd.DataFrame, *, named: bool = True) -> str:
    """`speaker-disjoint`, `speakers leak: …` or `speakers unknown`, for the report; with some of the names.

    Of clips that were cut from recordings, what became of the recordings is added where speakers are not disjoint.
    """
    leaking, cut = leaking_speakers(table), leaking_recordings(table)
    names = f" ({', '.join(leaking[:3])}{', …' if len(leaking) > 3 else ''})" if named else ""
    if leaking:
        text = f"speakers leak: {len(leaking)} on both sides of the split{names}"
    elif "speaker" not in table.columns or (table["speaker"] == "").any():
        text = "speakers unknown"
    elif not cut:
        return "speaker-disjoint"
    else:
        text = "speakers on one side each"
    if cut:
        return f"{text}, recordings cut through: {len(cut)}"
    known = "recording" in table.columns and bool((table["recording"] != "").all())
    return f"{text}, recordings disjoint" if known else text


def speaker_hash(name: str) -> str:
    """Stands for a speaker in a bundle: bundles travel, names should not."""
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def spoken_sides(recorded: pd.DataFrame, val: float) -> list[str]:
    """The sides of a synthesised corpus that join recordings: its training voices, and its validation voices where
    there should be validation (`val`, the share asked for) and no recording is marked for it. They never test."""
    has_val = "split" in recorded.columns and bool((recorded["split"] == "val").any())
    return ["train", "val"] if val > 0 and not has_val else ["train"]
