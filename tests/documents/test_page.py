"""Pages as text. A browser opens one in tests/test_evaluate_command.py."""

import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import pytest

from slu.documents.figures import encode, new_axes
from slu.documents.page import (
    Bullets,
    Card,
    Cards,
    Code,
    Page,
    Picture,
    Player,
    Players,
    Section,
    Side,
    Table,
    Text,
    write_page,
)


def picture(kind: str = "svg") -> Picture:
    figure, (axes,) = new_axes(2, 2)
    axes.plot([0, 1], [0, 1])
    axes.set_title("a line")
    return Picture(figure, "a rising line", "what it shows", kind)  # type: ignore[arg-type]


def everything() -> Page:
    player = Player("<clip>", b"fLaC", "audio/flac", picture("png"), [("said", "tea & milk")], "warning")
    parts = [
        Text("one\n\ntwo", "warning"),
        Bullets(["a", "b"]),
        Cards([Card("99 %", "right", "of 500", "good")]),
        Side([picture(), Table(["who", "n"], [["ana", "1"], ["budi", "2"]], "a table", fold_after=1)]),
        Code("{}", "json"),
        Players([player]),
    ]
    return Page("<title>", "sub", [Section("What it is", parts)], ["beware of <b>"], "end")


class Balanced(HTMLParser):
    """Every element that is opened is closed, in order."""

    VOID = frozenset({"meta", "link", "img", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_part_is_there_escaped_and_balanced(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", everything())
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    for text in ("&lt;title&gt;", "beware of &lt;b&gt;", "&lt;clip&gt;", "tea &amp; milk", "1 more rows", "one", "two"):
        assert text in html, text
    assert html.index("beware of") < html.index("What it is</h2>")
    assert html.count("data:image/svg+xml;base64,") == 1
    assert html.count("data:audio/flac;base64,") == 1


def test_nothing_is_fetched(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", everything())
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)
    assert "default-src 'none'" in html


def test_a_page_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    table = Table(["a"], [["b"]], fold_after="x")  # type: ignore[arg-type]
    bad = Page("t", "s", [Section("a", [Text("fine")]), Section("c", [table])])
    with pytest.raises(TypeError):
        write_page(path, bad)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_equal_figures_give_equal_bytes_and_titles_stand_left() -> None:
    assert encode(picture().figure) == encode(picture().figure)
    assert encode(picture().figure, "png")[:8] == b"\x89PNG\r\n\x1a\n"
    figure = picture().figure
    encode(figure)
    assert figure.axes[0].get_title(loc="left") == "a line"
    assert figure.axes[0].get_title() == ""


@pytest.mark.parametrize("name", ["kopi $\\foo$", "$^$", "$x_1^2$", "\u65e5\u672c \u0e01\u0e32"])
def test_any_name_can_stand_in_a_figure(name: str) -> None:
    figure, (axes,) = new_axes(2, 2)
    axes.set_yticks([0, 1], [name, "b"])
    axes.set_title(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = encode(figure).decode()
        encode(figure, "png")
    if "\u65e5" in name:  # letters that our font lacks are left to the reader's browser
        assert name in svg
