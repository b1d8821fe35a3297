"""What is heard when: every word of a sentence once, in order, filled by its phones."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from slu.common.errors import UserError
from slu.corpus.aligning import align
from slu.corpus.alignments import ALIGNMENTS, read_alignments, write_alignments
from slu.corpus.espeak import Engine, Prosody
from slu.corpus.phones import phone_name
from slu.decoding.alignment import SILENCE, Alignment
from slu.decoding.words import words_of

ORDERS = [
    "can I have a large mocha with a little bit of skim milk and a lot of sugar",
    "I'd like a twelve ounce dark roast single shot iced coffee with some brown sugar",
    "get me a latte",
    "Out on the lake, there were boats; it has been raining!",  # espeak-ng says "on the" as one word
    "double shot medium roast americano with cream and lots of sweetener",
]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(seed=0)


def alignment(engine: Engine, language: str, text: str, spoken: str = "", word_gap: int = 0) -> Alignment:
    engine.set_voice(language)
    speech = engine.speak(spoken or text, Prosody(word_gap=word_gap))
    return align(speech, engine.sample_rate, text, spoken or text)


def check(found: Alignment, text: str) -> None:
    assert tuple(word for word, _, _ in found.words) == words_of(text)
    times = [time for _, start, end in found.words for time in (start, end)]
    assert times == sorted(times)
    phones = list(found.phones)
    for word, start, end in found.words:
        own = [phone for phone in phones if start <= phone[1] < end]
        assert own, word
        assert (own[0][1], own[-1][2]) == (start, end), word
        assert all(before[2] == after[1] for before, after in pairwise(own)), word
        assert all(end > start for _, start, end in own), word
        phones = phones[len(own) :]
    assert not phones


@pytest.mark.parametrize("word_gap", [0, 4])
@pytest.mark.parametrize("language", ["en-us", "en-gb-scotland"])
def test_every_word_has_one_interval(engine: Engine, language: str, word_gap: int) -> None:
    for text in ORDERS:
        check(alignment(engine, language, text, word_gap=word_gap), text)


def test_other_languages_and_given_phonemes(engine: Engine) -> None:
    check(alignment(engine, "fr", "Est-ce que tu peux fermer la fenêtre ?"), "Est-ce que tu peux fermer la fenêtre ?")
    check(alignment(engine, "hi", "आज मौसम बहुत अच्छा है"), "आज मौसम बहुत अच्छा है")
    found = alignment(engine, "id", "beli beras dua", "beli [[b@R'as]] dua")
    check(found, "beli beras dua")
    assert found.pronunciations()[1] == ("beras", ("b", "@", "R", "a", "s"))


def test_times_are_those_of_the_sound(engine: Engine) -> None:
    engine.set_voice("id")
    speech = engine.speak("tiga", Prosody(rate=120))
    found = align(speech, engine.sample_rate, "tiga", "tiga")
    assert found.pronunciations() == [("tiga", ("t", "i", "g", "a"))]
    level = np.abs(speech.samples.astype(float))
    loud = np.flatnonzero(level > 0.05 * level.max()) / engine.sample_rate
    (_, start, end), *_ = found.words
    assert abs(start - loud[0]) < 0.05
    assert abs(end - loud[-1]) < 0.05
    quiet = engine.speak("satu satu", Prosody(rate=120))
    (_, start, end) = align(quiet, engine.sample_rate, "satu satu", "satu satu").phones[2]  # the first t
    closure = quiet.samples[int((start + 0.005) * engine.sample_rate) : int((start + 0.03) * engine.sample_rate)]
    assert np.abs(closure.astype(float)).max() < 0.01 * np.abs(quiet.samples.astype(float)).max()


def test_texts_that_do_not_fit_are_a_bug(engine: Engine) -> None:
    with pytest.raises(ValueError, match="'satu dua' has 2 words, 'satu' has 1"):
        alignment(engine, "id", "satu", "satu dua")


def test_phones_without_stress_length_and_variant() -> None:
    reduced = {"'i:": "i", "R2": "R", "t#": "t", ",aI": "aI", "A@": "A@", "3": "3", "0": "0", "_|": SILENCE, "n^": "n^"}
    assert {name: phone_name(name) for name in reduced} == reduced


def test_alignments_are_read_as_they_were_written(tmp_path: Path) -> None:
    one = Alignment((("teh", 0.1, 0.5),), (("t", 0.1, 0.2), ("E", 0.2, 0.5)))
    both = one + one.shifted(0.5)
    assert both.words == (("teh", 0.1, 0.5), ("teh", 0.6, 1.0))
    manifest = tmp_path / "metadata.csv"
    assert read_alignments(manifest) == {}
    write_alignments(tmp_path, {"audio/a.flac": one, "audio/b.flac": both})
    assert read_alignments(manifest) == {"audio/a.flac": one, "audio/b.flac": both}
    (tmp_path / ALIGNMENTS).write_text('{"file_name": "a.flac"}\n')
    with pytest.raises(UserError, match=r"alignment\.jsonl:1 is damaged"):
        read_alignments(manifest)
