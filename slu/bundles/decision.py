"""From a head's probabilities to its answer: temperature, threshold, and the probability that the answer states.

The one place that decides: prediction, evaluation and the choice of a threshold all call it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.spec import Head

Scores = NDArray[np.float32]

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
