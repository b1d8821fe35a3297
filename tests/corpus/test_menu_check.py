"""A menu read back: how words are said, which of them are in doubt, which classes sound alike."""

from typing import Any

import pytest

from slu.common.errors import UserError
from slu.corpus.menu import Menu
from slu.corpus.menu_check import MenuReading, edits, read_menu, words_of_menu
from slu.corpus.phonemes import Spoken, speak_words


def menu(**changes: Any) -> Menu:
    value: dict[str, Any] = {
        "task": "shop",
        "language": "id",
        "heads": {
            "product": {"classes": {"tea": ["teh"], "bank": ["BCA"], "code": ["QR"], "mail": ["surel@"]}},
            "quantity": {"classes": {"3": ["tiga"], "5": ["lima"], "2": ["dua", "sepasang"]}},
        },
        "carriers": ["Beli, [tolong] {quantity} {product}!"],
        "pronunciations": {"teh": ["t'eh", "t'Eh"]},
    }
    return Menu.parse({**value, **changes}, "menu")


@pytest.fixture(scope="module")
def reading() -> MenuReading:
    return read_menu(menu(), examples=5, seed=0)


def test_sentences_are_counted_and_shown(reading: MenuReading) -> None:
    assert reading.sentences == 2 * 4 * 4
    assert len(reading.examples) == 5
    assert reading.ambiguous == ()


def test_words_are_those_of_carriers_and_classes_as_they_are_written(reading: MenuReading) -> None:
    words = ["Beli", "tolong", "teh", "BCA", "QR", "surel", "tiga", "lima", "dua", "sepasang"]
    assert words_of_menu(menu(), "id") == words
    assert list(reading.words["id"]) == words


def test_given_pronunciations_are_said_and_not_doubted(reading: MenuReading) -> None:
    assert [said.mnemonics for said in reading.words["id"]["teh"]] == ["t'eh", "t'Eh"]
    assert "teh" not in reading.doubtful["id"]


def test_doubts(reading: MenuReading) -> None:
    doubts = {word: said.doubt for word, said in reading.doubtful["id"].items()}
    assert doubts["QR"] == "spelt letter by letter"
    assert doubts["BCA"] == "capitals, but said as a word"
    assert "spelling does not tell" in doubts["Beli"]
    assert not {"tolong", "tiga", "lima", "dua"} & set(doubts)


def test_classes_that_sound_alike_come_first(reading: MenuReading) -> None:
    first = next(pair for pair in reading.pairs if pair.head == "quantity")
    assert (first.classes, first.said, first.edits, first.distance) == (("3", "5"), ("tiga", "lima"), 2, 0.5)
    assert first.phones == (("t", "i", "g", "a"), ("l", "i", "m", "a"))
    assert first.alike(0.5)
    assert not first.alike(0.4)
    assert len(reading.pairs) == 6 + 3


def test_shared_words_are_left_out_of_the_comparison() -> None:
    heads = {
        "drink": {"classes": ["dark roast", "light roast"]},
        "amount": {"parts": [["", "some", "lots of"], ["milk", "cream"]]},
    }
    of = menu(language="en-us", heads=heads, carriers=["{drink} {amount}"], pronunciations={})
    reading = read_menu(of, examples=1, seed=0)
    roast = next(pair for pair in reading.pairs if pair.head == "drink")
    assert (roast.phones[1], roast.distance) == (("l", "aI", "t"), 1.0)
    assert {pair.classes for pair in reading.pairs if pair.head == "amount"} == {("some", "lots of"), ("milk", "cream")}


def test_sentences_with_two_meanings_are_found() -> None:
    one, other = {"x": ["satu"], "y": ["satu dua"]}, {"p": ["dua tiga"], "q": ["tiga"]}
    heads = {"a": {"classes": one}, "b": {"classes": other}}
    (found,) = read_menu(menu(heads=heads, carriers=["{a} {b}"]), examples=1, seed=0).ambiguous
    assert found.text == "satu dua tiga"


def test_single_words() -> None:
    said = speak_words(["خمسة", "واحد", "pizza", "x1", "a&b"], "ar")
    assert {word: bool(spoken.doubt) for word, spoken in said.items()} == {
        "خمسة": True, "واحد": False, "pizza": True, "x1": True, "a&b": True,
    }  # fmt: skip
    assert "another language, en" in said["pizza"].doubt
    assert isinstance(said["واحد"], Spoken)
    assert said["واحد"].phones == ("w", "a", "H", "i", "d")
    with pytest.raises(UserError, match="espeak-ng does not speak 'xx'"):
        speak_words(["a"], "xx")


@pytest.mark.parametrize(
    ("one", "other", "count"), [("", "", 0), ("abc", "abc", 0), ("", "ab", 2), ("kitten", "sitting", 3)]
)
def test_edits(one: str, other: str, count: int) -> None:
    assert edits(one, other) == edits(other, one) == count
