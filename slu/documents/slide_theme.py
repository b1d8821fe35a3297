"""The look of every deck, kept in its theme and master, so that slides added by hand look the same."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.oxml import serialize_part_xml
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Inches

from slu.documents.figures import ACCENT, GRID, INK, MUTED, SERIES, WARN

FONT, MONO_FONT = "Arial", "Courier New"
PALE, PALE_WARN = "#f2f6f7", "#fbece8"
"""Behind text."""

WIDTH, HEIGHT = 13.333, 7.5
MARGIN = 0.5
TITLE_SIZE = 26.0


@dataclass(frozen=True)
class Box:
    """Inches from the top left corner of the slide."""

    left: float
    top: float
    width: float
    height: float


TITLE = Box(MARGIN, 0.35, WIDTH - 2 * MARGIN, 0.95)
BODY = Box(MARGIN, 1.5, WIDTH - 2 * MARGIN, 5.35)
_RULE = Box(MARGIN, 1.34, 1.2, 0.05)
_FOOTER = Box(MARGIN, 7.0, 9.0, 0.32)
_NUMBER = Box(WIDTH - MARGIN - 1.5, 7.0, 1.5, 0.32)
_COVER_TITLE = Box(1.0, 1.9, WIDTH - 2.0, 1.5)
_COVER_RULE = Box(1.0, 3.5, 2.4, 0.08)
_COVER_SUBTITLE = Box(1.0, 3.7, WIDTH - 2.0, 2.2)
COVER_TITLE_SIZE, COVER_SIZE = 40.0, 20.0

_PLACES = {"title": TITLE, "ctrTitle": _COVER_TITLE, "subTitle": _COVER_SUBTITLE, "ftr": _FOOTER, "sldNum": _NUMBER}


def new_presentation() -> Any:
    """16:9, with the two layouts that decks use: `Title Slide` and `Title Only`."""
    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Inches(WIDTH), Inches(HEIGHT)
    master = presentation.slide_master
    for layout in list(master.slide_layouts):
        if layout.name not in ("Title Slide", "Title Only"):
            master.slide_layouts.remove(layout)
    for page in (master, *master.slide_layouts):
        _place(page)
    _set_colours_and_fonts(master.part.part_related_by(RELATIONSHIP_TYPE.THEME))
    _set_title_style(master._element)
    for name, place in (("Title Only", _RULE), ("Title Slide", _COVER_RULE)):
        find_layout(presentation, name).shapes._spTree.append(_rule(place))
    return presentation


def _rule(place: Box) -> Any:
    """A short bar under the titles; python-pptx adds shapes to slides only."""
    left, top, width, height = inches(place)
    return parse_xml(
        f'<p:sp {nsdecls("p", "a")}><p:nvSpPr><p:cNvPr id="99" name="Rule"/><p:cNvSpPr/><p:nvPr userDrawn="1"/>'
        f'</p:nvSpPr><p:spPr><a:xfrm><a:off x="{left}" y="{top}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:schemeClr val="accent1"/></a:solidFill>'
        "<a:ln><a:noFill/></a:ln></p:spPr></p:sp>"
    )


def find_layout(presentation: Any, name: str) -> Any:
    return next(found for found in presentation.slide_layouts if found.name == name)


def inches(box: Box) -> tuple[Any, Any, Any, Any]:
    return Inches(box.left), Inches(box.top), Inches(box.width), Inches(box.height)


def _place(page: Any) -> None:
    """Placeholders of a 4:3 slide to where they belong; the date, which nobody fills, goes."""
    for shape in list(page.placeholders):
        kind = shape._element.ph.get("type")
        if kind == "dt":
            shape._element.getparent().remove(shape._element)
        elif kind in _PLACES:
            shape.left, shape.top, shape.width, shape.height = inches(_PLACES[kind])
            if kind in ("ctrTitle", "subTitle"):
                _align_left(shape)
        elif kind == "body":
            shape.left, shape.top, shape.width, shape.height = inches(BODY)


def _align_left(shape: Any) -> None:
    frame = shape.text_frame._txBody.find(qn("a:bodyPr"))
    frame.set("lIns", "0")
    if shape._element.ph.get("type") == "ctrTitle":
        frame.set("anchor", "b")
    for alignment in shape._element.iterfind(f".//{qn('a:lvl1pPr')}"):
        alignment.set("algn", "l")


def _set_colours_and_fonts(theme: Any) -> None:
    root = parse_xml(theme.blob)
    colours = {"dk1": INK, "lt1": "#ffffff", "dk2": MUTED, "lt2": GRID, "hlink": ACCENT, "folHlink": MUTED}
    accents = (ACCENT, WARN, *SERIES[2:6])
    colours |= {f"accent{number}": colour for number, colour in enumerate(accents, 1)}
    for name, colour in colours.items():
        entry = root.find(f".//{qn('a:clrScheme')}/{qn(f'a:{name}')}")
        for child in list(entry):
            entry.remove(child)
        entry.append(entry.makeelement(qn("a:srgbClr"), {"val": colour.lstrip("#").upper()}))
    for latin in root.iterfind(f".//{qn('a:fontScheme')}/*/{qn('a:latin')}"):
        latin.set("typeface", FONT)
    theme._blob = serialize_part_xml(root)


def _set_title_style(master: Any) -> None:
    style = master.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    style.set("algn", "l")
    letters = style.find(qn("a:defRPr"))
    letters.set("sz", str(int(100 * TITLE_SIZE)))
    letters.set("b", "1")
    for body in master.iterfind(f".//{qn('p:sp')}"):
        kind = body.find(f".//{qn('p:ph')}").get("type")
        frame = body.find(f"{qn('p:txBody')}/{qn('a:bodyPr')}")
        if kind == "title":
            frame.set("anchor", "b")
            frame.set("lIns", "0")
        for alignment in body.iterfind(f".//{qn('a:lvl1pPr')}"):
            if kind == "ftr":
                alignment.set("algn", "l")
                frame.set("lIns", "0")
            elif kind == "sldNum":
                frame.set("rIns", "0")


def add_footer(slide: Any, text: str) -> None:
    """Footer and slide number, as PowerPoint's own placeholders: python-pptx leaves them out of new slides."""
    for shape in slide.slide_layout.placeholders:
        kind = shape._element.ph.get("type")
        if kind not in ("ftr", "sldNum"):
            continue
        copy = deepcopy(shape._element)
        copy.nvSpPr.cNvPr.set("id", str(max(s.shape_id for s in slide.shapes) + 1))
        slide.shapes._spTree.append(copy)
        if kind == "ftr":
            slide.shapes[-1].text_frame.text = text
