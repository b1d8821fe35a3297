"""Parts of a slide as PowerPoint's own shapes: text stays text, tables stay tables."""

import io
from collections.abc import Sequence
from typing import Any

from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from slu.documents.figures import ACCENT, GOOD, INK, MUTED, WARN, encode
from slu.documents.page import Bullets, Card, Cards, Code, Picture, Text
from slu.documents.slide_text import GAP, LINE, SMALLEST, Face, fit, text_height
from slu.documents.slide_theme import MONO_FONT, PALE, PALE_WARN, Box, inches

LARGEST = 18.0
INSET = 0.1
_BULLET = 0.25
_DPI = 150
_TONES = {"plain": INK, "small": MUTED, "good": GOOD, "warning": WARN}


def colour(value: str) -> RGBColor:
    return RGBColor.from_string(value.lstrip("#").upper())


def panel(slide: Any, box: Box, fill: str | None, line: str | None = None, *, rounded: bool = False) -> Any:
    """A box that may hold text: no shadow, small margins, text from the top."""
    shape = slide.shapes.add_shape(MSO_SHAPE.ROUNDED_RECTANGLE if rounded else MSO_SHAPE.RECTANGLE, *inches(box))
    if rounded:
        shape.adjustments[0] = 0.08
    shape._element.remove(shape._element.find(qn("p:style")))  # it would bring a shadow
    if fill is None:
        shape.fill.background()
    else:
        shape.fill.solid()
        shape.fill.fore_color.rgb = colour(fill)
    if line is None:
        shape.line.fill.background()
    else:
        shape.line.color.rgb = colour(line)
        shape.line.width = Pt(1.25)
    return shape


def frame(shape: Any, inset: float = INSET, anchor: Any = MSO_ANCHOR.TOP) -> Any:
    """The shape's text frame, which never changes the size of its letters by itself."""
    text = shape.text_frame
    text.word_wrap = True
    text.vertical_anchor = anchor
    text.margin_left = text.margin_right = Inches(inset)
    text.margin_top = text.margin_bottom = Inches(min(inset, 0.06))
    return text


def write(
    text: Any,
    paragraphs: Sequence[str],
    size: float,
    tone: str = INK,
    *,
    face: Face = "plain",
    align: Any = PP_ALIGN.LEFT,
    gap: float = GAP,
    append: bool = False,
) -> None:
    for number, content in enumerate(paragraphs):
        first = number == 0 and not append
        paragraph = text.paragraphs[0] if first else text.add_paragraph()
        paragraph.alignment = align
        paragraph.line_spacing = 1.0
        if not first:
            paragraph.space_before = Pt(gap * size)
        run = paragraph.add_run()
        run.text = content
        run.font.size, run.font.bold = Pt(size), face == "bold"
        run.font.color.rgb = colour(tone)
        if face == "mono":
            run.font.name = MONO_FONT


def draw_text(slide: Any, part: Text, box: Box) -> None:
    fitted = fit(part.paragraphs, box.width, box.height, 14.0 if part.tone == "small" else LARGEST)
    shape = slide.shapes.add_textbox(*inches(box))
    write(frame(shape, 0.0), fitted.paragraphs, fitted.size, _TONES[part.tone])


def draw_bullets(slide: Any, part: Bullets, box: Box) -> None:
    fitted = fit(part.items, box.width - _BULLET, box.height, LARGEST)
    shape = slide.shapes.add_textbox(*inches(box))
    text = frame(shape, 0.0)
    write(text, fitted.paragraphs, fitted.size)
    for paragraph in text.paragraphs:
        properties = paragraph._p.get_or_add_pPr()
        properties.set("marL", str(Inches(_BULLET)))
        properties.set("indent", str(-Inches(_BULLET)))
        bullet = properties.makeelement(qn("a:buChar"), {"char": "•"})
        properties.append(bullet)


def draw_code(slide: Any, part: Code, box: Box) -> None:
    caption = 0.35 if part.caption else 0.0
    width, lines = box.width - 0.3, part.text.split("\n")
    fitted = fit(lines, width, box.height - caption - 0.3, LARGEST, face="mono", gap=0.0)
    height = text_height(fitted.paragraphs, width, fitted.size, "mono", gap=0.0) + 0.3
    shape = panel(slide, Box(box.left, box.top, box.width, height), PALE)
    write(frame(shape, 0.15), fitted.paragraphs, fitted.size, face="mono", gap=0.0)
    _caption(slide, part.caption, Box(box.left, box.top, box.width, height + caption))


def draw_picture(slide: Any, part: Picture, box: Box) -> None:
    """Drawn anew at the size of its box, with letters as large as the figure allows."""
    caption = 0.35 if part.caption else 0.0
    width, height = box.width, box.height - caption
    designed = part.figure.get_size_inches()
    zoom = min(1.4, max(1.0, 1.25 * min(width / designed[0], height / designed[1])))
    part.figure.set_size_inches(width / zoom, height / zoom)
    image = io.BytesIO(encode(part.figure, "png", dpi=int(_DPI * zoom)))
    picture = slide.shapes.add_picture(image, *inches(Box(box.left, box.top, width, height)))
    picture._element.nvPicPr.cNvPr.set("descr", part.alt)
    _caption(slide, part.caption, box)


def _caption(slide: Any, text: str, box: Box) -> None:
    if text:
        below = Box(box.left, box.top + box.height - 0.32, box.width, 0.32)
        draw_text(slide, Text(fit([text], below.width, below.height, SMALLEST).paragraphs[0], "small"), below)


def draw_cards(slide: Any, part: Cards, box: Box) -> None:
    space = 0.2
    width = (box.width - space * (len(part.cards) - 1)) / len(part.cards)
    for number, card in enumerate(part.cards):
        _draw_card(slide, card, Box(box.left + number * (width + space), box.top, width, box.height))


def _draw_card(slide: Any, card: Card, box: Box) -> None:
    text = frame(panel(slide, box, PALE, rounded=True), 0.15, MSO_ANCHOR.MIDDLE)
    width, left = box.width - 0.3, box.height - 0.12
    value = fit([card.value], width, 34 * LINE / 72, 34.0, 18.0, "bold")
    left -= text_height(value.paragraphs, width, value.size, "bold")
    note = fit([card.note], width, left / 2, 13.0) if card.note else None
    left -= 0.1 + (text_height(note.paragraphs, width, note.size) if note else 0.0)
    label = fit([card.label], width, left, 15.0)
    tone = {"plain": ACCENT, "good": GOOD, "warning": WARN}[card.tone]
    write(text, value.paragraphs, value.size, tone, face="bold", align=PP_ALIGN.CENTER)
    write(text, label.paragraphs, label.size, align=PP_ALIGN.CENTER, gap=0.1, append=True)
    if note:
        write(text, note.paragraphs, note.size, MUTED, align=PP_ALIGN.CENTER, gap=0.1, append=True)


def draw_warnings(slide: Any, warnings: Sequence[str], box: Box) -> float:
    """At the top of the box; returns the height that it took."""
    inner = box.width - 0.4
    fitted = fit(warnings, inner, 1.5, 14.0, gap=0.2)
    height = text_height(fitted.paragraphs, inner, fitted.size, gap=0.2) + 0.18
    shape = panel(slide, Box(box.left, box.top, box.width, height), PALE_WARN, WARN)
    shape.name = "Warnings"
    write(frame(shape, 0.15, MSO_ANCHOR.MIDDLE), fitted.paragraphs, fitted.size, WARN, gap=0.2)
    return height
