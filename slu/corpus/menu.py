"""A menu: which things can be said, and how people say them.

Heads, classes and label maps of a task follow from its menu; so do the sentences that are synthesised and the word
graph of everything that may be said. A menu without heads has plain sentences: its task is about who speaks
(conf/voices), not about what is said.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeVar

from numpy.random import Generator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from slu.common.errors import UserError
from slu.common.problems import NAME, place_of, problem
from slu.corpus.menu_classes import HeadEntry, joined
from slu.corpus.menu_grammar import draw_text, parse_sentence
from slu.corpus.menu_graph import build_graph
from slu.corpus.menu_parts import Part
from slu.decoding.graph import WordGraph
from slu.decoding.words import words_of
from slu.spec import NOT_MENTIONED, Head, TaskSpec

T = TypeVar("T")


def _sentences(carriers: list[str]) -> list[str]:
    if not carriers or any(not carrier.strip() for carrier in carriers):
        raise ValueError("a language needs at least one sentence, and none may be empty")
    return carriers


class Menu(BaseModel):
    """The validated content of a `conf/menu/*.yaml` file: `language` with `carriers`, or `languages`."""

    model_config = ConfigDict(extra="forbid")
    task: str = Field(pattern=NAME)
    heads: dict[str, HeadEntry]
    language: str = Field(default="", min_length=1)
    carriers: list[str] = Field(default_factory=list, min_length=1)
    """Sentences in the notation of `slu.corpus.menu_grammar`."""
    languages: dict[str, Annotated[list[str], AfterValidator(_sentences)]] = Field(default_factory=dict, min_length=1)
    """Language -> its carriers."""
    pronunciations: dict[str, list[str]] = Field(default_factory=dict)
    """Word -> ways to say it in espeak-ng's phonemes, where its rules are wrong or people differ."""

    @model_validator(mode="after")
    def _carriers_fit(self) -> "Menu":
        if bool(self.languages) == bool(self.language and self.carriers) or bool(self.language) != bool(self.carriers):
            raise ValueError("needs either language and carriers, or languages (each with its sentences)")
        for carrier in itertools.chain(self.carriers, *self.languages.values()):
            sentence = parse_sentence(carrier)
            if sentence.slots != set(self.heads):
                rule = f"each of {{{'}, {'.join(self.heads)}}} once" if self.heads else "no slot: there are no heads"
                raise ValueError(f"carrier '{carrier}' must name {rule}")
            if self.heads and frozenset() in sentence.mentioned:
                raise ValueError(f"carrier '{carrier}' can leave every slot out; keep one outside the brackets")
        return self

    @model_validator(mode="after")
    def _count(self) -> "Menu":
        for name, entry in self.heads.items():
            if entry.numbers and len(self.spoken_languages) > 1:
                raise ValueError(f"heads.{name}: numbers are said in one language; write them as classes")
            self.heads[name] = entry.counted(self.spoken_languages[0])
        return self

    @model_validator(mode="after")
    def _is_a_task(self) -> "Menu":
        """Refused here as by the training that would come of it."""
        if self.heads:
            TaskSpec(self.task, self.task_heads())
        return self

    @classmethod
    def parse(cls, value: Mapping[str, Any], where: str) -> "Menu":
        """Raises UserError naming `where` and the first thing that is wrong."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = place_of(first)
            told = problem(first) or first["msg"]
            raise UserError(f"{where}: {place + ': ' if place else ''}{told}") from None

    @property
    def spoken_languages(self) -> tuple[str, ...]:
        return tuple(self.languages) or (self.language,)

    @cached_property
    def sentences(self) -> dict[str, tuple[Part, ...]]:
        """Language -> its parsed carriers."""
        carriers = self.languages or {self.language: self.carriers}
        return {language: tuple(map(parse_sentence, texts)) for language, texts in carriers.items()}

    @cached_property
    def optional_slots(self) -> frozenset[str]:
        """Those that some sentence leaves out."""
        said = (slots for parts in self.sentences.values() for part in parts for slots in part.mentioned)
        return frozenset().union(*(self.heads.keys() - slots for slots in said))

    def task_heads(self) -> tuple[Head, ...]:
        """The heads of what is said; those of who says it are the voices'. A slot that may be left out has the class
        NOT_MENTIONED, before the others."""
        left_out = {name: (NOT_MENTIONED,) if name in self.optional_slots else () for name in self.heads}
        return tuple(
            Head(name, (*left_out[name], *entry.forms()), entry.label_map) for name, entry in self.heads.items()
        )

    def word_graph(self) -> WordGraph:
        """Every sentence of every language. Raises UserError for a slot that is written together with a word."""
        try:
            parts = [part for parts in self.sentences.values() for part in parts]
            return build_graph(parts, {name: entry.forms() for name, entry in self.heads.items()})
        except ValueError as error:
            raise UserError(f"menu '{self.task}': {error}") from None


@dataclass(frozen=True)
class Sentence:
    text: str
    spoken: str
    """The text as it is given to the synthesiser: words with pronunciations are replaced by phonemes."""
    labels: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """As the menu's word graph has them."""
        return words_of(self.text)


def draw_sentences(menu: Menu, count: int, rng: Generator, languages: Sequence[str] = ()) -> list[Sentence]:
    """`count` sentences in random order; every combination of classes appears equally often (to within one).

    Where slots may be left out or classes have parts, combinations are too many: there every set of slots that can be
    said together appears equally often, and so does every class, or part of one, among the sentences that say its
    slot. A slot that every sentence may leave out is then not mentioned in half of them.
    Of a menu of several languages, sentence number n is in `languages[n % len(languages)]`, by default all in turn.
    """
    forms = {name: entry.forms() for name, entry in menu.heads.items()}
    turns = languages or menu.spoken_languages
    sentences: list[Sentence] = []
    for labels in itertools.islice(_draw_labels(menu, turns, rng), count):
        said = frozenset(name for name, label in labels.items() if label != NOT_MENTIONED)
        carriers = [c for c in menu.sentences[_turn(menu, turns, len(sentences))] if said in c.mentioned]
        carrier = carriers[rng.integers(len(carriers))]
        chosen = {name: _draw(forms[name][label], rng) for name, label in labels.items() if name in said}
        text = draw_text(carrier, said, chosen, rng)
        sentences.append(Sentence(text, _pronounce(text, menu.pronunciations, rng), labels))
    return sentences


def _turn(menu: Menu, turns: Sequence[str], number: int) -> str:
    return turns[number % len(turns)] if menu.languages else menu.language


def _draw_labels(menu: Menu, turns: Sequence[str], rng: Generator) -> Iterator[dict[str, str]]:
    names = list(menu.heads)
    if not menu.optional_slots and not any(entry.parts for entry in menu.heads.values()):
        for classes in _shuffled(list(itertools.product(*(menu.heads[name].classes for name in names))), rng):
            yield dict(zip(names, classes, strict=True))
    slots = {
        language: _shuffled(sorted({s for part in parts for s in part.mentioned}, key=sorted), rng)
        for language, parts in menu.sentences.items()
    }
    parts = {name: entry.parts or [entry.classes] for name, entry in menu.heads.items()}
    decks = {name: [_shuffled(list(part), rng) for part in parts[name]] for name in names}
    for number in itertools.count():
        said = next(slots[_turn(menu, turns, number)])
        yield {n: joined(next(d) for d in decks[n]) if n in said else NOT_MENTIONED for n in names}


def _shuffled(items: list[T], rng: Generator) -> Iterator[T]:
    """All of them in random order, again and again."""
    while True:
        for index in rng.permutation(len(items)):
            yield items[index]


def _pronounce(text: str, pronunciations: Mapping[str, list[str]], rng: Generator) -> str:
    words = (f"[[{_draw(pronunciations[word], rng)}]]" if word in pronunciations else word for word in text.split())
    return " ".join(words)


def _draw(forms: list[str], rng: Generator) -> str:
    return forms[rng.integers(len(forms))]
