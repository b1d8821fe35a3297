"""The report of a learning curve: what is in it, and that it is written whole."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from slu.studies.answer import answer
from slu.studies.curve import build_curve
from slu.studies.curve_report import Report, curve_figure, curve_table, rows, write_report
from slu.studies.method import describe_method
from tests.studies.helpers import made_up

NUMBERS = {
    "m1": {"clean": [0.8, 0.9, 1.0], "5 dB": [0.5, 0.7, 0.9]},
    "m2": {"clean": [0.4, 0.7, 1.0], "5 dB": [0.5, 0.6, 0.9]},
}


@pytest.fixture
def report() -> Report:
    results = made_up(NUMBERS)
    curve = build_curve(results)
    text = answer(curve, "Does <it> help?", synthetic=True)
    return Report("orders", "Does <it> help?", text, describe_method(curve, results, 2500, 3), curve, results)


def test_the_report_is_a_page_a_picture_and_numbers(report: Report, tmp_path: Path) -> None:
    write_report(tmp_path, report)
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html", "learning_curve.json", "learning_curve.png", "learning_curve.svg"
    }  # fmt: skip
    page = (tmp_path / "report.html").read_text()
    for text in ("Does &lt;it&gt; help?", "How it was measured", "m1 minus m2", "+0.400", "2500 clips per epoch"):
        assert text in page, text
    facts = json.loads((tmp_path / "learning_curve.json").read_text())
    assert facts["answer"] == report.answer
    assert facts["differences"]["clean"]["0.05"]["value"] == pytest.approx(0.4)
    assert len(facts["fits"]) == 12
    assert facts["fits"][0]["accuracy"]["clean"] == pytest.approx(0.8)
    assert len(facts["points"]) == 12


def test_the_figure_has_a_panel_per_condition_on_a_common_scale(report: Report) -> None:
    clean, noise = curve_figure(report.curve).axes
    assert (clean.get_title("left"), noise.get_title("left")) == ("clean", "noise at 5 dB")
    assert clean.get_xscale() == "log"
    assert [label.get_text() for label in clean.get_xticklabels()] == ["5\n5%", "10\n10%", "100\n100%"]
    assert clean.get_ylim() == noise.get_ylim()
    assert [line.get_label() for line in clean.get_lines()] == ["m1", "m2"]
    assert clean.get_lines()[1].get_ydata().tolist() == pytest.approx([0.4, 0.7, 1.0])  # type: ignore[union-attr]


def test_the_table_marks_differences_that_exclude_zero(report: Report) -> None:
    header, cells = rows(report.curve)
    assert header == ["condition", "voices", "share", "clips", "m1", "m2", "m1 minus m2"]
    assert [row[:4] for row in cells[:3]] == [
        ["clean", "5", "5%", "125"], ["clean", "10", "10%", "250"], ["clean", "100", "100%", "2500"]
    ]  # fmt: skip
    assert [row[-1].endswith("*") for row in cells] == [True, True, False, False, True, False]
    assert cells[2][-1] == "+0.000"
    console = Console(width=140)
    with console.capture() as output:
        console.print(curve_table(report.curve))
    assert "+0.400" in output.get()


def test_the_method_counts_what_was_done(report: Report) -> None:
    text = " ".join(report.method)
    assert "12 fits: m1, m2, 3 shares of the training voices, seeds 0, 1; 12 CPU minutes" in text
    assert "Parameters: m1 1,000, m2 1,000." in text
    assert "At most 3 epochs, which these many fits used up: 6 of m1, 6 of m2" in text
    assert "6 of them are read at 95 %: about 1 may exclude zero by chance" in text
