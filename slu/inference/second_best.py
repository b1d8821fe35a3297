"""The next best answers: what was said if it was not what was answered."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from slu.inference.decision import Scores
from slu.inference.prediction import Alternative, in_words
from slu.spec import Head

_CLASSES, _HEADS = 3, 6
"""The best of each of the most doubtful heads, so that there are never many answers to try."""


def second_best(
    heads: Sequence[Head],
    scores: Mapping[str, Scores],
    answers: Mapping[str, NDArray[np.int64]],
    most: int = 2,
    least: float = 0.02,
) -> tuple[Alternative, ...]:
    """`scores` (classes,) and the answered class by head. Answers less probable than `least` are left out."""
    answered = tuple(int(answers[head.name]) for head in heads)
    choices = []
    doubtful = sorted(range(len(heads)), key=lambda i: float(scores[heads[i].name][answered[i]]))[:_HEADS]
    for place, head in enumerate(heads):
        values: list[float] = scores[head.name].tolist()
        best = sorted(range(len(values)), key=lambda index: -values[index])[: _CLASSES if place in doubtful else 0]
        kept = dict.fromkeys([answered[place], *(index for index in best if values[index] >= least)])
        choices.append([(values[index], index) for index in kept])
    tried = [zip(*answer, strict=True) for answer in itertools.product(*choices)]
    found = [(math.prod(probabilities), answer) for probabilities, answer in tried if answer != answered]
    found = sorted((one for one in found if one[0] >= least), key=lambda one: -one[0])[:most]
    return tuple(_alternative(heads, answer, probability) for probability, answer in found)


def _alternative(heads: Sequence[Head], answer: Sequence[int], probability: float) -> Alternative:
    labels = {head.name: head.classes[index] for head, index in zip(heads, answer, strict=True)}
    display = {head.name: head.shown(label) for head, label in zip(heads, labels.values(), strict=True)}
    return Alternative(labels, probability, in_words(labels, display))
