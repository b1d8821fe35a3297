"""A deck of slides as one PPTX file, 16:9, in the colours of the pages.

A deck is data, as a page is: titles, parts, notes. Text, tables and diagrams become PowerPoint's own, which can be
edited; figures become pictures. Letters are sized so that everything fits its box.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pptx.util import Pt

from slu.common.files import atomic_write
from slu.documents.page import Bullets, Cards, Code, Picture, Table, Text
from slu.documents.slide_diagram import draw_diagram
from slu.documents.slide_parts import Canvas, Columns, Deck, Diagram, Rows, Slide, SlidePart
from slu.documents.slide_shapes import (
    LARGEST,
    draw_bullets,
    draw_cards,
    draw_code,
    draw_picture,
    draw_text,
    draw_warnings,
)
from slu.documents.slide_tables import draw_canvas, draw_table, table_height
from slu.documents.slide_text import fit, text_height
from slu.documents.slide_theme import (
    BODY,
    COVER_SIZE,
    COVER_TITLE_SIZE,
    TITLE,
    TITLE_SIZE,
    Box,
    add_footer,
    find_layout,
    new_presentation,
)

_SPACE = 0.25
"""Between parts, in inches."""
_SMALLEST_TITLE = 20.0

_DRAW: dict[type, Callable[[Any, Any, Box], None]] = {
    Text: draw_text,
    Bullets: draw_bullets,
    Table: draw_table,
    Picture: draw_picture,
    Cards: draw_cards,
    Code: draw_code,
    Diagram: draw_diagram,
    Canvas: draw_canvas,
}


def write_deck(path: Path, deck: Deck) -> None:
    """A cover, then the slides. The file appears when it is whole."""
    presentation = new_presentation()
    _describe(presentation.core_properties, deck)
    _add_cover(presentation, deck)
    for slide in deck.slides:
        _add_slide(presentation, deck, slide)
    with atomic_write(path, "wb") as file:
        presentation.save(file)


def _describe(properties: Any, deck: Deck) -> None:
    properties.title, properties.author, properties.last_modified_by = deck.title, "slu", "slu"
    properties.subject, properties.keywords, properties.comments = "; ".join(deck.subtitle), "", ""


def _add_cover(presentation: Any, deck: Deck) -> None:
    slide = presentation.slides.add_slide(find_layout(presentation, "Title Slide"))
    title, subtitle = slide.placeholders
    _set_text(title, fit([deck.title], _width(title), 1.4, COVER_TITLE_SIZE, 24.0, "bold"))
    _set_text(subtitle, fit(deck.subtitle, _width(subtitle), 2.0, COVER_SIZE))
    slide.notes_slide.notes_text_frame.text = "\n".join(deck.notes)


def _add_slide(presentation: Any, deck: Deck, content: Slide) -> None:
    slide = presentation.slides.add_slide(find_layout(presentation, "Title Only"))
    _set_text(
        slide.shapes.title, fit([content.title], TITLE.width - 0.15, TITLE.height, TITLE_SIZE, _SMALLEST_TITLE, "bold")
    )
    body = BODY
    if content.warnings:
        taken = draw_warnings(slide, content.warnings, body) + 0.2
        body = Box(body.left, body.top + taken, body.width, body.height - taken)
    draw(slide, content.body, body)
    add_footer(slide, deck.title)
    slide.notes_slide.notes_text_frame.text = "\n".join(content.notes)


def _width(placeholder: Any) -> float:
    return float(placeholder.width.inches) - 0.2


def _set_text(placeholder: Any, fitted: Any) -> None:
    placeholder.text_frame.text = "\n".join(fitted.paragraphs)
    for paragraph in placeholder.text_frame.paragraphs:
        for run in paragraph.runs:
            run.font.size = Pt(fitted.size)


def draw(slide: Any, part: SlidePart, box: Box) -> None:
    if isinstance(part, Columns):
        spans = _split(box.width, part.shares or [1.0] * len(part.parts))
        for inner, (start, width) in zip(part.parts, spans, strict=True):
            draw(slide, inner, Box(box.left + start, box.top, width, box.height))
    elif isinstance(part, Rows):
        spans = _split(box.height, part.shares or [1.0] * len(part.parts), [_needed(p, box.width) for p in part.parts])
        for inner, (start, height) in zip(part.parts, spans, strict=True):
            draw(slide, inner, Box(box.left, box.top + start, box.width, height))
    else:
        _DRAW[type(part)](slide, part, box)


def _needed(part: SlidePart, width: float) -> float:
    """The height that a part of text takes at a comfortable size."""
    if isinstance(part, Table):
        return table_height(part, width)
    if isinstance(part, Text):
        return text_height(part.paragraphs, width, 14.0 if part.tone == "small" else LARGEST) + 0.1
    if isinstance(part, Bullets):
        return text_height(part.items, width - 0.3, LARGEST) + 0.1
    return 0.0


def _split(length: float, shares: Sequence[float], needed: Sequence[float] = ()) -> list[tuple[float, float]]:
    """(start, length) of each part; a share of 0 takes what is needed, at most an equal part."""
    free = length - _SPACE * (len(shares) - 1)
    most = free / len(shares) if any(shares) else free
    fixed = [0.0 if share else min(needed[i], most) for i, share in enumerate(shares)]
    left = free - sum(fixed)
    lengths = [left * share / sum(shares) if share else fixed[i] for i, share in enumerate(shares)]
    return [(sum(lengths[:i]) + i * _SPACE, lengths[i]) for i in range(len(shares))]
