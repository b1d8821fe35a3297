"""Tables on a slide: plain ones, and a canvas of named fields."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Inches

from slu.documents.figures import ACCENT, INK
from slu.documents.page import Table, Text
from slu.documents.slide_parts import Canvas
from slu.documents.slide_shapes import colour, draw_text, write
from slu.documents.slide_text import LINE, SMALLEST, Face, fit, text_width, wrap
from slu.documents.slide_theme import PALE, Box, inches

_SIDE, _OVER = 0.08, 0.04
"""Inside of a cell, in inches: left and right, above and below."""
_SPARE = 0.05
_CAPTION = 0.35
_LARGEST = 15.0
_STRETCH = 1.6


@dataclass(frozen=True)
class _Layout:
    size: float
    rows: list[list[str]]
    widths: list[float]
    heights: list[float]


def table_height(part: Table, width: float) -> float:
    """Inches that the whole table takes at its largest."""
    return sum(_layout(part, width, math.inf).heights) + (_CAPTION if part.caption else 0.0)


def _layout(part: Table, width: float, height: float) -> _Layout:
    """At the largest size at which all rows fit and no word is broken; at the smallest the last rows are counted."""
    rows = [list(part.columns), *([str(cell) for cell in row] for row in part.rows)]
    size = _LARGEST
    while True:
        widths = _column_widths(rows, part.text_columns, width, size)
        heights = [_row_height(row, widths, size, "plain" if number else "bold") for number, row in enumerate(rows)]
        if size <= SMALLEST or (sum(heights) <= height and not _breaks_words(rows, widths, size)):
            break
        size -= 1
    if sum(heights) > height:
        kept = 1
        while kept < len(rows) and sum(heights[: kept + 1]) + heights[0] <= height:
            kept += 1
        rest = [f"and {len(rows) - kept} more", *([""] * (len(part.columns) - 1))]
        rows, heights = [*rows[:kept], rest], [*heights[:kept], _row_height(rest, widths, size, "plain")]
    return _Layout(size, rows, widths, heights)


def draw_table(slide: Any, part: Table, box: Box) -> None:
    found = _layout(part, box.width, box.height - (_CAPTION if part.caption else 0.0))
    place = Box(box.left, box.top, sum(found.widths), sum(found.heights))
    table = slide.shapes.add_table(len(found.rows), len(part.columns), *inches(place)).table
    table.horz_banding = False
    for column, width in enumerate(found.widths):
        table.columns[column].width = Inches(width)
    for number, row in enumerate(found.rows):
        table.rows[number].height = Inches(found.heights[number])
        for column, text in enumerate(row):
            align = PP_ALIGN.LEFT if column in part.text_columns else PP_ALIGN.RIGHT
            cell = table.cell(number, column)
            _fill(cell, [text], found.size, header=number == 0, align=align)
            _colour(cell, ACCENT if number == 0 else "#ffffff" if number % 2 else PALE)
    if part.caption:
        below = Box(box.left, place.top + place.height + 0.08, box.width, _CAPTION - 0.05)
        draw_text(slide, Text(part.caption, "small"), below)


def _column_widths(rows: Sequence[Sequence[str]], words: Sequence[int], width: float, size: float) -> list[float]:
    """As wide as the text wants; too much of it, and the columns of words give way, down to their longest word."""
    wanted = [_widest([row[i] for row in rows], size) for i in range(len(rows[0]))]
    total = sum(wanted)
    if total <= width:
        return [w * min(width / total, _STRETCH) for w in wanted]
    least = [
        min(w, width / len(wanted), _widest([word for row in rows for word in row[i].split(" ")], size))
        if i in words
        else w
        for i, w in enumerate(wanted)
    ]
    left, more = width - sum(least), total - sum(least)
    if left <= 0 or more <= 0:
        return [w * width / sum(least) for w in least]
    return [low + (high - low) * left / more for low, high in zip(least, wanted, strict=True)]


def _widest(cells: Sequence[str], size: float) -> float:
    """The first is the header, which is bold."""
    widths = (text_width(cell, size, "plain" if number else "bold") for number, cell in enumerate(cells))
    return max(widths) + 2 * _SIDE + _SPARE


def _breaks_words(rows: Sequence[Sequence[str]], widths: Sequence[float], size: float) -> bool:
    return any(
        text_width(word, size, "plain" if number else "bold") > width - 2 * _SIDE - _SPARE
        for number, row in enumerate(rows)
        for text, width in zip(row, widths, strict=True)
        for word in text.split(" ")
    )


def _row_height(row: Sequence[str], widths: Sequence[float], size: float, face: Face) -> float:
    lines = (
        len(wrap(text, max(width - 2 * _SIDE - _SPARE, 0.1), size, face))
        for text, width in zip(row, widths, strict=True)
    )
    return max(lines) * LINE * size / 72 + 2 * _OVER + 0.02


def _colour(cell: Any, value: str) -> None:
    cell.fill.solid()
    cell.fill.fore_color.rgb = colour(value)


def _fill(cell: Any, paragraphs: Sequence[str], size: float, *, header: bool, align: Any = PP_ALIGN.LEFT) -> None:
    cell.margin_left = cell.margin_right = Inches(_SIDE)
    cell.margin_top = cell.margin_bottom = Inches(_OVER)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    write(
        cell.text_frame, paragraphs, size, "#ffffff" if header else INK, face="bold" if header else "plain", align=align
    )


def draw_canvas(slide: Any, part: Canvas, box: Box) -> None:
    """One table: a row of titles over a row of texts, as often as there are fields for."""
    size, head = 16.0, 0.36
    bands = -(-len(part.fields) // part.columns)
    width, height = box.width / part.columns, box.height / bands - head
    table = slide.shapes.add_table(2 * bands, part.columns, *inches(box)).table
    table.horz_banding = False
    inner = width - 2 * _SIDE - 0.05, height - 2 * _OVER
    size = min(fit([field.text], *inner, size).size for field in part.fields)
    for number in range(bands * part.columns):
        row, column = 2 * (number // part.columns), number % part.columns
        title, content = table.cell(row, column), table.cell(row + 1, column)
        for cell, fill in ((title, ACCENT), (content, PALE)):
            _colour(cell, fill)
        if number < len(part.fields):
            field = part.fields[number]
            _fill(title, fit([field.title], inner[0], head, 14.0, face="bold").paragraphs, 14.0, header=True)
            _fill(content, fit([field.text], *inner, size).paragraphs, size, header=False)
            content.vertical_anchor = MSO_ANCHOR.TOP
    for band in range(bands):
        table.rows[2 * band].height, table.rows[2 * band + 1].height = Inches(head), Inches(height)
