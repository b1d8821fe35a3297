"""From what a network computes to an answer, and to what else is known of it.

The network of `Recogniser.outputs` may be computed by torch or by onnxruntime; what follows is the same, and here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from slu.decoding.grammar import Grammar
from slu.decoding.search import Found, Search, Weights
from slu.inference.arrays import Floats, Indices, log_softmax
from slu.inference.evidence import WORST, evidence
from slu.spec import TaskSpec

_LEAST = -50.0
"""Of a class that the menu does not allow with what was heard: its logit."""


class Heard(NamedTuple):
    logits: dict[str, Floats]
    """(batch, classes) by head name."""
    evidence: dict[str, Floats]
    """(batch,) by name: what else says whether the answer can be trusted; the higher, the better."""


class Conclusion(ABC):
    @abstractmethod
    def __call__(self, outputs: Sequence[Floats], lengths: Indices) -> Heard:
        """Of a batch: what the network computed, and how many feature frames each clip has."""

    def settings(self) -> dict[str, Any]:
        """As JSON, for `conclusion_of`."""
        return {}


class PooledConclusion(Conclusion):
    """Of a network whose outputs are the logits."""

    def __init__(self, spec: TaskSpec) -> None:
        self.heads = spec.head_names

    def __call__(self, outputs: Sequence[Floats], lengths: Indices) -> Heard:
        """The answer, and its energy: the log-sum of a head's logits, which is low for what is unlike the training (Liu
        et al., 2020)."""
        logits = dict(zip(self.heads, outputs, strict=True))
        energy = np.min([np.logaddexp.reduce(values, 1) for values in logits.values()], axis=0)
        return Heard(logits, {"energy": energy})


class FrameScores(NamedTuple):
    """What one listener hears."""

    phones: Floats
    """(batch, frames, phones) logits; frames are `stride` features apart."""
    words: Floats
    """(batch, frames, words) logits."""
    heads: dict[str, Floats]
    """(batch, classes) logits of the pooled frames."""


class SearchConclusion(Conclusion):
    """Of a network that hears phones and words frame by frame: a search through the menu, to which the pooled heads add
    their vote.

    The outputs are phones, words and pooled heads of the first listener, then those of the next.
    """

    def __init__(
        self,
        spec: TaskSpec,
        *,
        stride: int,
        shares: Sequence[float],
        priors: tuple[Sequence[float], Sequence[float]] | None = None,
        pooled: float = 1.0,
        sharpness: float = 1.0,
        prior: float = 0.5,
        **weights: float,
    ) -> None:
        """`shares` of the listeners sum to 1; `weights` are those of slu.decoding.search. `priors` of phones and words
        are natural logarithms, unless given even: a posterior divided by its prior is what a search wants (Bourlard
        and Morgan, 1994)."""
        grammar = Grammar.from_json(spec.grammar)
        self.heads, self.stride, self.shares = spec.head_names, stride, tuple(shares)
        self.pooled, self.sharpness, self.prior = pooled, sharpness, prior
        self.search = Search(grammar, {h.name: h.classes for h in spec.heads}, Weights(**weights))
        self.priors = priors or ([0.0] * len(grammar.phones), [0.0] * len(grammar.words))

    def settings(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("stride", "shares", "priors", "pooled", "sharpness", "prior")}
        return {**own, **asdict(self.search.weights)}

    def __call__(self, outputs: Sequence[Floats], lengths: Indices) -> Heard:
        """The answer, and the evidence of slu.inference.evidence with that of the pooled heads: log-probability of the
        answered class, in the head that has the least of it, on the whole (`pooled`) and for the listener that is
        least convinced (`convinced`)."""
        each, frames = self._each(outputs), (lengths - 1) // self.stride + 1
        heard = mixed(each, self.shares)
        fair = self.likelihoods(heard)
        found = self.search(*fair, frames)
        logits = self._logits(heard, found)
        sounds, *of_each = [(log_softmax(one.phones), log_softmax(one.words)) for one in (heard, *each)]
        known = evidence(self.search, found, sounds, fair, frames, of_each)
        convinced = np.maximum(np.min([_least(one.heads, logits) for one in each], axis=0), WORST)
        return Heard(logits, {**known, "pooled": _least(heard.heads, logits), "convinced": convinced})

    def logits(self, outputs: Sequence[Floats], lengths: Indices) -> dict[str, Floats]:
        """The answer alone."""
        heard = mixed(self._each(outputs), self.shares)
        return self._logits(heard, self.search(*self.likelihoods(heard), (lengths - 1) // self.stride + 1))

    def align(self, outputs: Sequence[Floats], labels: Mapping[str, str]) -> list[tuple[int, int]] | None:
        """(phone, word) indices of every frame of one clip that says `labels`; None if it cannot."""
        try:
            graph = self.search.graph.restricted(labels)
        except ValueError:
            return None
        phones, words = self.likelihoods(mixed(self._each(outputs), self.shares))
        return self.search.path(phones[0], words[0], graph)

    def likelihoods(self, heard: FrameScores) -> tuple[Floats, Floats]:
        """Of phones and words, (batch, frames, …), natural logarithm, up to a constant per frame."""
        phone, word = (np.float32(self.prior) * np.asarray(prior, np.float32) for prior in self.priors)
        return log_softmax(heard.phones) - phone, log_softmax(heard.words) - word

    def _each(self, outputs: Sequence[Floats]) -> list[FrameScores]:
        size = len(outputs) // len(self.shares)
        parts = [outputs[i : i + size] for i in range(0, len(outputs), size)]
        return [FrameScores(one[0], one[1], dict(zip(self.heads, one[2:], strict=True))) for one in parts]

    def _logits(self, heard: FrameScores, found: Found) -> dict[str, Floats]:
        sharpness, pooled = np.float32(self.sharpness), np.float32(self.pooled)
        return {
            name: np.maximum(sharpness * found.classes[name], np.float32(_LEAST)) + pooled * log_softmax(logits)
            for name, logits in heard.heads.items()
        }


def mixed(heard: Sequence[FrameScores], shares: Sequence[float]) -> FrameScores:
    """The geometric mean of what several hear, each by its share, as logits up to a constant."""
    if len(heard) == 1:
        return heard[0]

    def mean(logits: Sequence[Floats]) -> Floats:
        parts = [np.float32(share) * log_softmax(values) for share, values in zip(shares, logits, strict=True)]
        return np.asarray(np.sum(parts, axis=0), np.float32)

    heads = {name: mean([one.heads[name] for one in heard]) for name in heard[0].heads}
    return FrameScores(mean([one.phones for one in heard]), mean([one.words for one in heard]), heads)


def conclusion_of(spec: TaskSpec, settings: Mapping[str, Any]) -> Conclusion:
    """That whose `settings` these are."""
    return SearchConclusion(spec, **settings) if settings else PooledConclusion(spec)


def _least(heads: Mapping[str, Floats], answers: Mapping[str, Floats]) -> Floats:
    """(batch,) log-probability of the answered class, in the head that gives it the least."""
    votes = [
        np.take_along_axis(log_softmax(heads[name]), values.argmax(1)[:, None], 1) for name, values in answers.items()
    ]
    return np.asarray(np.concatenate(votes, 1).min(1), np.float32)
