"""How well the menu explains what was heard: numbers per clip, from which a confidence is made.

A search always finds a sentence. Whether anybody said it shows beside what the frames would rather be without a menu
(a loop of all phones and words, as the garbage models of keyword spotters: Rose and Paul, 1990).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from slu.decoding.search import Found, Search
from slu.decoding.states import States

VOICED = "voiced"
"""Frames that are heard as some phone and not as a pause: how much speech there is, and no matter of doubt."""

WORST = -12.0
"""Where a sentence is impossible: as if it were this bad, natural logarithm."""


def evidence(
    search: Search,
    found: Found,
    heard: tuple[Tensor, Tensor],
    fair: tuple[Tensor, Tensor],
    lengths: Tensor,
    each: Sequence[tuple[Tensor, Tensor]] = (),
) -> dict[str, Tensor]:
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
    inside = torch.arange(phone.shape[1]) < lengths[:, None]
    spoken, voiced = (word != 0) & inside, (heard[0].argmax(2) != 0) & inside
    sentence = weights.phones * _at(fair[0], phone) + weights.words * _at(fair[1], word)
    loop = weights.phones * fair[0].amax(2) + weights.words * fair[1].amax(2)
    part = torch.where(spoken, arc + 1, 0)
    each = each or (heard,)
    values = {
        "fit": _mean(sentence - loop, spoken | voiced),
        "word": _worst(_at(heard[1], word), part, arcs),
        "sound": _mean(heard[0].amax(2), voiced),
        "explained": _mean(spoken.float(), voiced),
        "present": _mean(voiced.float(), spoken),
        "agreed": torch.stack([_worst(_at(words, word), part, arcs) for _, words in each]).amin(0),
        "sounded": torch.stack([_worst(_at(phones, phone), part, arcs) for phones, _ in each]).amin(0),
        "unhurried": _worst(_frames_per_phone(states, part, arcs).log(), part, arcs),
    }
    return {name: value.clamp(min=WORST) for name, value in values.items()} | {VOICED: voiced.sum(1).float()}


def _at(scores: Tensor, index: Tensor) -> Tensor:
    return scores.gather(2, index[..., None])[..., 0]


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """(batch,) over the chosen frames; 0 where there are none."""
    return (values * chosen).sum(1) / chosen.sum(1).clamp(min=1)


def _worst(values: Tensor, arcs: Tensor, count: int) -> Tensor:
    """(batch,) the lowest mean over the frames of one arc, counted from 1; frames of arc 0 are of none."""
    frames = torch.zeros(len(arcs), count + 1).scatter_add_(1, arcs, torch.ones_like(values))
    means = torch.zeros_like(frames).scatter_add_(1, arcs, values) / frames.clamp(min=1)
    worst = means.masked_fill(frames == 0, torch.inf)[:, 1:].amin(1)
    return torch.where(worst.isinf(), WORST, worst)


def _frames_per_phone(states: States, arcs: Tensor, count: int) -> Tensor:
    """(batch, frames), of the arc that each frame is of."""
    frames = torch.zeros(len(arcs), count + 1).scatter_add_(1, arcs, torch.ones(arcs.shape))
    phones = torch.ones(count + 1)
    owner, length = states.arc + 1, (states.position + states.remaining + 1).float()
    phones = phones.scatter_reduce(0, owner, length, "amax")  # of its longest pronunciation
    return (frames / phones).gather(1, arcs)
