"""The labels of a manifest as class indices.

An empty cell means "not mentioned" where the head has that class and the row has a label of some head; otherwise it
means that nobody labelled the clip for this head, as in a row without any label.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.spec import NOT_MENTIONED, Head

NO_LABEL = -1
"""A clip without a label for a head: the head neither learns from it nor is scored on it."""


def label_ids(table: pd.DataFrame, heads: Sequence[Head]) -> dict[str, NDArray[np.int64]]:
    """Per head the class index of every row; NO_LABEL for no label, or one that the head does not have.

    `heads` are all those of the task: a label of one says that the row was labelled for the others.
    """
    cells = {head.name: table[head.name].astype(str) for head in heads if head.name in table.columns}
    labelled = np.zeros(len(table), dtype=bool)
    for column in cells.values():
        labelled |= (column != "").to_numpy()
    result = {head.name: np.full(len(table), NO_LABEL, dtype=np.int64) for head in heads}
    for head in (head for head in heads if head.name in cells):
        ids = head.to_ids()
        found = np.array([ids.get(label, NO_LABEL) for label in cells[head.name]], dtype=np.int64)
        silent = ~labelled if NOT_MENTIONED in ids else np.zeros_like(labelled)
        result[head.name] = np.where(silent, NO_LABEL, found)
    return result


def fully_labelled(table: pd.DataFrame, heads: Sequence[Head], names: Sequence[str] | None = None) -> NDArray[np.bool_]:
    """Per row: there is a label for every head of the task, or for each of `names`."""
    ids = label_ids(table, heads)
    known: NDArray[np.bool_] = np.logical_and.reduce([ids[name] != NO_LABEL for name in names or ids])
    return known
