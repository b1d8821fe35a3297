"""The answers of an evaluation, from its `predictions.csv`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.slides.words import Missing


@dataclass(frozen=True)
class Predictions:
    path: Path
    table: pd.DataFrame
    """All text, empty where nothing was said."""
    heads: tuple[str, ...]
    """Those with labels in the table."""

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Per clip: every head has a label."""
        return (self.table[list(self.heads)] != "").all(axis=1).to_numpy()

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Per clip: every label that was given is the one that was heard."""
        agree = [(self.table[h] == self.table[f"heard_{h}"]) | (self.table[h] == "") for h in self.heads]
        right: NDArray[np.bool_] = np.logical_and.reduce(agree)
        return right

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        return self.table["confidence"].to_numpy(dtype=np.float64)

    def confident_mistakes(self, most: int) -> list[int]:
        """Rows, surest first."""
        wrong = np.flatnonzero(~self.right)
        return [int(row) for row in wrong[np.argsort(-self.confidence[wrong], kind="stable")][:most]]

    def example(self) -> int:
        """A row to show: the first that was understood and is right in every label, else the first."""
        understood = (self.table["understood"] == "True").to_numpy()
        good = np.flatnonzero(self.right & self.complete & understood)
        return int(good[0]) if len(good) else 0

    def said(self, row: int) -> str:
        """The words, or the name of the clip where they are not known."""
        text = str(self.table["text"].iloc[row]) if "text" in self.table.columns else ""
        return f"“{text}”" if text else self.name(row)

    def name(self, row: int) -> str:
        return Path(str(self.table["file_name"].iloc[row])).name

    def labels(self, row: int, *, heard: bool = False, only: Sequence[str] | None = None) -> str:
        names = self.heads if only is None else only
        return ", ".join(f"{h} {self.table[f'heard_{h}' if heard else h].iloc[row] or '(no label)'}" for h in names)

    def wrong_heads(self, row: int) -> list[str]:
        values = self.table.iloc[row]
        return [h for h in self.heads if values[h] not in ("", values[f"heard_{h}"])]


def read_predictions(path: Path, heads: Sequence[str]) -> Predictions | Missing:
    """`heads` as in metrics.json."""
    cure = "`python -m slu.evaluate` writes it anew"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError):
        return Missing(f"there are no answers at {path.name}", cure)
    needed = ["file_name", "confidence", "understood", *(f"heard_{head}" for head in heads), *heads]
    if table.empty or any(name not in table.columns for name in needed):
        return Missing(f"{path.name} is not a table of answers to {', '.join(heads)}", cure)
    return Predictions(path, table, tuple(heads))
