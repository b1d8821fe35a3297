"""What a slide is made of, beside the parts that a page has as well. Data only; `slide_*` modules draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from slu.documents.page import Bullets, Cards, Code, Picture, Table, Text


@dataclass(frozen=True)
class Columns:
    """Beside each other; `shares` of the width, equal where none are given."""

    parts: "Sequence[SlidePart]"
    shares: Sequence[float] = ()


@dataclass(frozen=True)
class Rows:
    """Below each other; `shares` of the height, equal where none are given, 0 for what the part needs."""

    parts: "Sequence[SlidePart]"
    shares: Sequence[float] = ()


@dataclass(frozen=True)
class Node:
    """A box of a diagram, at a place of its grid."""

    name: str
    title: str
    detail: str
    column: int
    row: int
    columns: int = 1
    """How many columns it spans."""
    tone: Literal["plain", "strong", "soft"] = "plain"


@dataclass(frozen=True)
class Arrow:
    """Straight, so the two nodes share a row or a column."""

    start: str
    end: str
    column: int | None = None
    """Where a vertical arrow runs; None: in the middle of the narrower node."""
    dashed: bool = False


@dataclass(frozen=True)
class Diagram:
    nodes: Sequence[Node]
    arrows: Sequence[Arrow]
    row_shares: Sequence[float] = ()


@dataclass(frozen=True)
class Field:
    title: str
    text: str


@dataclass(frozen=True)
class Canvas:
    """Named fields in a grid, row by row."""

    fields: Sequence[Field]
    columns: int


SlidePart: TypeAlias = Text | Bullets | Table | Picture | Cards | Code | Columns | Rows | Diagram | Canvas


@dataclass(frozen=True)
class Slide:
    title: str
    """What the slide says, as a sentence."""
    body: SlidePart
    notes: Sequence[str]
    """For the speaker: above all, which file each number came from."""
    warnings: Sequence[str] = ()
    """Above the body, in the colour of warnings: what makes the figures below less than they seem."""


@dataclass(frozen=True)
class Deck:
    title: str
    subtitle: Sequence[str]
    notes: Sequence[str]
    slides: Sequence[Slide]
