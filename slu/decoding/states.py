"""A word graph as states for a search over frames: a chain of phones per word, and a pause at every node."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from slu.decoding.grammar import Grammar
from slu.decoding.graph import Arc, WordGraph


@dataclass(frozen=True)
class States:
    """Tensors over S states, the pauses last, and N nodes. Index S stands for no state, index N for no node.

    A chain's states have neighbouring numbers, so that its steps are shifts and not look-ups.
    """

    phone: Tensor
    """(S,) index of the grammar's phones."""
    word: Tensor
    """(S,) index of the grammar's words."""
    position: Tensor
    """(S,) how many states of the chain come before."""
    remaining: Tensor
    """(S,) how many come after."""
    source: Tensor
    """(S,) the node from which the state is entered, or N."""
    target: Tensor
    """(S,) the node to which it leads, or N."""
    into: Tensor
    """(N, most) the states that lead to each node."""
    out_of: Tensor
    """(N, most) the states that are entered from each node."""
    before: Tensor
    """(N, most) the nodes from which each can be reached without a word, itself included."""
    after: Tensor
    """(N, most) the nodes that can be reached from each without a word, itself included."""
    arc: tuple[int, ...]
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
    before, after = _silent_steps(graph)
    return States(
        phone=torch.tensor(phone),
        word=torch.tensor(word),
        position=torch.tensor(position),
        remaining=torch.tensor(remaining),
        source=torch.tensor(source),
        target=torch.tensor(target),
        into=_lists(target, graph.nodes, len(rows)),
        out_of=_lists(source, graph.nodes, len(rows)),
        before=_padded(before, graph.nodes),
        after=_padded(after, graph.nodes),
        arc=owner,
    )


def _silent_steps(graph: WordGraph) -> tuple[list[list[int]], list[list[int]]]:
    """Per node those before and after it, itself included, with no word between."""
    silent: list[Arc] = [arc for arc in graph.arcs if not arc.word]
    before = [{node} for node in range(graph.nodes)]
    for arc in silent:  # sorted by source, and every arc leads upwards: one pass
        before[arc.target] |= before[arc.source]
    after = [{node} for node in range(graph.nodes)]
    for arc in reversed(silent):
        after[arc.source] |= after[arc.target]
    return [sorted(nodes) for nodes in before], [sorted(nodes) for nodes in after]


def _lists(nodes: Sequence[int], count: int, padding: int) -> Tensor:
    lists: list[list[int]] = [[] for _ in range(count)]
    for state, node in enumerate(nodes):
        if node < count:
            lists[node].append(state)
    return _padded(lists, padding)


def _padded(lists: Sequence[Sequence[int]], padding: int) -> Tensor:
    width = max(map(len, lists))
    return torch.tensor([[*values, *[padding] * (width - len(values))] for values in lists])
