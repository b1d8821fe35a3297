"""How well the menu explains what was heard: numbers per clip, from which a confidence is made.

A search always finds a sentence. Whether anybody said it shows beside what the frames would rather be without a menu
(a loop of all phones and words, as the garbage models of keyword spotters: Rose and Paul, 1990).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.decoding.search import Found, Search
from slu.decoding.states import States
from slu.inference.arrays import Floats, Indices

VOICED = "voiced"
"""Frames that are heard as some phone and not as a pause: how much speech there is, and no matter of doubt."""

WORST = -12.0
"""Where a sentence is impossible: as if it were this bad, natural logarithm."""


def evidence(
    search: Search,
    found: Found,
    heard: tuple[Floats, Floats],
    fair: tuple[Floats, Floats],
    lengths: Indices,
    each: Sequence[tuple[Floats, Floats]] = (),
) -> dict[str, Floats]:
    """By name (batch,); the higher, the better the menu explains the clip.

    fit        of the best sentence less that of the loop, mean over the frames of speech, <= 0
    word       of the word that is heard worst: mean log-probability along its part of the path
    sound      log-probability of the likeliest phone, mean over the voiced frames
    explained  share of the voiced frames that belong to words of the sentence
    present    share of the sentence's words that is voiced
    agreed     `word`, for the listener to whom it is least: what is not on a menu, each mistakes for something else
    sounded    the same of the phones along a word's part of the path
    unhurried  of the most hurried word the logarithm of frames per phone: what was not said gets little time

    `heard` are the log-probabilities of phones and words (batch, frames, …), `fair` the scores of the search, `each`
    the log-probabilities of every single listener where there are several.
    """
    states, weights, arcs = search.states, search.weights, len(search.graph.arcs)
    phone, word, arc = states.phone[found.path], states.word[found.path], states.arc[found.path]
    inside = np.arange(phone.shape[1]) < lengths[:, None]
    spoken, voiced = (word != 0) & inside, (heard[0].argmax(2) != 0) & inside
    sentence = weights.phones * _at(fair[0], phone) + weights.words * _at(fair[1], word)
    loop = weights.phones * fair[0].max(2) + weights.words * fair[1].max(2)
    part = np.where(spoken, arc + 1, 0)
    each = each or (heard,)
    values = {
        "fit": _mean(sentence - loop, spoken | voiced),
        "word": _worst(_at(heard[1], word), part, arcs),
        "sound": _mean(heard[0].max(2), voiced),
        "explained": _mean(spoken, voiced),
        "present": _mean(voiced, spoken),
        "agreed": np.min([_worst(_at(words, word), part, arcs) for _, words in each], axis=0),
        "sounded": np.min([_worst(_at(phones, phone), part, arcs) for phones, _ in each], axis=0),
        "unhurried": _worst(np.log(_frames_per_phone(states, part, arcs)), part, arcs),
    }
    known = {name: np.maximum(value, WORST).astype(np.float32) for name, value in values.items()}
    return known | {VOICED: voiced.sum(1).astype(np.float32)}


def _at(scores: Floats, index: Indices) -> Floats:
    return np.take_along_axis(scores, index[..., None], 2)[..., 0]


def _mean(values: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[Any]:
    """(batch,) over the chosen frames; 0 where there are none."""
    return np.asarray((values * chosen).sum(1) / np.maximum(chosen.sum(1), 1))


def _sums(values: NDArray[Any], arcs: Indices, count: int) -> NDArray[np.float64]:
    """(batch, arcs + 1) over the frames of each arc, counted from 1."""
    places = arcs + (count + 1) * np.arange(len(arcs))[:, None]
    sums = np.bincount(places.ravel(), values.ravel(), len(arcs) * (count + 1))
    return np.asarray(sums.reshape(len(arcs), count + 1), np.float64)


def _worst(values: NDArray[Any], arcs: Indices, count: int) -> NDArray[np.float64]:
    """(batch,) the lowest mean over the frames of one arc, counted from 1; frames of arc 0 are of none."""
    frames = _sums(np.ones_like(values), arcs, count)
    means = _sums(values, arcs, count) / np.maximum(frames, 1)
    worst = np.where(frames == 0, np.inf, means)[:, 1:].min(1)
    return np.where(np.isinf(worst), WORST, worst)


def _frames_per_phone(states: States, arcs: Indices, count: int) -> NDArray[np.float64]:
    """(batch, frames), of the arc that each frame is of."""
    frames = _sums(np.ones(arcs.shape), arcs, count)
    phones = np.ones(count + 1)
    np.maximum.at(phones, states.arc + 1, states.position + states.remaining + 1)  # of its longest pronunciation
    return np.take_along_axis(frames / phones, arcs, 1)
