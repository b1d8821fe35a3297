"""A report as one HTML file: pictures and sound are inside it, nothing is fetched from anywhere.

A page is data (sections of parts); the template in `templates/` alone knows HTML, and escapes every text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from slu.common.files import atomic_write
from slu.documents.figures import data_uri, encode


@dataclass(frozen=True)
class Text:
    """Paragraphs, separated by blank lines."""

    text: str
    tone: Literal["plain", "warning", "good", "small"] = "plain"

    @property
    def paragraphs(self) -> list[str]:
        return [part.strip() for part in self.text.split("\n\n") if part.strip()]


@dataclass(frozen=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True)
class Link:
    """A cell that leads to a file beside or below the page."""

    text: str
    target: str
    """Relative to the page's folder."""

    @property
    def address(self) -> str:
        return quote(self.target)


@dataclass(frozen=True)
class Table:
    """Cells are text or links; the first column is the row's name, the others are set as figures (right-aligned)."""

    columns: Sequence[str]
    rows: "Sequence[Sequence[str | Link]]"
    caption: str = ""
    text_columns: Sequence[int] = (0,)
    """Columns that hold words rather than figures."""
    fold_after: int = 0
    """More rows than this are folded away under a button; 0 shows all."""


@dataclass(frozen=True)
class Picture:
    figure: Figure
    alt: str
    caption: str = ""
    kind: Literal["svg", "png"] = "svg"

    @cached_property
    def uri(self) -> str:
        return data_uri(encode(self.figure, self.kind), {"svg": "image/svg+xml", "png": "image/png"}[self.kind])


@dataclass(frozen=True)
class Card:
    """One figure that matters, large."""

    value: str
    label: str
    note: str = ""
    tone: Literal["plain", "warning", "good"] = "plain"


@dataclass(frozen=True)
class Cards:
    cards: Sequence[Card]


@dataclass(frozen=True)
class Player:
    """A clip to listen to, its picture, and what is to be known about it."""

    title: str
    audio: bytes
    media_type: str
    picture: Picture
    facts: Sequence[tuple[str, str]]
    tone: Literal["plain", "warning", "good"] = "plain"

    @property
    def audio_uri(self) -> str:
        return data_uri(self.audio, self.media_type)


@dataclass(frozen=True)
class Players:
    players: Sequence[Player]


@dataclass(frozen=True)
class Code:
    text: str
    caption: str = ""


@dataclass(frozen=True)
class Step:
    """One thing to do: what, why, and the text that does it when it is typed."""

    title: str
    what: str
    why: str = ""
    code: str = ""


@dataclass(frozen=True)
class Steps:
    steps: Sequence[Step]


@dataclass(frozen=True)
class Side:
    """Parts beside each other where the window is wide enough."""

    parts: "Sequence[Part]"


Part: TypeAlias = Text | Bullets | Table | Picture | Cards | Players | Code | Steps | Side


@dataclass(frozen=True)
class Section:
    title: str
    parts: Sequence[Part]

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Page:
    title: str
    subtitle: str
    sections: Sequence[Section]
    warnings: Sequence[str] = field(default_factory=tuple)
    """Shown before anything else: what makes the figures below less than they seem."""
    footer: str = ""


_TEMPLATES = Environment(
    loader=PackageLoader("slu.documents"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["kind_of"] = lambda part: type(part).__name__


def write_page(path: Path, page: Page) -> None:
    """Streamed to a temporary file that is renamed at the end: players make pages of some megabytes."""
    with atomic_write(path) as file:
        for piece in _TEMPLATES.get_template("page.html.j2").generate(page=page):
            file.write(piece)
