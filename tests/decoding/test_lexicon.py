"""Pronunciations from what was heard: the frequent ones, and only those."""

from slu.decoding.alignment import SILENCE, Alignment
from slu.decoding.lexicon import lexicon_of


def said(*words: tuple[str, str]) -> Alignment:
    """Each word with its phones, a letter each, half a second apart."""
    intervals, phones, time = [], [], 0.0
    for word, letters in words:
        phones += [(letter, time + 0.1 * i, time + 0.1 * (i + 1)) for i, letter in enumerate(letters)]
        intervals.append((word, time, time + 0.1 * len(letters)))
        time += 0.1 * len(letters) + 0.5
    return Alignment(tuple(intervals), tuple(phones))


def test_frequent_pronunciations_come_first_and_rare_ones_are_left_out() -> None:
    heard = [*[said(("teh", "tE"), ("a", "@"))] * 6, *[said(("teh", "te"))] * 3, said(("teh", "ta"))]
    assert lexicon_of(heard) == {"a": (("@",),), "teh": (("t", "E"), ("t", "e"))}
    assert lexicon_of(heard, share=1.0)["teh"] == (("t", "E"), ("t", "e"), ("t", "a"))
    assert lexicon_of(heard, share=1.0, most=1)["teh"] == (("t", "E"),)
    assert lexicon_of([]) == {}


def test_pauses_are_no_phones() -> None:
    assert lexicon_of([said(("teh", f"t{SILENCE}E"))]) == {"teh": (("t", "E"),)}
