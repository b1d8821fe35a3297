"""The best sentence for given frames, and for every class of every head the best sentence that means it.

Dynamic programming over the states of a menu (Viterbi, 1967), in logarithms; forwards and backwards together give
the best path through any state (max-marginals, as forward-backward gives sums). A phone may be skipped at a price:
people swallow them, and the shortest last less than a frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slu.decoding.grammar import Grammar
from slu.decoding.graph import WordGraph
from slu.decoding.recursion import IMPOSSIBLE, Floats, Passed, Recursion
from slu.decoding.states import Indices, States, expand


@dataclass(frozen=True)
class Weights:
    """Of the two kinds of frame scores, and of what is left out."""

    phones: float = 0.5
    words: float = 0.5
    skip: float = -1.5
    """For a phone of a word that is not heard at all, natural logarithm."""
    pause: float = 0.0
    """For every frame of a pause between words. People make none to speak of within an order; a word that noise makes
    up stands far from those that were said."""


@dataclass(frozen=True)
class Found:
    """What a search gives for a batch."""

    best: Floats
    """(batch,) score of the best sentence: mean over the frames, natural logarithm."""
    classes: dict[str, Floats]
    """Head -> (batch, classes) score of the best sentence that means the class, less that of the best one: <= 0."""
    path: Indices
    """(batch, frames) the state of the best sentence at every frame."""


class Search:
    """Of a grammar. `heads` names the classes of each head in the order of the answer."""

    def __init__(self, grammar: Grammar, heads: Mapping[str, Sequence[str]], weights: Weights = Weights()) -> None:
        self.grammar, self.weights, self.graph = grammar, weights, grammar.graph
        self.states = expand(grammar)
        self._recursion = Recursion(self.states, self.graph.final, weights.skip)
        self._silent = [arc for arc in self.graph.arcs if not arc.word and arc.labels]
        self._source, self._target = [arc.source for arc in self._silent], [arc.target for arc in self._silent]
        self._where = {head: self._places(head, labels) for head, labels in heads.items()}

    def _places(self, head: str, labels: Sequence[str]) -> tuple[Indices, Indices]:
        """Where the classes are decided, one class after the other, and where the places of each begin.

        The first states of words have their numbers, the silent arcs the next ones; of a class that the menu does not
        have the place is the one after these.
        """
        first, count = (self.states.position == 0).tolist(), self.states.count
        deciding: dict[tuple[str, str], list[int]] = {(head, label): [] for label in labels}
        entered = ((s, self.graph.arcs[arc]) for s, arc in enumerate(self.states.arc.tolist()) if first[s] and arc >= 0)
        for place, arc in (*entered, *enumerate(self._silent, count)):
            for decided in deciding.keys() & set(arc.labels):
                deciding[decided].append(place)
        places = [found or [count + len(self._silent)] for found in deciding.values()]
        return np.concatenate(places), np.cumsum([0, *map(len, places[:-1])])

    def sounds(self, phones: Floats, words: Floats, states: States) -> Floats:
        """Log-probabilities (…, frames, phones) and (…, frames, words) -> (…, frames, sounds), those of the states."""
        phone, word = states.sounds
        scores: Floats = (np.float32(self.weights.phones) * phones).take(phone, -1)
        scores += (np.float32(self.weights.words) * words).take(word, -1)
        scores += np.where(states.between, np.float32(self.weights.pause), np.float32(0))
        return scores

    def __call__(self, phones: Floats, words: Floats, lengths: Indices) -> Found:
        """Log-probabilities (batch, frames, phones) and (batch, frames, words), and lengths (batch,)."""
        scores = self.sounds(phones, words, self.states)
        best = np.empty(len(scores), np.float32)
        classes = {head: np.empty((len(scores), len(starts)), np.float32) for head, (_, starts) in self._where.items()}
        path = np.zeros(scores.shape[:2], np.int64)
        for clip, length in enumerate(lengths.tolist()):  # one by one: more would not fit the processor's cache
            passed = self._recursion(scores[clip, :length])
            best[clip] = passed.after[0, 0]
            path[clip, :length] = passed.path
            at_places = self._at_places(passed)
            for head, (places, starts) in self._where.items():
                classes[head][clip] = np.maximum.reduceat(at_places[places], starts)
        relative = {head: np.maximum(values - best[:, None], IMPOSSIBLE) for head, values in classes.items()}
        return Found(np.asarray(best / lengths, np.float32), relative, path)

    def _at_places(self, passed: Passed) -> Floats:
        """Scores of the best sentences through the places of `_places`, at whatever time."""
        crossed = passed.before[:, self._source] + passed.after[:, self._target]
        return np.concatenate([passed.states, crossed.max(0), [IMPOSSIBLE]], dtype=np.float32)

    def path(self, phones: Floats, words: Floats, graph: WordGraph | None = None) -> list[tuple[int, int]] | None:
        """(phone, word) of every frame of one clip on its best sentence, of all or of a part of the menu.

        (frames, phones) and (frames, words) log-probabilities. None where the clip is too short for any sentence.
        """
        states = self.states if graph is None else expand(self.grammar, graph)
        recursion = self._recursion if graph is None else Recursion(states, graph.final, self.weights.skip)
        passed = recursion(self.sounds(phones, words, states))
        if passed.after[0, 0] < IMPOSSIBLE / 2:
            return None
        return list(zip(states.phone[passed.path].tolist(), states.word[passed.path].tolist(), strict=True))
