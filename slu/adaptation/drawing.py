"""In which order clips are taken: as a person who is asked to record a few would say them, every class in turn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator

from slu.corpus.labels import label_ids
from slu.spec import Head


def in_turn(table: pd.DataFrame, heads: Sequence[Head], rng: Generator, most: int | None = None) -> list[int]:
    """Row numbers: each next row has the classes that came least often so far, drawn among equals.

    Of `most` rows, or of all.
    """
    ids = label_ids(table, heads)
    cost, order = np.zeros(len(table), np.int64), []
    tie, taken = rng.permutation(len(table)), np.zeros(len(table), dtype=bool)
    for _ in range(len(table) if most is None else min(most, len(table))):
        row = int(np.lexsort((tie, cost, taken))[0])
        order.append(row)
        taken[row] = True
        for head in heads:
            values = ids[head.name]
            if values[row] >= 0:
                cost[values == values[row]] += 1
    return order
