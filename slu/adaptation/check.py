"""Before and after on the same clips, and whether an adaptation made anything worse."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from slu.bundles import Bundle, Predictor
from slu.common.wording import figure, signed, with_interval
from slu.corpus.manifest import Manifest
from slu.evaluation.comparison import difference_interval
from slu.evaluation.intervals import Units, accuracy_interval, units
from slu.evaluation.run import evaluate
from slu.models import Recogniser


@dataclass(frozen=True)
class Answered:
    """Right or wrong, per clip with a label; `units` are what is resampled."""

    right: NDArray[np.bool_]
    units: Units


def answered(bundle: Bundle, network: Recogniser, clips: Manifest) -> Answered:
    """The clips from their audio, as a prediction hears them; right is a clip of which every labelled head is."""
    predictor = Predictor(replace(bundle, recogniser=network.eval()))
    clean = evaluate(predictor, clips)["clean"]
    known: NDArray[np.bool_] = np.logical_or.reduce([truth >= 0 for truth in clean.truth.values()])
    return Answered(clean.right[known], clean.units_of(known))


def understood(bundle: Bundle, network: Recogniser, clips: Manifest) -> Answered:
    """For clips without labels: "right" is whatever would be acted on."""
    clean = evaluate(Predictor(replace(bundle, recogniser=network.eval())), clips)["clean"]
    return Answered(clean.understood, clean.units)


def together(parts: Sequence[Answered]) -> Answered:
    """Of the folds of a cross-validation: every clip for itself, for folds share their speakers."""
    right = np.concatenate([part.right for part in parts])
    return Answered(right, units(None, len(right)))


@dataclass(frozen=True)
class Change:
    """All labels right, before and after an adaptation, on the same clips."""

    name: str
    before: float
    after: float
    interval: tuple[float, float] | None
    """95 %, of `before`."""
    difference_interval: tuple[float, float] | None
    clips: int
    guards: bool
    """Whether the adapted network may be refused for it; not where it was trained on these very clips."""

    @property
    def is_worse(self) -> bool:
        """By more than the interval of `before` allows."""
        return self.interval is not None and self.after < self.interval[0]

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "worse": self.is_worse}


def change(name: str, before: Answered, after: Answered, *, guards: bool) -> Change:
    gap = after.right.astype(np.float64) - before.right
    return Change(
        name,
        float(before.right.mean()),
        float(after.right.mean()),
        accuracy_interval(before.right, before.units),
        difference_interval(gap, before.units),
        len(before.right),
        guards,
    )


def changes_table(changes: Sequence[Change], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("clips heard", "before (95 %)", "after", "difference (95 %)", "clips"):
        table.add_column(column, justify="left" if column == "clips heard" else "right")
    for row in changes:
        gap = signed(row.after - row.before, row.difference_interval)
        table.add_row(row.name, with_interval(row.before, row.interval), figure(row.after), gap, str(row.clips))
    return table
