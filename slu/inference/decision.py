"""From a head's probabilities to its answer: temperature, threshold, and the probability that the answer states;
from all heads and what else speaks for an answer to one confidence.

The one place that decides: prediction, evaluation and the choice of a threshold all call it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.inference.arrays import logistic
from slu.spec import BIAS, Head

Scores = NDArray[np.float32]

SURE = "sure"
"""Evidence of every model: the logarithm of the product of the answered classes' scores."""

_TINY = float(np.finfo(np.float32).smallest_subnormal)


def temper(scores: Scores, temperature: float) -> Scores:
    """Probabilities (…, classes) as if their logits had been divided by the temperature.

    Of averaged segments as of single clips: it works on what is answered, not on what the network said.
    """
    if temperature == 1:
        return scores
    logits = np.log(np.maximum(scores.astype(np.float64), _TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


def decide(head: Head, scores: NDArray[Any]) -> NDArray[np.int64]:
    """Class indices (…,) of probabilities (…, classes): the most probable, or by the threshold of a two-class head."""
    if head.threshold == 0.5:  # also where both are equal: the first class
        return np.asarray(scores.argmax(axis=-1), dtype=np.int64)
    # In double precision: numpy would round the threshold to that of the scores, past a score beside it.
    return np.asarray(scores[..., 1].astype(np.float64) >= head.threshold, dtype=np.int64)


def stated(scores: NDArray[Any], answers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probability (…,) of the classes that are answered: below one half where a threshold says so."""
    chosen = np.take_along_axis(scores, answers[..., None], axis=-1)[..., 0]
    return np.asarray(chosen, dtype=np.float64)


def confidence(
    coefficients: Mapping[str, float], product: NDArray[Any], evidence: Mapping[str, NDArray[Any]]
) -> NDArray[np.float64]:
    """The probability (…,) that all labels are right: `product` of what the heads state, unless coefficients weigh it
    against other evidence."""
    stated_ = np.asarray(product, dtype=np.float64)
    if not coefficients:
        return stated_
    known = {**evidence, SURE: np.log(np.maximum(stated_, _TINY))}
    total = np.full_like(stated_, coefficients[BIAS])
    for name, weight in coefficients.items():
        if name != BIAS:
            total = total + weight * np.asarray(known[name], dtype=np.float64)
    return logistic(total)
