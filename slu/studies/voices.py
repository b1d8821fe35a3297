"""A share of the training voices, as a table that trains for as long as all of them would."""

import math

import numpy as np
import pandas as pd

from slu.corpus.splits import speakers


def count_of(share: float, voices: int) -> int:
    """At least one; the small number keeps 0.07 x 100 = 7.000000000000001 from being rounded up to 8."""
    return max(1, math.ceil(share * voices - 1e-9))


def choose_voices(table: pd.DataFrame, share: float, seed: int, where: str) -> list[str]:
    """Nested: with one seed, the voices of a smaller share are among those of every larger one.

    Raises UserError when the training rows do not name their speakers.
    """
    names = sorted(speakers(table[table["split"] == "train"], where).unique())
    order = np.random.default_rng([seed, 1]).permutation(len(names))
    return [names[i] for i in order[: count_of(share, len(names))]]


def with_voices(table: pd.DataFrame, voices: list[str], seed: int) -> pd.DataFrame:
    """Only these voices train; validation and test stay as they are.

    Their clips are repeated to the number of clips that all voices have. So an epoch has equally many steps
    whatever the share, and with it the learning-rate schedule, the validations and the chances to stop early:
    what differs is the people heard, not the effort. Every repetition is augmented on its own. The order is
    drawn, because the last repetition may be cut, and a table that is sorted would lose one class to that.
    """
    train = table[table["split"] == "train"]
    own = np.flatnonzero(train["speaker"].isin(voices).to_numpy())
    rows = np.resize(np.random.default_rng([seed, 2]).permutation(own), len(train))
    return pd.concat([train.iloc[rows], table[table["split"] != "train"]], ignore_index=True)
