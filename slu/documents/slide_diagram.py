"""A diagram of boxes and arrows, as shapes and connectors that PowerPoint can move together."""

from collections.abc import Mapping
from typing import Any

from pptx.enum.dml import MSO_LINE
from pptx.enum.shapes import MSO_CONNECTOR
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from slu.documents.figures import ACCENT, INK, MUTED
from slu.documents.slide_parts import Arrow, Diagram, Node
from slu.documents.slide_shapes import colour, frame, panel, write
from slu.documents.slide_text import LINE, fit, shorten, wrap
from slu.documents.slide_theme import PALE, Box

_ACROSS, _DOWN = 0.35, 0.55
"""Between nodes, in inches."""
_INSIDE = 0.2
"""Of a node's width that text does not use."""
_TITLE, _LEAST_TITLE, _DETAIL = 20.0, 15.0, 16.0
_GAP = 0.15
_TOP, _LEFT, _BOTTOM, _RIGHT = range(4)
"""Where connectors are glued to a rectangle, in PowerPoint's numbers."""


def draw_diagram(slide: Any, part: Diagram, box: Box) -> None:
    places = _places(part, box)
    sizes = _sizes(part, places)
    shapes = {node.name: _draw_node(slide, node, places[node.name], *sizes) for node in part.nodes}
    nodes = {node.name: node for node in part.nodes}
    for arrow in part.arrows:
        if nodes[arrow.start].row == nodes[arrow.end].row:
            _draw_across(slide, arrow, shapes, places)
        else:
            _draw_down(slide, arrow, part, shapes, places, box)


def _sizes(part: Diagram, places: Mapping[str, Box]) -> tuple[float, float]:
    """Of all titles and of all details: those of the fullest node."""
    title = min(
        fit([n.title], places[n.name].width - _INSIDE, LINE * _TITLE / 72, _TITLE, _LEAST_TITLE, "bold").size
        for n in part.nodes
    )
    details = [
        fit(n.detail.split("\n"), places[n.name].width - _INSIDE, _room(n, places[n.name], title), _DETAIL, gap=_GAP)
        for n in part.nodes
        if n.detail
    ]
    return title, min((detail.size for detail in details), default=_DETAIL)


def _title(node: Node, place: Box, size: float) -> list[str]:
    """On two lines at most."""
    return wrap(shorten(node.title, 2, place.width - _INSIDE, size, "bold"), place.width - _INSIDE, size, "bold")


def _room(node: Node, place: Box, title: float) -> float:
    """Left for the detail below the title."""
    return place.height - 0.2 - len(_title(node, place, title)) * LINE * title / 72


def _places(part: Diagram, box: Box) -> dict[str, Box]:
    rows = 1 + max(node.row for node in part.nodes)
    shares = part.row_shares or [1.0] * rows
    width = _column_width(part, box)
    free = box.height - _DOWN * (rows - 1)
    heights = [free * share / sum(shares) for share in shares]
    return {
        node.name: Box(
            box.left + node.column * (width + _ACROSS),
            box.top + sum(heights[: node.row]) + node.row * _DOWN,
            node.columns * width + (node.columns - 1) * _ACROSS,
            heights[node.row],
        )
        for node in part.nodes
    }


def _column_width(part: Diagram, box: Box) -> float:
    columns = max(node.column + node.columns for node in part.nodes)
    return (box.width - _ACROSS * (columns - 1)) / columns


def _draw_node(slide: Any, node: Node, place: Box, title_size: float, detail_size: float) -> Any:
    fill, line = {"plain": (PALE, ACCENT), "strong": (ACCENT, ACCENT), "soft": ("#ffffff", MUTED)}[node.tone]
    shape = panel(slide, place, fill, line, rounded=True)
    shape.name = node.title
    width, tone = place.width - _INSIDE, "#ffffff" if node.tone == "strong" else INK
    text = frame(shape, 0.08, MSO_ANCHOR.MIDDLE)
    title = " ".join(_title(node, place, title_size))
    write(text, [title], title_size, tone, face="bold", align=PP_ALIGN.CENTER)
    if node.detail:
        lines = fit(node.detail.split("\n"), width, _room(node, place, title_size), detail_size, detail_size, gap=_GAP)
        write(text, lines.paragraphs, detail_size, tone, align=PP_ALIGN.CENTER, gap=_GAP, append=True)
    return shape


def _draw_across(slide: Any, arrow: Arrow, shapes: Mapping[str, Any], places: Mapping[str, Box]) -> None:
    first, second = places[arrow.start], places[arrow.end]
    rightwards = first.left < second.left
    y = first.top + first.height / 2
    start = (first.left + first.width if rightwards else first.left, y)
    end = (second.left if rightwards else second.left + second.width, second.top + second.height / 2)
    line = _line(slide, start, end, arrow)
    line.begin_connect(shapes[arrow.start], _RIGHT if rightwards else _LEFT)
    line.end_connect(shapes[arrow.end], _LEFT if rightwards else _RIGHT)


def _draw_down(
    slide: Any, arrow: Arrow, part: Diagram, shapes: Mapping[str, Any], places: Mapping[str, Box], box: Box
) -> None:
    first, second = places[arrow.start], places[arrow.end]
    if arrow.column is None:
        narrow = min(first, second, key=lambda place: place.width)
        x = narrow.left + narrow.width / 2
    else:
        width = _column_width(part, box)
        x = box.left + arrow.column * (width + _ACROSS) + width / 2
    downwards = first.top < second.top
    start = (x, first.top + first.height if downwards else first.top)
    end = (x, second.top if downwards else second.top + second.height)
    line = _line(slide, start, end, arrow)
    # Glue sits in the middle of a side; an arrow that meets a wide box elsewhere only touches it.
    if abs(x - first.left - first.width / 2) < 0.01:
        line.begin_connect(shapes[arrow.start], _BOTTOM if downwards else _TOP)
    if abs(x - second.left - second.width / 2) < 0.01:
        line.end_connect(shapes[arrow.end], _TOP if downwards else _BOTTOM)


def _line(slide: Any, start: tuple[float, float], end: tuple[float, float], arrow: Arrow) -> Any:
    line = slide.shapes.add_connector(MSO_CONNECTOR.STRAIGHT, *(Inches(value) for value in (*start, *end)))
    line.name = f"{arrow.start} to {arrow.end}"
    line.line.color.rgb = colour(MUTED)
    line.line.width = Pt(2)
    if arrow.dashed:
        line.line.dash_style = MSO_LINE.DASH
    properties = line.line._get_or_add_ln()
    properties.append(properties.makeelement(qn("a:tailEnd"), {"type": "triangle", "w": "med", "len": "med"}))
    return line
