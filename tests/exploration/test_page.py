"""The page says the warnings first, carries everything in itself, and escapes what strangers wrote."""

import re
from pathlib import Path

import numpy as np
import pytest

from slu.documents.page import write_page
from slu.exploration.dataset import from_manifest
from slu.exploration.decisions import decide
from slu.exploration.page import exploration_page
from slu.exploration.record import summarise
from slu.exploration.sound_parts import sound_parts
from slu.exploration.summary import summary
from slu.exploration.warnings import warn
from tests.exploration.helpers import findings_of, rows_of, tables_only, utterance, write_corpus


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    rows = rows_of(48, size=("small", "<b>large</b>"), text=("yes please", "no & thanks"))
    rows[0]["split"] = "test"
    path = write_corpus(folder, rows, {"audio/024.wav": 0.3 * utterance(0)})
    findings = findings_of(from_manifest(path, ["word", "size"]), folder)
    decisions = decide(findings)
    write_page(folder / "report.html", exploration_page(findings, warn(findings), decisions, ["python -m slu.train"]))
    return (folder / "report.html").read_text(encoding="utf-8")


def test_warnings_come_before_any_section(page: str) -> None:
    warning = page.index("Leak: 1 of 12 speakers (s00) stands on more than one side of the split")
    assert warning < page.index("<section")
    sections = re.findall(r"<h2>(.*?)</h2>", page)
    assert sections == [
        "What to do", "What it is", "Labels", "Speakers and split", "Sound", "Copies", "Set aside", "Worth hearing",
    ]  # fmt: skip


def test_everything_is_inside(page: str) -> None:
    sources = re.findall(r'(?:src|href)="([^"]{1,30})', page)
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert page.count("<audio") == 4  # a copy and its twin, and one clip of each class


def test_strangers_words_are_escaped(page: str) -> None:
    assert "<b>large</b>" not in page
    assert "&lt;b&gt;large&lt;/b&gt;" in page


@pytest.mark.parametrize("padded", [False, True])
def test_digital_silence_is_spoken_of_where_there_is_some(tmp_path: Path, *, padded: bool) -> None:
    path = write_corpus(tmp_path, rows_of(4), {"audio/001.wav": np.pad(utterance(1), 4000)} if padded else {})
    side = sound_parts(findings_of(from_manifest(path, ["word"]), tmp_path))[0]
    assert ("digital silence" in str(side)) == padded


def test_labels_without_audio_make_a_page_that_says_so(tmp_path: Path) -> None:
    findings = findings_of(tables_only(tmp_path, rows_of(24)), tmp_path)
    warnings, decisions = warn(findings), decide(findings)
    page = exploration_page(findings, warnings, decisions, [])
    titles = [section.title for section in page.sections]
    assert titles == ["What to do", "What it is", "Labels", "Speakers and split"]
    assert "The audio of all 24 clips is missing" in page.warnings[0]
    write_page(tmp_path / "report.html", page)
    assert "Nothing can be trained on these data yet" in (tmp_path / "report.html").read_text()
    facts = summarise(findings, warnings, decisions, [])
    assert facts["audio"] == {"read": 0, "unreadable": 0, "missing": 24}
    assert facts["measures"] == {}
    words = summary(findings, warnings, decisions, [], tmp_path)
    assert words.startswith(f"{tmp_path.name}: 24 clips, no audio, 12 speakers, 2 classes of word")


@pytest.mark.parametrize("columns", [["word"], ["word", "other"]])
def test_next_to_nothing_still_makes_a_page(tmp_path: Path, columns: list[str]) -> None:
    rows = [{"file_name": "audio/a.wav", "word": "yes", "other": ""}]
    findings = findings_of(from_manifest(write_corpus(tmp_path, rows), columns), tmp_path)
    write_page(tmp_path / "report.html", exploration_page(findings, warn(findings), decide(findings), []))
    assert "Every label of word is" in (tmp_path / "report.html").read_text()
