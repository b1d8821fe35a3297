"""The classes of a menu's head, and the ways to say each: written out, counted, or put together from parts."""

import itertools
from collections.abc import Iterable
from typing import Annotated, Any

from num2words import CONVERTER_CLASSES, num2words
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_MOST_NUMBERS = 1000


def _spoken(forms: list[str]) -> list[str]:
    if not forms or any(not form.strip() for form in forms):
        raise ValueError("a class needs at least one way to say it, and none may be empty")
    return forms


def _named(value: Any) -> Any:
    """A list of names that say themselves, as in [small, medium, large]."""
    if isinstance(value, list):
        if twice := [name for name in value if value.count(name) > 1]:
            raise ValueError(f"'{twice[0]}' stands there twice")
        return {name: [name] for name in value}
    return value


def _part(value: Any) -> Any:
    """As `_named`; an empty name says nothing."""
    return {name: forms or [""] for name, forms in named.items()} if isinstance(named := _named(value), dict) else named


Classes = Annotated[dict[str, Annotated[list[str], AfterValidator(_spoken)]], BeforeValidator(_named)]
PartClasses = Annotated[dict[str, list[str]], BeforeValidator(_part), Field(min_length=1)]


class HeadEntry(BaseModel):
    """One head of a menu."""

    model_config = ConfigDict(extra="forbid")
    label_map: str = ""
    classes: Classes = Field(default_factory=dict)
    """Class -> ways to say it, or a list of classes that say themselves."""
    numbers: tuple[int, int] | None = Field(default=None, exclude_if=lambda value: value is None)
    """First and last of the numbers that are classes, said in the menu's language; `classes` adds to them."""
    parts: list[PartClasses] = Field(default_factory=list, exclude_if=lambda value: not value)
    """Every combination is a class: [["", some], [milk, cream]] has milk, cream, some milk and some cream."""

    @model_validator(mode="after")
    def _is_one_kind(self) -> "HeadEntry":
        if self.parts and (self.classes or self.numbers):
            raise ValueError("has either parts, or classes and numbers")
        if self.numbers and not 0 <= self.numbers[1] - self.numbers[0] < _MOST_NUMBERS:
            raise ValueError(f"numbers: the lower one comes first, and at most {_MOST_NUMBERS} are counted")
        if not self.parts and not self.numbers and len(self.classes) < 2:
            raise ValueError("classes: a head needs at least 2")
        if "" in self.classes:
            raise ValueError("a class needs a name; what may be left out stands in [...] in the sentences")
        if self.parts:
            names = [joined(names) for names in itertools.product(*self.parts)]
            if len(set(names)) < max(len(names), 2) or "" in names:
                raise ValueError("parts: their combinations must be at least two, all different, and none empty")
        return self

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> "HeadEntry":
        said: dict[str, str] = {}
        for name, forms in self.forms().items():
            for form in {" ".join(form.lower().split()) for form in forms}:
                if (other := said.setdefault(form, name)) != name:
                    raise ValueError(
                        f"'{form}' is said for {other} as well as for {name}, and nobody could tell them apart; leave "
                        "it out of one of them"
                    )
        return self

    def counted(self, language: str) -> "HeadEntry":
        """With its numbers among the classes. Raises ValueError for a language that num2words does not have."""
        if not self.numbers:
            return self
        numbers = {str(n): [number_words(n, language)] for n in range(self.numbers[0], self.numbers[1] + 1)}
        return self.model_copy(update={"classes": {**numbers, **self.classes}})

    def forms(self) -> dict[str, list[str]]:
        """Class -> all ways to say it."""
        if not self.parts:
            return self.classes
        forms: dict[str, list[str]] = {}
        for choice in itertools.product(*(part.items() for part in self.parts)):
            said = (joined(words) for words in itertools.product(*(forms for _, forms in choice)))
            forms[joined(name for name, _ in choice)] = list(dict.fromkeys(said))
        return forms


def number_words(number: int, language: str) -> str:
    """As num2words writes it, without hyphens and commas. Raises ValueError for a language it does not have."""
    region, short = language.replace("-", "_"), language.split("-")[0]
    known = {code.lower(): code for code in CONVERTER_CLASSES}
    code = known.get(region.lower(), known.get(short.lower()))
    if code is None:
        raise ValueError(f"num2words cannot count in '{language}'; write the numbers as classes")
    return " ".join(num2words(number, lang=code).replace("-", " ").replace(",", " ").split())


def joined(words: Iterable[str]) -> str:
    return " ".join(word for word in words if word)
