"""The word graph of a menu: every sentence that may be said, and what each means.

A path from node 0 to `final` is a sentence, and takes for every head exactly one arc that decides its class. Nodes
are numbered in topological order, so that a decoder can go through the arcs once, forwards or backwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from slu.spec import NOT_MENTIONED

__all__ = ["NOT_MENTIONED", "Arc", "WordGraph"]


@dataclass(frozen=True)
class Arc:
    source: int
    target: int
    word: str = ""
    """As `words_of` gives it; an empty one takes no time."""
    labels: tuple[tuple[str, str], ...] = ()
    """(head, class) pairs that are decided by taking this arc."""


@dataclass(frozen=True)
class WordGraph:
    """Without cycles; arcs are sorted by source, and every arc leads from a lower node to a higher one."""

    nodes: int
    final: int
    arcs: tuple[Arc, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.final < self.nodes:
            raise ValueError(f"a word graph of {self.nodes} nodes has no node {self.final} to end in")
        last = 0
        for arc in self.arcs:
            if not last <= arc.source < arc.target < self.nodes:
                raise ValueError(f"the arcs of a word graph lead upwards and are sorted; {arc} is not in its place")
            last = arc.source

    @property
    def words(self) -> tuple[str, ...]:
        """The different words, sorted."""
        return tuple(sorted({arc.word for arc in self.arcs} - {""}))

    @property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """Head -> its classes, sorted; the one that is not mentioned comes first."""
        heads: dict[str, set[str]] = {}
        for arc in self.arcs:
            for head, label in arc.labels:
                heads.setdefault(head, set()).add(label)
        return {head: tuple(sorted(labels)) for head, labels in heads.items()}

    def leaving(self) -> list[list[Arc]]:
        """The arcs out of each node."""
        table: list[list[Arc]] = [[] for _ in range(self.nodes)]
        for arc in self.arcs:
            table[arc.source].append(arc)
        return table

    def read(self, words: Sequence[str]) -> dict[str, str] | None:
        """What the words mean: head -> class of the first path that says them; None where the menu has no such."""
        leaving = self.leaving()
        dead: set[tuple[int, int]] = set()

        def walk(node: int, said: int) -> tuple[tuple[str, str], ...] | None:
            if node == self.final and said == len(words):
                return ()
            if (node, said) in dead:
                return None
            for arc in leaving[node]:
                if arc.word and (said == len(words) or arc.word != words[said]):
                    continue
                rest = walk(arc.target, said + bool(arc.word))
                if rest is not None:
                    return (*arc.labels, *rest)
            dead.add((node, said))
            return None

        labels = walk(0, 0)
        return None if labels is None else dict(labels)

    def sentence_count(self) -> int:
        """Of different sentences, word for word, however many paths say each."""
        leaving = self.leaving()

        def silently(nodes: set[int]) -> frozenset[int]:
            """Those and what is reached from them without a word."""
            waiting = list(nodes)
            while waiting:
                reached = {arc.target for arc in leaving[waiting.pop()] if not arc.word} - nodes
                nodes |= reached
                waiting += reached
            return frozenset(nodes)

        @cache
        def count(nodes: frozenset[int]) -> int:
            after: dict[str, set[int]] = {}
            for arc in (arc for node in nodes for arc in leaving[node] if arc.word):
                after.setdefault(arc.word, set()).add(arc.target)
            return (self.final in nodes) + sum(count(silently(targets)) for targets in after.values())

        return count(silently({0}))

    def restricted(self, labels: Mapping[str, str]) -> "WordGraph":
        """Only the sentences that mean `labels` (some heads or all). Raises ValueError where there are none."""
        allowed = [a for a in self.arcs if all(labels.get(head, label) == label for head, label in a.labels)]
        ahead, behind = {0}, {self.final}
        for arc in allowed:
            if arc.source in ahead:
                ahead.add(arc.target)
        for arc in reversed(allowed):
            if arc.target in behind:
                behind.add(arc.source)
        if self.final not in ahead:
            raise ValueError(f"no sentence of the menu means {dict(labels)}")
        number = {node: new for new, node in enumerate(sorted(ahead & behind))}
        kept = (a for a in allowed if a.source in number and a.target in number)
        arcs = tuple(Arc(number[a.source], number[a.target], a.word, a.labels) for a in kept)
        return WordGraph(len(number), number[self.final], arcs)

    def to_json(self) -> dict[str, Any]:
        arcs = [[arc.source, arc.target, arc.word, dict(arc.labels)] for arc in self.arcs]
        return {"nodes": self.nodes, "final": self.final, "arcs": arcs}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "WordGraph":
        """Raises ValueError for a document that is no word graph."""
        try:
            arcs = tuple(
                Arc(int(source), int(target), str(word), tuple((str(h), str(c)) for h, c in labels.items()))
                for source, target, word, labels in value["arcs"]
            )
            return cls(int(value["nodes"]), int(value["final"]), arcs)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is no word graph: {error}") from None
