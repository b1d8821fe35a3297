"""Everything that was found out about a data set, in one value; pages, figures and decisions only read it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from slu.exploration.dataset import Dataset
from slu.exploration.duplicates import Pair
from slu.exploration.durations import DurationLimits
from slu.exploration.labels import HeadFacts
from slu.exploration.leakage import Repeats, Shared
from slu.exploration.set_aside import Reason
from slu.exploration.settings import ExplorationSettings


@dataclass(frozen=True)
class Findings:
    dataset: Dataset
    settings: ExplorationSettings
    measured: pd.DataFrame
    """Row by row of the data set, as `slu.exploration.clips.measured_table` has it."""
    heads: list[HeadFacts]
    joint: pd.DataFrame | None
    speakers: pd.DataFrame
    sentences: pd.DataFrame
    others: dict[str, pd.DataFrame]
    leaks: list[Shared]
    repeats: Repeats | None
    pairs: list[Pair]
    correlations: list[float]
    """Of the pairs that were compared, copies or not."""
    durations: DurationLimits | None
    set_aside: Mapping[int, Reason]

    @property
    def clips(self) -> int:
        return len(self.dataset.table)

    @cached_property
    def heard(self) -> pd.DataFrame:
        """The measured clips."""
        return self.measured[self.measured["duration_s"].notna()]

    @property
    def missing(self) -> int:
        """Clips whose audio is not there."""
        return sum(path is None for path in self.dataset.audio)

    @property
    def unreadable(self) -> int:
        return int((self.measured["unreadable"] != "").sum())

    @property
    def minutes(self) -> float:
        return float(self.heard["duration_s"].sum()) / 60

    @property
    def reasons(self) -> Counter[str]:
        """Clips set aside, by reason."""
        return Counter(reason.kind for reason in self.set_aside.values())

    @cached_property
    def pairs_across(self) -> list[Pair]:
        """Copies on different sides of the split."""
        split = self.dataset.table["split"]
        sides = ((pair, split.iloc[pair.first], split.iloc[pair.second]) for pair in self.pairs)
        return [pair for pair, first, second in sides if first and second and first != second]

    @property
    def trainable(self) -> bool:
        """There is audio, and every head has something to tell apart."""
        return len(self.heard) > 0 and all(head.occurring > 1 for head in self.heads)
