"""`python -m slu.menu check`, as a user starts it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from slu.common.errors import UserError
from slu.menu import without_verb

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_menu_is_read_back(run: Run, tmp_path: Path) -> None:
    result = run("menu", "check", "menu=digits_id", "+menu.pronunciations.satu=[QR]", "examples=3")
    assert result.returncode == 0, result.stderr
    assert "digit      10 classes: 0, 1, 2" in result.stdout
    assert "10 different ones" in result.stdout
    assert "warning: digit: 3 (tiga) and 5 (lima) sound alike (0.50)" in result.stdout
    lines = result.stdout[result.stdout.index("pronunciations:") :]
    assert yaml.safe_load(lines) == {"pronunciations": {"dua": ["d'ua"]}}
    assert list(tmp_path.iterdir()) == []


def test_doubtful_words_come_with_the_line_to_correct_them(run: Run) -> None:
    result = run("menu", "menu=warung", "alike=0", "pairs=0")
    assert "warning: id: beli, pesan, mineral, beras, teh, empat: 'e' said as E" in result.stdout
    assert "sound" not in result.stdout
    lines = result.stdout[result.stdout.index("pronunciations:") :]
    assert yaml.safe_load(lines)["pronunciations"]["beras"] == ["b'ER2as"]


def test_a_wrong_menu_is_one_sentence(run: Run) -> None:
    result = run("menu", "check", "menu.carriers=['{quantity} [{product}']")
    assert result.returncode == 2
    assert result.stderr.startswith("error: menu: ")
    assert "a '[' is not closed" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_verb_may_be_left_out() -> None:
    assert without_verb(["check", "menu=x", "--help"]) == ["menu=x", "--help"]
    with pytest.raises(UserError, match="'chek' is nothing to do with a menu"):
        without_verb(["chek"])
