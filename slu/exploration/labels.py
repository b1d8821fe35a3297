"""What the tables alone say: classes and their balance, who speaks what in which split, sentences, other columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from slu.exploration.dataset import COLUMNS, Dataset

_OTHER_VALUES = 12
"""A column with more different values than this is free text or a number, not a kind of clip."""


@dataclass(frozen=True)
class HeadFacts:
    name: str
    table: pd.DataFrame
    """By class: `clips`, one column per split, and, where speakers are known, `speakers` (how many say it)."""
    empty: int
    """Rows without a label."""

    @property
    def classes(self) -> list[str]:
        return [str(label) for label in self.table.index]

    @property
    def occurring(self) -> int:
        """Classes with at least one clip."""
        return int((self.table["clips"] > 0).sum())

    @property
    def imbalance(self) -> float | None:
        """The commonest class over the rarest one that occurs; None with fewer than two."""
        present = self.table["clips"][self.table["clips"] > 0]
        return float(present.max() / present.min()) if len(present) > 1 else None

    def absent(self, side: str) -> list[str]:
        """Classes without a clip in that split."""
        return [str(label) for label in self.table.index[self.table[side] == 0]]


def count_heads(dataset: Dataset) -> list[HeadFacts]:
    return [_count(dataset, head, classes) for head, classes in dataset.heads.items()]


def _count(dataset: Dataset, head: str, classes: Sequence[str]) -> HeadFacts:
    table = dataset.table
    labelled = table[table[head] != ""]
    sides = {side: labelled[labelled["split"] == side][head].value_counts() for side in dataset.sides}
    voices = labelled[labelled["speaker"] != ""].groupby(head)["speaker"].nunique()
    counted = {"clips": labelled[head].value_counts(), **sides}
    if dataset.speakers:
        counted["speakers"] = voices
    facts = pd.DataFrame({name: series.reindex(list(classes), fill_value=0) for name, series in counted.items()})
    return HeadFacts(head, facts.astype(int), len(table) - len(labelled))


def joint_table(dataset: Dataset) -> pd.DataFrame | None:
    """Clips by the classes of the first two heads, rows and columns in the order of the classes; None with one head."""
    names = list(dataset.heads)[:2]
    if len(names) < 2:
        return None
    rows, columns = (list(dataset.heads[name]) for name in names)
    labelled = dataset.table[(dataset.table[names] != "").all(axis=1)]
    counts = pd.crosstab(labelled[names[0]], labelled[names[1]])
    return counts.reindex(index=rows, columns=columns, fill_value=0).astype(int)


def count_speakers(dataset: Dataset, durations_s: pd.Series) -> pd.DataFrame:
    """By speaker, those with most clips first: `clips`, one column per split, `minutes` (of what was measured).

    `durations_s` by row of the data set, NaN where unknown."""
    table = dataset.table.assign(minutes=durations_s / 60)
    known = table[table["speaker"] != ""]
    by_speaker = known.groupby("speaker")
    facts = pd.DataFrame({"clips": by_speaker.size()})
    for side in dataset.sides:
        facts[side] = known[known["split"] == side].groupby("speaker").size().reindex(facts.index, fill_value=0)
    if durations_s.notna().any():
        facts["minutes"] = by_speaker["minutes"].sum()
    return facts.sort_values("clips", ascending=False, kind="stable")


def common_sentences(dataset: Dataset) -> pd.DataFrame:
    """By sentence, the commonest first: `clips` and, where speakers are known, `speakers`."""
    spoken = dataset.table[dataset.table["text"] != ""]
    facts = pd.DataFrame({"clips": spoken.groupby("text").size()})
    if dataset.speakers:
        voices = spoken[spoken["speaker"] != ""].groupby("text")["speaker"].nunique()
        facts["speakers"] = voices.reindex(facts.index, fill_value=0)
    return facts.sort_values("clips", ascending=False, kind="stable")


def other_columns(dataset: Dataset) -> dict[str, pd.DataFrame]:
    """Columns that sort the clips into a few kinds, as recorded or synthetic: clips by value, and by split."""
    table = dataset.table
    found = {}
    for column in table.columns:
        known = column in (*COLUMNS, *dataset.heads) or dataset.split_origin == f"the column '{column}'"
        if not known and 2 <= table[column].nunique() <= _OTHER_VALUES:
            counts = pd.DataFrame({"clips": table[column].value_counts()})
            for side in dataset.sides:
                counts[side] = table[table["split"] == side][column].value_counts()
            found[str(column)] = counts.fillna(0).astype(int)
    return found
