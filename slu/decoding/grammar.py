"""`Grammar`: all that a decoder has to know of a menu. It travels inside `spec.json`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from slu.decoding.alignment import SILENCE, Alignment
from slu.decoding.graph import WordGraph
from slu.decoding.lexicon import Lexicon, lexicon_of


@dataclass(frozen=True)
class Grammar:
    graph: WordGraph
    lexicon: Lexicon
    """Of every word of the graph at least one pronunciation."""
    phones: tuple[str, ...]
    """What a frame can be; the first is SILENCE."""

    def __post_init__(self) -> None:
        if self.phones[:1] != (SILENCE,):
            raise ValueError(f"the first phone of a grammar is the pause, '{SILENCE}'")
        if silent := [word for word in self.graph.words if not self.lexicon.get(word)]:
            raise ValueError(f"the lexicon does not say how '{silent[0]}' is pronounced")
        known = set(self.phones)
        used = {phone for word in self.graph.words for said in self.lexicon[word] for phone in said}
        if unknown := sorted(used - known):
            raise ValueError(f"the lexicon uses '{unknown[0]}', which is not one of the phones")

    @classmethod
    def learnt(cls, graph: WordGraph, alignments: Iterable[Alignment]) -> "Grammar":
        """The lexicon and the phones are those heard in a corpus. Raises ValueError for a word never heard in it."""
        phones: set[str] = set()
        lexicon = lexicon_of(_noting(alignments, phones))
        phones.discard(SILENCE)
        own = {word: lexicon[word] for word in graph.words if word in lexicon}
        return cls(graph, own, (SILENCE, *sorted(phones)))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What a frame can be part of; the first is no word of the menu."""
        return ("", *self.graph.words)

    def to_json(self) -> dict[str, Any]:
        lexicon = {word: [" ".join(said) for said in self.lexicon[word]] for word in self.graph.words}
        return {"graph": self.graph.to_json(), "lexicon": lexicon, "phones": list(self.phones)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Grammar":
        """Raises ValueError for a document that is no grammar."""
        try:
            lexicon = {
                str(word): tuple(tuple(str(phones).split()) for phones in said)
                for word, said in value["lexicon"].items()
            }
            return cls(WordGraph.from_json(value["graph"]), lexicon, tuple(str(p) for p in value["phones"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no grammar: {error}") from None


def _noting(alignments: Iterable[Alignment], phones: set[str]) -> Iterator[Alignment]:
    """The same, their phones added to a set: of a large corpus they are read once, and never all held."""
    for alignment in alignments:
        phones.update(phone for phone, _, _ in alignment.phones)
        yield alignment
