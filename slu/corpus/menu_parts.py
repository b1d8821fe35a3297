"""What a menu's sentence is made of: a tree of words, slots and choices, from which sentences are drawn."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

from numpy.random import Generator


@dataclass(frozen=True)
class Part(ABC):
    @cached_property
    def slots(self) -> frozenset[str]:
        """Those that may be said in it."""
        return frozenset().union(*self.mentioned)

    @property
    @abstractmethod
    def mentioned(self) -> frozenset[frozenset[str]]:
        """The sets of slots that can be said together."""

    @abstractmethod
    def draw(self, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> list[str]:
        """Its texts from left to right, in a random way that says just the slots `wanted` (of its own)."""

    def nodes(self) -> Iterator["Part"]:
        """Itself and everything in it, from left to right."""
        yield self


@dataclass(frozen=True)
class Text(Part):
    text: str

    @cached_property
    def mentioned(self) -> frozenset[frozenset[str]]:
        return frozenset({frozenset()})

    def draw(self, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> list[str]:
        return [self.text]


@dataclass(frozen=True)
class Slot(Part):
    name: str

    @cached_property
    def mentioned(self) -> frozenset[frozenset[str]]:
        return frozenset({frozenset({self.name})})

    def draw(self, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> list[str]:
        return [forms[self.name]]


@dataclass(frozen=True)
class InOrder(Part):
    parts: tuple[Part, ...]

    @cached_property
    def mentioned(self) -> frozenset[frozenset[str]]:
        together: set[frozenset[str]] = {frozenset()}
        for part in self.parts:
            together = {said | more for said in together for more in part.mentioned}
        return frozenset(together)

    def draw(self, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> list[str]:
        return [text for part in self.parts for text in part.draw(wanted & part.slots, forms, rng)]

    def nodes(self) -> Iterator[Part]:
        yield self
        for part in self.parts:
            yield from part.nodes()


@dataclass(frozen=True)
class Choice(Part):
    options: tuple[Part, ...]
    """An empty `Text` among them: it may be left out."""

    @cached_property
    def mentioned(self) -> frozenset[frozenset[str]]:
        return frozenset().union(*(option.mentioned for option in self.options))

    def draw(self, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> list[str]:
        fitting = [option for option in self.options if wanted in option.mentioned]
        return fitting[rng.integers(len(fitting))].draw(wanted, forms, rng)

    def nodes(self) -> Iterator[Part]:
        yield self
        for option in self.options:
            yield from option.nodes()


@dataclass(frozen=True)
class AnyOrder(Part):
    parts: tuple[Part, ...]

    @cached_property
    def mentioned(self) -> frozenset[frozenset[str]]:
        return InOrder(self.parts).mentioned

    def draw(self, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> list[str]:
        orders = list(permutations(self.parts))
        order = orders[rng.integers(len(orders))]
        return InOrder(order).draw(wanted, forms, rng)

    def nodes(self) -> Iterator[Part]:
        yield self
        for part in self.parts:
            yield from part.nodes()
