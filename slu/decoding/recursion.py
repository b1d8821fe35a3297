"""Forwards and backwards through the states of a menu, over the frames of one clip, in one loop.

Backwards is forwards with the clip played in reverse and the arrows of the graph turned round. So both are one
recursion over twice the states, the cells: the states in their order, and then for backwards in the opposite one, so
that the next phone of a word is the next cell either way. In numpy, because the vectors are short: a call of torch
takes longer than what it calculates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slu.decoding.states import Indices, States

IMPOSSIBLE = -1e9

_PADDING = 2
"""Values before the first cell, so that two cells before it there is something."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Passed:
    """The best scores of the paths through one clip, natural logarithm."""

    states: Floats
    """(states,) of the whole sentences that are ever in the state."""
    path: Indices
    """(frames,) the state of the best sentence at every frame."""
    before: Floats
    """(frames + 1, nodes) from the clip's start to the node, before frame t."""
    after: Floats
    """(frames + 1, nodes) from the node, before frame t, to the clip's end."""


class Recursion:
    """Of a graph with S states and N nodes, that is over 2 S cells and 2 N nodes."""

    def __init__(self, states: States, final: int, skip: float) -> None:
        """`skip` is the score of a phone that is left out."""
        source, target, sound = states.source, states.target, states.sound
        self._states, self._nodes = states.count, len(states.before)
        self._sound = np.concatenate([sound, sound[::-1] + states.sounds.shape[1]])
        position = np.concatenate([states.position, states.remaining[::-1]])
        entered = np.concatenate([source, target[::-1] + self._nodes])
        # As numbers of values in `_run`: of a word's first cell a node, of the others the cell before.
        cells = np.arange(_PADDING, _PADDING + len(position))
        self._previous = np.where(position == 0, cells[-1] + 1 + entered, cells - 1)
        self._over_one = np.where(position >= 2, skip, IMPOSSIBLE).astype(np.float32)
        lists = _leading(target, states.before)
        lists += [len(position) - 1 - leading for leading in _leading(source, states.after)]
        self._leading = np.concatenate(lists)
        self._starts = np.cumsum([0, *map(len, lists[:-1])])
        self._begin = np.full(2 * self._nodes, IMPOSSIBLE, np.float32)
        self._begin[list(states.after[0])] = 0.0
        self._begin[[self._nodes + node for node in states.before[final]]] = 0.0

    def __call__(self, sounds: Floats) -> Passed:
        """Scores (frames, sounds) of one clip."""
        frames, nodes = len(sounds), self._nodes
        forward, backward = np.empty((2, frames, self._states), np.float32)
        at_nodes = np.empty((frames + 1, 2 * nodes), np.float32)
        self._run(np.concatenate([sounds, sounds[::-1]], 1), forward, backward, at_nodes)
        through = np.add(forward, backward[::-1, ::-1], out=forward)
        path = through.argmax(1)  # ties aside, the states of one path
        return Passed(through.max(0, initial=IMPOSSIBLE), path, at_nodes[:, :nodes], at_nodes[::-1, nodes:])

    def _run(self, sounds: Floats, forward: Floats, backward: Floats, at_nodes: Floats) -> None:
        """Fills in what is best up to every cell and node, from the scores (frames, 2 sounds) as they are played.

        forward   (frames, S) the frame included
        backward  (frames, S) the frame left out, so that the sum of both has it once
        at_nodes  (frames + 1, 2 N) before the frame
        """
        cells = 2 * self._states
        values = np.full(_PADDING + cells + 2 * self._nodes, IMPOSSIBLE, np.float32)
        before_one, now, nodes = values[:cells], values[_PADDING : _PADDING + cells], values[_PADDING + cells :]
        nodes[:] = at_nodes[0] = self._begin
        best, other = np.empty(cells, np.float32), np.empty(cells, np.float32)
        left = np.empty(len(self._leading), np.float32)
        now_forward, best_backward = now[: self._states], best[self._states :]
        # `take` in its usual mode, "raise", would fill its target by way of a copy.
        for sound, reached, awaited, at in zip(sounds, forward, backward, at_nodes[1:], strict=True):
            values.take(self._previous, None, best, "clip")
            np.maximum(best, now, out=best)
            np.add(before_one, self._over_one, out=other)
            np.maximum(best, other, out=best)
            sound.take(self._sound, None, other, "clip")
            np.add(best, other, out=now)
            now.take(self._leading, None, left, "clip")
            np.maximum.reduceat(left, self._starts, out=nodes)
            reached[:], awaited[:], at[:] = now_forward, best_backward, nodes


def _leading(leads: Indices, closure: Sequence[Sequence[int]]) -> list[Indices]:
    """Per node the states that lead to it or to one of those in its closure. `leads` (states,) is where each does."""
    direct = [np.flatnonzero(leads == node) for node in range(len(closure))]
    return [np.concatenate([direct[node] for node in nodes]) for nodes in closure]
