"""The best sentence for given frames, and for every class of every head the best sentence that means it.

Dynamic programming over the states of a menu (Viterbi, 1967), in logarithms; forwards and backwards together give
the best path through any state (max-marginals, as forward-backward gives sums). A phone may be skipped at a price:
people swallow them, and the shortest last less than a frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from slu.decoding.grammar import Grammar
from slu.decoding.graph import WordGraph
from slu.decoding.states import States, expand

IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class Weights:
    """Of the two kinds of frame scores, and of what is left out."""

    phones: float = 0.5
    words: float = 0.5
    skip: float = -1.5
    """For a phone of a word that is not heard at all, natural logarithm."""


@dataclass(frozen=True)
class Found:
    """What a search gives for a batch."""

    best: Tensor
    """(batch,) score of the best sentence: mean over the frames, natural logarithm."""
    classes: dict[str, Tensor]
    """Head -> (batch, classes) score of the best sentence that means the class, less that of the best one: <= 0."""
    path: Tensor
    """(batch, frames) the state of the best sentence at every frame."""


class Search:
    """Of a grammar. `heads` names the classes of each head in the order of the answer."""

    def __init__(self, grammar: Grammar, heads: Mapping[str, Sequence[str]], weights: Weights = Weights()) -> None:
        self.grammar, self.weights, self.graph = grammar, weights, grammar.graph
        self.states = expand(grammar)
        self._where = {head: [self._places(head, label) for label in labels] for head, labels in heads.items()}

    def _places(self, head: str, label: str) -> tuple[Tensor, Tensor]:
        """The first states of the words that decide the class, and the silent steps (pairs of nodes) that do."""
        deciding = {i for i, arc in enumerate(self.graph.arcs) if (head, label) in arc.labels}
        steps = [(a.source, a.target) for i, a in enumerate(self.graph.arcs) if i in deciding and not a.word]
        first = (self.states.position == 0).tolist()
        entered = [s for s, arc in enumerate(self.states.arc) if arc in deciding and first[s]]
        return torch.tensor(entered, dtype=torch.long), torch.tensor(steps, dtype=torch.long).view(-1, 2)

    def emissions(self, phones: Tensor, words: Tensor, states: States | None = None) -> Tensor:
        """Log-probabilities (batch, frames, phones) and (batch, frames, words) -> (batch, frames, states)."""
        states = states or self.states
        return self.weights.phones * phones[..., states.phone] + self.weights.words * words[..., states.word]

    def __call__(self, phones: Tensor, words: Tensor, lengths: Tensor) -> Found:
        """Log-probabilities per frame, as for `emissions`, and lengths (batch,)."""
        scores = self.emissions(phones, words)
        forward, node_forward = _forward(self.states, scores, self.weights.skip)
        backward, node_backward = _backward(self.states, scores, self.weights.skip, lengths, self.graph.final)
        frames = torch.arange(scores.shape[1])[None, :, None] < lengths[:, None, None]
        passed = forward + backward
        through = passed.masked_fill(~frames, IMPOSSIBLE).amax(1)
        moments = torch.arange(scores.shape[1] + 1)[None, :, None] <= lengths[:, None, None]
        best = node_backward[:, 0, 0]
        classes = {}
        for head, places in self._where.items():
            columns = []
            for entered, steps in places:
                candidates = [through[:, entered]] if len(entered) else []
                if len(steps):
                    crossed = node_forward[:, :, steps[:, 0]] + node_backward[:, :, steps[:, 1]]
                    candidates.append(crossed.masked_fill(~moments, IMPOSSIBLE).amax(1))
                columns.append(torch.cat(candidates, 1).amax(1) if candidates else torch.full_like(best, IMPOSSIBLE))
            classes[head] = (torch.stack(columns, 1) - best[:, None]).clamp(min=IMPOSSIBLE)
        return Found(best / lengths, classes, passed.argmax(2))  # ties aside, the states of one path

    def path(self, phones: Tensor, words: Tensor, graph: WordGraph | None = None) -> list[tuple[int, int]] | None:
        """(phone, word) of every frame of one clip on its best sentence, of all or of a part of the menu.

        (frames, phones) and (frames, words) log-probabilities. None where the clip is too short for any sentence.
        """
        states = self.states if graph is None else expand(self.grammar, graph)
        final = (graph or self.graph).final
        scores = self.emissions(phones[None], words[None], states)
        length = torch.tensor([scores.shape[1]])
        forward, _ = _forward(states, scores, self.weights.skip)
        backward, nodes = _backward(states, scores, self.weights.skip, length, final)
        if nodes[0, 0, 0] < IMPOSSIBLE / 2:
            return None
        best = (forward + backward)[0].argmax(1)  # ties aside, the states of one path
        return list(zip(states.phone[best].tolist(), states.word[best].tolist(), strict=True))


def _forward(states: States, scores: Tensor, skip: float) -> tuple[Tensor, Tensor]:
    """Best score up to each state, its frame included, (batch, frames, states); at each node before frame t."""
    batch, frames, count = scores.shape
    nodes = len(states.into)
    nothing = scores.new_full((batch, 1), IMPOSSIBLE)
    one, two = _barrier(states.position >= 1), _barrier(states.position >= 2) + skip
    at_states = scores.new_full((batch, frames, count), IMPOSSIBLE)
    at_nodes = scores.new_full((batch, frames + 1, nodes + 1), IMPOSSIBLE)
    here = scores.new_full((batch, nodes + 1), IMPOSSIBLE)
    here[:, 0] = 0.0
    now = scores.new_full((batch, count + 1), IMPOSSIBLE)
    for frame in range(frames + 1):
        if frame:
            here = torch.cat([now[:, states.into].amax(2), nothing], 1)
        here = torch.cat([here[:, states.before].amax(2), nothing], 1)
        at_nodes[:, frame] = here
        if frame == frames:
            break
        came = torch.maximum(now[:, :-1], here[:, states.source])
        came[:, 1:] = torch.maximum(came[:, 1:], now[:, :-2] + one[1:])
        came[:, 2:] = torch.maximum(came[:, 2:], now[:, :-3] + two[2:])
        at_states[:, frame] = came + scores[:, frame]
        now = torch.cat([at_states[:, frame], nothing], 1)
    return at_states, at_nodes


def _backward(states: States, scores: Tensor, skip: float, lengths: Tensor, final: int) -> tuple[Tensor, Tensor]:
    """Best score after each state, its frame left out, and from each node before frame t to the clip's end."""
    batch, frames, count = scores.shape
    nodes = len(states.into)
    nothing = scores.new_full((batch, 1), IMPOSSIBLE)
    one, two = _barrier(states.remaining >= 1), _barrier(states.remaining >= 2) + skip
    at_states = scores.new_full((batch, frames, count), IMPOSSIBLE)
    at_nodes = scores.new_full((batch, frames + 1, nodes + 1), IMPOSSIBLE)
    ended = scores.new_full((batch, nodes + 1), IMPOSSIBLE)
    ended[:, :-1] = torch.where((states.after == final).any(1), 0.0, IMPOSSIBLE)
    later = scores.new_full((batch, count + 1), IMPOSSIBLE)
    here = ended
    for frame in range(frames, -1, -1):
        if frame < frames:
            here = torch.cat([later[:, states.out_of].amax(2), nothing], 1)
            here = torch.cat([here[:, states.after].amax(2), nothing], 1)
        over = (lengths <= frame)[:, None]
        if bool(over.any()):  # at and after a clip's end its sentence is complete
            here = torch.where(over, ended, here)
            later = torch.where(over, torch.full_like(later, IMPOSSIBLE), later)
        at_nodes[:, frame] = here
        if frame == 0:
            break
        leads = torch.maximum(later[:, :-1], here[:, states.target])
        leads[:, :-1] = torch.maximum(leads[:, :-1], later[:, 1:-1] + one[:-1])
        leads[:, :-2] = torch.maximum(leads[:, :-2], later[:, 2:-1] + two[:-2])
        at_states[:, frame - 1] = leads
        later = torch.cat([leads + scores[:, frame - 1], nothing], 1)
    return at_states, at_nodes


def _barrier(open_: Tensor) -> Tensor:
    return torch.where(open_, 0.0, IMPOSSIBLE)
