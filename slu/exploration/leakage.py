"""What stands on both sides of a split, and so makes a test easier than the world: people, recordings, sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from slu.exploration.dataset import Dataset
from slu.exploration.wording import joined, listed


@dataclass(frozen=True)
class Shared:
    """Values of one column that stand on more than one side of the split."""

    column: str
    values: tuple[str, ...]
    total: int
    """Different values in the column."""
    clips: int
    """Clips with one of the shared values."""
    sides: tuple[str, ...]

    def sentence(self) -> str:
        several = self.total != 1
        name = f"{self.column}s" if several else self.column
        return (
            f"{len(self.values)} of {self.total} {name} ({listed(self.values)}) "
            f"{'stand' if len(self.values) != 1 else 'stands'} on more than one side of the split "
            f"({joined(self.sides)})"
        )


def shared_values(dataset: Dataset, column: str) -> Shared | None:
    """None when the column is missing or nothing in it is shared. Synthetic voices that only train cannot leak."""
    table = dataset.people
    if column not in table.columns:
        return None
    known = table[(table[column] != "") & (table["split"] != "")]
    sides = known.groupby(column)["split"].nunique()
    values = sorted(str(value) for value in sides.index[sides > 1])
    if not values:
        return None
    rows = known[known[column].isin(values)]
    return Shared(column, tuple(values), len(sides), len(rows), _ordered(dataset, rows))


def find_leaks(dataset: Dataset, group_columns: Sequence[str]) -> list[Shared]:
    """By speaker first, then by the other columns that say which clips belong together."""
    columns = dict.fromkeys(["speaker", *group_columns])
    return [shared for column in columns if (shared := shared_values(dataset, column))]


@dataclass(frozen=True)
class Repeats:
    """The same sentence by the same speaker, more than once."""

    sentences: int
    clips: int
    across: int
    """Sentences of a speaker that stand on both sides of the split."""
    most: int


def repeated_sentences(dataset: Dataset) -> Repeats | None:
    """A person's takes differ; a synthesiser that is not varied says the same samples again."""
    table = dataset.table
    known = table[(table["speaker"] != "") & (table["text"] != "")]
    groups = known.groupby(["speaker", "text"])
    sizes = groups.size()
    repeated = sizes[sizes > 1]
    if repeated.empty:
        return None
    sides = known[known["split"] != ""].groupby(["speaker", "text"])["split"].nunique()
    return Repeats(len(repeated), int(repeated.sum()), int((sides > 1).sum()), int(repeated.max()))


def _ordered(dataset: Dataset, rows: pd.DataFrame) -> tuple[str, ...]:
    present = set(rows["split"])
    return tuple(side for side in dataset.sides if side in present)
