"""The search for a confidence: coefficients under which it is the probability that an answer is right.

A logistic regression on what validation clips showed, those that are not on the menu among them. No coefficient is
negative: evidence is made so that more of it speaks for the answer, and what a few clips say against that would not
hold for other voices.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from slu.spec import BIAS

_SHRINKAGE = 1.0
"""Half the penalty of a squared coefficient, of evidence in units of its own spread."""


@dataclass(frozen=True)
class Rejection:
    """What a lowest confidence does."""

    min_confidence: float
    false_accepts: float
    """Share of the clips that are not on the menu, yet are answered."""
    true_accepts: float
    """Share of the clips of the menu that are answered."""
    clips: tuple[int, int]
    """Not on the menu, and on it; conditions count apart."""


def fit_confidence(evidence: Mapping[str, NDArray[np.float64]], right: NDArray[np.bool_]) -> dict[str, float]:
    """Coefficients by name, and BIAS. `evidence` is (clips,) each; every kind of it with no effect is left out."""
    names = [name for name, values in evidence.items() if np.ptp(values) > 0]
    columns = np.stack([evidence[name] for name in names], axis=1).astype(np.float64)
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    z, y = (columns - mean) / spread, right.astype(np.float64)

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total = z @ b[1:] + b[0]
        error = expit(total) - y
        value = np.logaddexp(0, total).sum() - y @ total + _SHRINKAGE * b[1:] @ b[1:]
        return float(value), np.concatenate([[error.sum()], z.T @ error + 2 * _SHRINKAGE * b[1:]])

    bounds = [(None, None), *[(0.0, None)] * len(names)]
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = found[1:] / spread
    chosen = {name: round(float(w), 5) for name, w in zip(names, weights, strict=True) if w > 1e-5}
    return {BIAS: round(float(found[0] - weights @ mean), 5), **chosen}


def confidence_for(
    false_accepts: float, confidence: NDArray[np.float64], off_menu: NDArray[np.bool_], on_menu: NDArray[np.bool_]
) -> Rejection:
    """The lowest at which no more than this share of the clips `off_menu` is answered.

    One more answer than was seen is counted, as in conformal risk control (Angelopoulos et al., 2024).
    """
    others = np.sort(confidence[off_menu])[::-1]
    allowed = max(0, int(np.floor(false_accepts * (len(others) + 1) + 1e-9)) - 1)
    lowest = float(others[allowed])  # this one is not answered, nor are its equals
    above = confidence[confidence > lowest]
    value = (lowest + float(above.min())) / 2 if len(above) else lowest + 1e-6
    return Rejection(
        value,
        float((others >= value).mean()),
        float((confidence[on_menu] >= value).mean()),
        (int(off_menu.sum()), int(on_menu.sum())),
    )
