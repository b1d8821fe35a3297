"""Folds that keep recordings which sound alike on one side, where the speakers are not known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from slu.common.errors import UserError

GROUP = "acoustic_group"


def group_folds(table: pd.DataFrame, folds: int, where: str) -> list[pd.DataFrame]:
    """The table once per fold, its `split` test for the groups of the fold, and train for the others.

    The folds are about equally large and always the same. Raises UserError without the groups, or with too few.
    """
    if GROUP not in table.columns or (table[GROUP] == "").any():
        raise UserError(
            f"{where} has no full column '{GROUP}'; protocol=grouped needs to know which recordings sound alike"
        )
    groups = table[GROUP]
    sizes = {str(name): int(size) for name, size in groups.value_counts().items()}
    if len(sizes) < folds + 1:
        raise UserError(f"{where} has {len(sizes)} acoustic groups, too few for {folds} folds; lower folds=")
    fold_of = _even(sizes, folds)
    result = []
    for fold in range(folds):
        side = {name: "test" if fold_of[name] == fold else "train" for name in sizes}
        result.append(table.assign(split=groups.map(side)))
    return result


def _even(sizes: dict[str, int], folds: int) -> dict[str, int]:
    """Largest group first, each to the fold that has least."""
    filled, fold_of = [0] * folds, {}
    for name in _largest_first(sizes):
        fold = int(np.argmin(filled))
        fold_of[name] = fold
        filled[fold] += sizes[name]
    return fold_of


def _largest_first(sizes: dict[str, int]) -> Sequence[str]:
    return sorted(sizes, key=lambda name: (-sizes[name], name))
