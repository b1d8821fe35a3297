"""A menu: which things can be said, and how people say them.

Heads, classes and label maps of a task follow from its menu; so do the sentences that are synthesised. A menu
without heads has plain sentences: its task is about who speaks (conf/voices), not about what is said.
"""

import itertools
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from numpy.random import Generator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from slu.common.errors import UserError
from slu.spec import Head


def _spoken(forms: list[str]) -> list[str]:
    if not forms or any(not form.strip() for form in forms):
        raise ValueError("a class needs at least one way to say it, and none may be empty")
    return forms


def _sentences(carriers: list[str]) -> list[str]:
    if not carriers or any(not carrier.strip() for carrier in carriers):
        raise ValueError("a language needs at least one sentence, and none may be empty")
    return carriers


class _HeadEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label_map: str = ""
    classes: dict[str, Annotated[list[str], AfterValidator(_spoken)]] = Field(min_length=2)


class Menu(BaseModel):
    """The validated content of a `conf/menu/*.yaml` file: `language` with `carriers`, or `languages`."""

    model_config = ConfigDict(extra="forbid")
    task: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    heads: dict[str, _HeadEntry]
    language: str = Field(default="", min_length=1)
    carriers: list[str] = Field(default_factory=list, min_length=1)
    languages: dict[str, Annotated[list[str], AfterValidator(_sentences)]] = Field(default_factory=dict, min_length=1)
    """Language -> its carriers."""
    pronunciations: dict[str, list[str]] = Field(default_factory=dict)
    """Word -> ways to say it in espeak-ng's phonemes, where its rules are wrong or people differ."""

    @model_validator(mode="after")
    def _carriers_fit(self) -> "Menu":
        if bool(self.languages) == bool(self.language and self.carriers) or bool(self.language) != bool(self.carriers):
            raise ValueError("needs either language and carriers, or languages (each with its sentences)")
        for carrier in itertools.chain(self.carriers, *self.languages.values()):
            slots = sorted(name for _, name, _, _ in string.Formatter().parse(carrier) if name is not None)
            if slots != sorted(self.heads):
                rule = f"each of {{{'}, {'.join(self.heads)}}} once" if self.heads else "no slot: there are no heads"
                raise ValueError(f"carrier '{carrier}' must name {rule}")
        return self

    @classmethod
    def parse(cls, value: Mapping[str, Any], where: str) -> "Menu":
        """Raises UserError naming `where` and the first thing that is wrong."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{where}: {place + ': ' if place else ''}{first['msg']}") from None

    @property
    def spoken_languages(self) -> tuple[str, ...]:
        return tuple(self.languages) or (self.language,)

    def task_heads(self) -> tuple[Head, ...]:
        """The heads of what is said; those of who says it are the voices'."""
        return tuple(Head(name, tuple(entry.classes), entry.label_map) for name, entry in self.heads.items())


@dataclass(frozen=True)
class Sentence:
    text: str
    spoken: str
    """The text as it is given to the synthesiser: words with pronunciations are replaced by phonemes."""
    labels: Mapping[str, str]


def draw_sentences(menu: Menu, count: int, rng: Generator, languages: Sequence[str] = ()) -> list[Sentence]:
    """`count` sentences in random order; every combination of classes appears equally often (to within one).

    Of a menu of several languages, sentence number n is in `languages[n % len(languages)]`, by default all in turn.
    """
    names = list(menu.heads)
    combinations = list(itertools.product(*(menu.heads[name].classes for name in names)))
    turns = languages or menu.spoken_languages
    sentences: list[Sentence] = []
    while len(sentences) < count:
        for index in rng.permutation(len(combinations))[: count - len(sentences)]:
            labels = dict(zip(names, combinations[index], strict=True))
            carriers = menu.carriers or menu.languages[turns[len(sentences) % len(turns)]]
            carrier = carriers[rng.integers(len(carriers))]
            forms = {name: _draw(menu.heads[name].classes[label], rng) for name, label in labels.items()}
            text = carrier.format(**forms)
            sentences.append(Sentence(text, _pronounce(text, menu.pronunciations, rng), labels))
    return sentences


def _pronounce(text: str, pronunciations: Mapping[str, list[str]], rng: Generator) -> str:
    words = (f"[[{_draw(pronunciations[word], rng)}]]" if word in pronunciations else word for word in text.split())
    return " ".join(words)


def _draw(forms: list[str], rng: Generator) -> str:
    return forms[rng.integers(len(forms))]
