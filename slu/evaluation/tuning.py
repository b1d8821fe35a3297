"""The searches behind a decision, on arrays alone: temperature, threshold, and the lowest confidence to answer at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from slu.evaluation.calibration import expected_calibration_error
from slu.evaluation.metrics import Indices, Probabilities
from slu.inference.decision import temper

_FEWEST_OF_A_CLASS = 10
_COLDEST, _HOTTEST = 0.25, 10.0


@dataclass(frozen=True)
class Temperature:
    value: float
    ece: tuple[float, float]
    """Before and after."""
    nll: tuple[float, float]
    note: str = ""
    """Why it is not where the likelihood would have it; empty where it is."""


@dataclass(frozen=True)
class Threshold:
    value: float
    low: float
    """Thresholds from here to `high` decide the validation clips alike."""
    high: float
    balanced_accuracy: float
    at_half: float
    """Balanced accuracy at 0.5."""


@dataclass(frozen=True)
class Doubt:
    min_confidence: float
    answered: float
    """Share of the clips with labels."""
    accuracy: float
    """Of these."""
    unlabelled_answered: float | None = None
    """Share of the clips with nothing to answer, where they count."""


def fit_temperature(truth: Indices, scores: Probabilities) -> Temperature:
    """The one under which the labels are likeliest (Guo et al., 2017); every clip has a label.

    Where every clip is right the likeliest is no doubt at all, and the temperature is kept at 1 or above.
    """
    right = scores.argmax(axis=1) == truth

    def ece(values: Probabilities) -> float:
        return expected_calibration_error(values.max(axis=1), right)

    def nll(temperature: float) -> float:
        own = temper(scores, temperature)[np.arange(len(truth)), truth].astype(np.float64)
        return float(-np.log(np.maximum(own, 1e-12)).mean())

    coldest = 1.0 if right.all() else _COLDEST
    # The likelihood is concave in 1 / temperature, so a search along it finds the one maximum.
    best = minimize_scalar(lambda inverse: nll(1 / inverse), bounds=(1 / _HOTTEST, 1 / coldest), method="bounded")
    value = round(float(1 / best.x), 4)
    note = ""
    if right.all() and value < 1.01:
        value, note = 1.0, "every validation clip is right, which says nothing about doubt; the temperature stays 1"
    elif value < 1.01 * _COLDEST or value > 0.99 * _HOTTEST:
        note = f"the temperature ran to the bound of {value:.2g}; do not trust the confidence"
    return Temperature(value, (ece(scores), ece(temper(scores, value))), (nll(1.0), nll(value)), note)


def tune_threshold(truth: Indices, second: NDArray[Any]) -> Threshold | None:
    """Of the second class's scores: the middle of the widest freedom that balanced accuracy leaves.

    Of several equally good stretches the one whose middle is nearest to 0.5. None with few clips of a class.
    """
    scores = np.asarray(second, dtype=np.float64)
    yes, no = np.sort(scores[truth == 1]), np.sort(scores[truth == 0])
    if min(len(yes), len(no)) < _FEWEST_OF_A_CLASS:
        return None
    bounds = np.unique([0.0, *scores, 1.0])  # thresholds in (bounds[k], bounds[k + 1]] decide alike
    below = bounds[:-1]
    hits = 1 - np.searchsorted(yes, below, side="right") / len(yes)
    rejections = np.searchsorted(no, below, side="right") / len(no)
    balanced = (hits + rejections) / 2
    best = np.flatnonzero(balanced >= balanced.max() - 1e-12)
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    low, high = min(
        ((bounds[run[0]], bounds[run[-1] + 1]) for run in runs), key=lambda ends: abs(ends[0] + ends[1] - 1)
    )
    at_half = ((yes >= 0.5).mean() + (no < 0.5).mean()) / 2
    return Threshold(float((low + high) / 2), float(low), float(high), float(balanced.max()), float(at_half))


def lowest_confidence(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], accuracy: float, floor: float
) -> Doubt | None:
    """The lowest confidence, not below `floor`, from which on answers are right often enough; None where none is.

    One more wrong answer than was seen is counted, as in conformal risk control (Angelopoulos et al., 2024): forty
    right answers in a row do not prove an accuracy of 98 %, forty-nine do.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    answered = np.arange(1, len(ordered) + 1)
    errors = np.cumsum(~right[order])
    last = np.append(np.diff(ordered) != 0, True)[: len(ordered)]  # equal confidences are answered together
    enough = last & (ordered >= floor) & (errors + 1 <= (1 - accuracy) * (answered + 1) + 1e-9)
    if not enough.any():
        return None
    k = int(np.flatnonzero(enough)[-1])
    following = ordered[k + 1] if k + 1 < len(ordered) else floor
    value = max(floor, float(ordered[k] + following) / 2)  # between two clips: rounding then changes nothing
    return Doubt(value, float(answered[k] / len(ordered)), float(1 - errors[k] / answered[k]))
