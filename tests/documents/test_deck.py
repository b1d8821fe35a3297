"""Slides: real PowerPoint parts, nothing empty, nothing outside, nothing that does not fit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from pptx.util import Inches

from slu.documents.deck import write_deck
from slu.documents.figures import new_axes
from slu.documents.page import Bullets, Card, Cards, Code, Picture, Table, Text
from slu.documents.slide_parts import (
    Arrow,
    Canvas,
    Columns,
    Deck,
    Diagram,
    Field,
    Node,
    Rows,
    Slide,
    SlidePart,
)
from slu.documents.slide_text import SMALLEST, fit, shorten, text_height, text_width, wrap

LONG = "Every clip was spoken by a synthesiser, which is easier than people, and says little about them. " * 4
WORD = "averyverylongnamewithoutanyspaceinit" * 4


def written(tmp_path: Path, *bodies: SlidePart, title: str = "A title", warnings: Sequence[str] = ()) -> list[Any]:
    """The slides after the cover, opened again."""
    slides = [Slide(title, body, ["from metrics.json"], warnings) for body in bodies]
    write_deck(tmp_path / "deck.pptx", Deck("Deck", ["about it"], ["cover"], slides))
    return list(Presentation(str(tmp_path / "deck.pptx")).slides)[1:]


def figure() -> Picture:
    drawn, (axes,) = new_axes(4, 3)
    axes.plot([1, 2], [3, 4])
    return Picture(drawn, "a line", "A caption")


DIAGRAM = Diagram(
    [
        Node("a", "First", "of two", 0, 0),
        Node("b", "Second", "", 1, 0, tone="strong"),
        Node("c", "Both", "below", 0, 1, 2, "soft"),
    ],
    [Arrow("a", "b"), Arrow("b", "c", column=1, dashed=True), Arrow("c", "a", column=0)],
)
CANVAS = Canvas([Field("One", "text"), Field("Two", "text"), Field("Three", "text")], 2)
CARDS = Cards([Card("99.8%", "right", "of 500"), Card("1", WORD, tone="warning")])
TABLE = Table(["name", "value"], [["a", "1"], ["b", "2"]], caption="Two rows.")
EVERYTHING = (
    Text("Some text.\n\nTwo paragraphs."),
    Bullets(["one", "two"]),
    Columns([TABLE, CARDS], (2, 1)),
    Rows([Code('{\n  "a": 1\n}', "JSON"), figure()]),
    Rows([TABLE, Bullets([LONG])], (0, 1)),
    DIAGRAM,
    CANVAS,
)
TOO_MUCH = (
    Text(LONG * 10),
    Bullets([LONG] * 12),
    Table(["name", "value"], [[LONG, "1"], *[[WORD, str(n)] for n in range(60)]], text_columns=(0,)),
    Code("\n".join([LONG] * 40)),
    Cards([Card("1234567890", LONG, LONG)] * 5),
    Canvas([Field(WORD, LONG * 2)] * 10, 5),
    Diagram([Node("a", LONG, LONG, 0, 0), Node("b", WORD, WORD, 3, 0)], [Arrow("a", "b")]),
)


def test_a_deck_is_whole(tmp_path: Path) -> None:
    write_deck(
        tmp_path / "deck.pptx",
        Deck("The deck", ["line one", "line two"], ["from a.json"], [Slide("First", Text("x"), ["from b.json"])]),
    )
    deck = Presentation(str(tmp_path / "deck.pptx"))
    assert (deck.slide_width, deck.slide_height) == (Inches(13.333), Inches(7.5))
    assert [layout.name for layout in deck.slide_layouts] == ["Title Slide", "Title Only"]
    cover, first = deck.slides
    assert cover.shapes.title.text_frame.text == "The deck"
    assert cover.placeholders[1].text_frame.text == "line one\nline two"
    assert first.shapes.title.text_frame.text == "First"
    assert [s.notes_slide.notes_text_frame.text for s in (cover, first)] == ["from a.json", "from b.json"]
    kinds = [shape._element.ph.get("type") for shape in first.placeholders]
    assert sorted(kinds) == ["ftr", "sldNum", "title"]
    assert 'type="slidenum"' in first.shapes._spTree.xml
    assert (deck.core_properties.title, deck.core_properties.author) == ("The deck", "slu")
    assert list(tmp_path.iterdir()) == [tmp_path / "deck.pptx"]


@pytest.mark.parametrize("content", [EVERYTHING, TOO_MUCH], ids=["everything", "too much"])
def test_nothing_is_empty_outside_or_too_small(tmp_path: Path, content: tuple[SlidePart, ...]) -> None:
    title = "A title" if content is EVERYTHING else LONG
    warnings = () if content is EVERYTHING else [LONG, LONG, LONG]
    for slide in written(tmp_path, *content, title=title, warnings=warnings):
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= Inches(13.334)
            assert shape.top + shape.height <= Inches(7.501), shape.name
            if shape.has_text_frame:
                assert shape.text_frame.text.strip(), shape.name
                assert _fits(shape), shape.text_frame.text
                sizes = [run.font.size.pt for p in shape.text_frame.paragraphs for run in p.runs if run.font.size]
                assert min(sizes, default=SMALLEST) >= SMALLEST


def _fits(shape: Any) -> bool:
    frame = shape.text_frame
    runs = [run for p in frame.paragraphs for run in p.runs if run.font.size]
    if not runs:
        return True  # footers, in the size of the master
    width = (shape.width - (frame.margin_left or 0) - (frame.margin_right or 0)) / Inches(1)
    height = 0.0
    for paragraph in frame.paragraphs:
        for run in paragraph.runs:
            face = "mono" if run.font.name else "bold" if run.font.bold else "plain"
            height += text_height([run.text], width + 0.02, run.font.size.pt, face)
    return height <= shape.height / Inches(1) + 0.02


def test_text_stays_text_and_tables_stay_tables(tmp_path: Path) -> None:
    text, bullets, beside, below, *_ = written(tmp_path, *EVERYTHING)
    assert [p.text for p in text.shapes[1].text_frame.paragraphs] == ["Some text.", "Two paragraphs."]
    assert bullets.shapes[1]._element.xml.count("<a:buChar") == 2
    table = next(shape.table for shape in beside.shapes if shape.has_table)
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["name", "value"], ["a", "1"], ["b", "2"]]
    picture = next(shape for shape in below.shapes if hasattr(shape, "image"))
    assert picture._element.nvPicPr.cNvPr.get("descr") == "a line"
    width, height = picture.image.size
    assert picture.width / picture.height == pytest.approx(width / height, rel=0.01)


def test_arrows_are_glued_to_their_boxes(tmp_path: Path) -> None:
    (slide,) = written(tmp_path, DIAGRAM)
    xml = slide.shapes._spTree.xml
    assert xml.count("<a:tailEnd") == 3
    assert xml.count("<a:stCxn") == 2  # not where the wide box is met away from the middle of its side
    assert xml.count("<a:endCxn") == 2
    assert 'prstDash val="dash"' in xml


def test_a_canvas_is_a_table_with_a_title_over_every_text(tmp_path: Path) -> None:
    (slide,) = written(tmp_path, CANVAS)
    rows = next(shape.table for shape in slide.shapes if shape.has_table).rows
    assert [[cell.text for cell in row.cells] for row in rows] == [
        ["One", "Two"], ["text", "text"], ["Three", ""], ["text", ""],
    ]  # fmt: skip


def test_rows_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    (slide,) = written(tmp_path, Table(["name"], [[str(n)] for n in range(99)]))
    rows = list(next(shape.table for shape in slide.shapes if shape.has_table).rows)
    shown = len(rows) - 2
    assert rows[-1].cells[0].text == f"and {99 - shown} more"


def test_warnings_stand_above_the_body(tmp_path: Path) -> None:
    (slide,) = written(tmp_path, TABLE, warnings=["LEAK: 3 clips."])
    box = next(shape for shape in slide.shapes if shape.name == "Warnings")
    table = next(shape for shape in slide.shapes if shape.has_table)
    assert box.text_frame.text == "LEAK: 3 clips."
    assert box.top + box.height < table.top


def test_fitting() -> None:
    assert fit(["short"], 3, 1, 18).size == 18
    smaller = fit([LONG], 6, 1.3, 18)
    assert 12 <= smaller.size < 18
    assert smaller.paragraphs == [LONG]
    cut = fit([LONG, "second"], 3, 1, 18)
    assert cut.size == SMALLEST
    assert len(cut.paragraphs) == 1
    assert cut.paragraphs[0].endswith("…")
    assert text_height(cut.paragraphs, 3, SMALLEST) <= 1
    assert fit(["one", "two", "three"], 3, 0.5, 12).paragraphs == ["one", "two …"]


def test_wrapping_and_shortening() -> None:
    assert all(text_width(line, 12) <= 2 for line in wrap(f"{LONG} {WORD}", 2, 12))
    assert " ".join(wrap(LONG, 2, 12)) == LONG
    assert "".join(wrap(WORD, 2, 12)) == WORD
    assert shorten("short", 1, 3, 12) == "short"
    assert shorten("a few words too many of them", 1, 1.2, 12) == "a few words …"
    assert shorten(f"speaker {WORD}", 1, 2, 12).startswith("speaker avery")
    assert text_width("日本", 72) == pytest.approx(2)
