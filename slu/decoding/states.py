"""A word graph as states for a search over frames: a chain of phones per word, and a pause at every node."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slu.decoding.grammar import Grammar
from slu.decoding.graph import Arc, WordGraph

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class States:
    """Arrays over S states, the pauses last, and lists over N nodes. Index N stands for no node.

    A chain's states have neighbouring numbers, so that its steps are shifts and not look-ups.
    """

    phone: Indices
    """(S,) index of the grammar's phones."""
    word: Indices
    """(S,) index of the grammar's words."""
    sound: Indices
    """(S,) the column of `sounds` with its phone and word: many arcs have the same word."""
    sounds: Indices
    """(2, sounds) the different pairs of a phone and a word."""
    between: NDArray[np.bool_]
    """(sounds,) whether it is the pause between two words, and not that before the first or after the last."""
    position: Indices
    """(S,) how many states of the chain come before."""
    remaining: Indices
    """(S,) how many come after."""
    source: Indices
    """(S,) the node from which the state is entered, or N."""
    target: Indices
    """(S,) the node to which it leads, or N."""
    before: tuple[tuple[int, ...], ...]
    """(N,) the nodes from which each can be reached without a word, itself included."""
    after: tuple[tuple[int, ...], ...]
    """(N,) the nodes that can be reached from each without a word, itself included."""
    arc: Indices
    """(S,) the arc of the graph, -1 in a pause."""

    @property
    def count(self) -> int:
        return len(self.phone)


def expand(grammar: Grammar, graph: WordGraph | None = None) -> States:
    """Of the grammar's graph, or of a part of it: one chain per arc and pronunciation."""
    graph = graph or grammar.graph
    phones = {name: index for index, name in enumerate(grammar.phones)}
    words = {name: index for index, name in enumerate(grammar.words)}
    rows: list[tuple[int, ...]] = []
    for number, arc in enumerate(graph.arcs):
        for said in grammar.lexicon[arc.word] if arc.word else ():
            last = len(said) - 1
            rows += [
                (
                    phones[phone], words[arc.word], place, last - place, number,
                    arc.source if place == 0 else graph.nodes, arc.target if place == last else graph.nodes,
                )
                for place, phone in enumerate(said)
            ]  # fmt: skip
    rows += [(0, 0, 0, 0, -1, node, node) for node in range(graph.nodes)]
    phone, word, position, remaining, owner, source, target = zip(*rows, strict=True)
    # What may be left out at either end leaves no pause behind: it is as well one of the first or the last node.
    between = [arc < 0 and node not in (0, graph.final) for arc, node in zip(owner, source, strict=True)]
    pairs = list(zip(phone, word, between, strict=True))
    sounds = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
    phones_of, words_of, between_of = zip(*sounds, strict=True)
    before, after = _silent_steps(graph)
    return States(
        phone=np.array(phone),
        word=np.array(word),
        sound=np.array([sounds[pair] for pair in pairs]),
        sounds=np.array([phones_of, words_of]),
        between=np.array(between_of),
        position=np.array(position),
        remaining=np.array(remaining),
        source=np.array(source),
        target=np.array(target),
        before=before,
        after=after,
        arc=np.array(owner),
    )


def _silent_steps(graph: WordGraph) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Per node those before and after it, itself included, with no word between."""
    silent: list[Arc] = [arc for arc in graph.arcs if not arc.word]
    before = [{node} for node in range(graph.nodes)]
    for arc in silent:  # sorted by source, and every arc leads upwards: one pass
        before[arc.target] |= before[arc.source]
    after = [{node} for node in range(graph.nodes)]
    for arc in reversed(silent):
        after[arc.source] |= after[arc.target]
    return tuple(tuple(sorted(nodes)) for nodes in before), tuple(tuple(sorted(nodes)) for nodes in after)
