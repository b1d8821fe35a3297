"""Which durations belong to the task, and which are accidents."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 20
"""Clips below which quartiles mean little, and nothing is called an outlier."""
_FAR = 3.0
"""Quartile ranges beyond the quartiles that count as far out (Tukey, 1977, section 2E); on the logarithm, because
durations are ratios: half and double are equally odd."""
_AT_LEAST = 2.0
"""No clip is far out within half and double of the quartiles: clips cut to one length have no spread at all."""
_STEPS_PER_S = 10


@dataclass(frozen=True)
class DurationLimits:
    min_s: float
    max_s: float
    changed: bool
    """They are not the ones that training has today."""
    outside: int
    """Clips that they leave out."""
    regular_s: tuple[float, float]
    """The shortest and the longest clip that is no outlier."""


def choose_limits(durations_s: NDArray[np.float64], today_s: tuple[float, float]) -> DurationLimits | None:
    """Today's limits, each moved (to a tenth of a second, outwards) only where it cuts regular clips off or lets
    outliers pass. None without clips."""
    if not len(durations_s):
        return None
    regular = durations_s
    if len(durations_s) >= _ENOUGH:
        low, high = np.percentile(np.log(durations_s), [25, 75])
        reach = max(_FAR * (high - low), np.log(_AT_LEAST))
        regular = durations_s[(np.log(durations_s) >= low - reach) & (np.log(durations_s) <= high + reach)]
    shortest, longest = float(regular.min()), float(regular.max())
    min_s, max_s = today_s
    if shortest < min_s or (durations_s[durations_s < shortest] >= min_s).any():
        min_s = max(1, np.floor(shortest * _STEPS_PER_S)) / _STEPS_PER_S if shortest >= 0.1 else 0.0
    if longest > max_s or (durations_s[durations_s > longest] <= max_s).any():
        max_s = np.ceil(longest * _STEPS_PER_S) / _STEPS_PER_S
    outside = int(((durations_s < min_s) | (durations_s > max_s)).sum())
    return DurationLimits(float(min_s), float(max_s), (min_s, max_s) != today_s, outside, (shortest, longest))
