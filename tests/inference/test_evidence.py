"""Evidence: what the menu explains speaks for an answer, what it does not speaks against it."""

import math

import numpy as np
import pytest
import torch

from slu.decoding.grammar import Grammar
from slu.decoding.graph import Arc, WordGraph
from slu.decoding.search import Search
from slu.inference.arrays import side_by_side
from slu.inference.evidence import VOICED, evidence
from tests.models.test_hybrid import recogniser

GRAPH = WordGraph(2, 1, (Arc(0, 1, "satu", (("digit", "1"),)), Arc(0, 1, "dua", (("digit", "2"),))))
GRAMMAR = Grammar(GRAPH, {"satu": (("s", "a", "t", "u"),), "dua": (("d", "u", "a"),)}, ("_", "a", "d", "s", "t", "u"))


def scores(phones: str, word: str) -> tuple[np.ndarray, np.ndarray]:
    """One clip in which these phones are heard, two frames each, and the word wherever there is no pause."""
    frames = [phone for phone in phones for _ in range(2)]
    likely = np.full((len(frames), len(GRAMMAR.phones)), -8.0, np.float32)
    words = np.full((len(frames), len(GRAMMAR.words)), -8.0, np.float32)
    for place, phone in enumerate(frames):
        likely[place, GRAMMAR.phones.index(phone)] = -0.01
        words[place, GRAMMAR.words.index("" if phone == "_" else word)] = -0.01
    return likely, words


def of(clips: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    lengths = np.array([len(phones) for phones, _ in clips])
    heard = side_by_side([p for p, _ in clips]), side_by_side([w for _, w in clips])
    search = Search(GRAMMAR, {"digit": ("1", "2")})
    return evidence(search, search(*heard, lengths), heard, heard, lengths)


def test_a_word_of_the_menu_is_explained_and_others_are_not() -> None:
    found = of([scores("_dua_", "dua"), scores("_tatsus_", ""), scores("______", ""), scores("_dua_satasu_", "dua")])
    said, other, silent, longer = ({name: float(values[i]) for name, values in found.items()} for i in range(4))
    assert said["fit"] == pytest.approx(0, abs=1e-5)
    assert said["word"] == pytest.approx(-0.01, abs=1e-4)
    assert (said["explained"], said["present"], said[VOICED]) == (1.0, 1.0, 6.0)
    assert (said["agreed"], said["sounded"]) == pytest.approx((-0.01, -0.01), abs=1e-4)
    assert said["unhurried"] == pytest.approx(math.log(2), abs=1e-5), "two frames a phone"
    assert other["fit"] < -1
    assert other["word"] < -4
    assert (silent[VOICED], silent["present"]) == (0.0, 0.0)
    assert longer["fit"] < -1, "more was said than the menu has"


def test_listeners_who_hear_different_words_do_not_agree() -> None:
    heard, other = scores("_dua_", "dua"), scores("_satu_", "satu")
    each = [tuple(values[None, :10] for values in clip) for clip in (heard, other)]
    search, lengths, (together, _) = Search(GRAMMAR, {"digit": ("1", "2")}), np.array([10]), each
    found = search(*together, lengths)
    alone = evidence(search, found, together, together, lengths)
    both = evidence(search, found, together, together, lengths, each)
    assert alone["agreed"] == pytest.approx(alone["word"])
    assert both["agreed"][0] < -7 < both["word"][0]
    assert both["sounded"][0] < alone["sounded"][0]


def test_a_word_in_no_time_was_hardly_said() -> None:
    found = of([scores("_dua_", "dua"), scores("_da_", "dua")])
    assert found["unhurried"].tolist() == pytest.approx([math.log(2), math.log(4 / 3)], abs=1e-5)


def test_padding_changes_nothing_and_impossible_clips_are_bounded() -> None:
    short, long = scores("_dua_", "dua"), scores("_satu__", "satu")
    alone, together = of([short]), of([short, long])
    for name, values in alone.items():
        assert float(values[0]) == pytest.approx(float(together[name][0]), abs=1e-5)
    tiny = of([(np.full((1, 6), -math.log(6), np.float32), np.full((1, 3), -math.log(3), np.float32))])
    assert all(np.isfinite(values).all() and (values >= -12).all() for values in tiny.values())


def test_the_recogniser_hears_the_same_answer_with_its_evidence() -> None:
    network, features, lengths = recogniser(), torch.randn(2, 90, 20), torch.tensor([90, 61])
    heard, logits = network.hear(features, lengths), network(features, lengths)
    np.testing.assert_allclose(heard.logits["digit"], logits["digit"].numpy(), rtol=1e-6)
    names = {"fit", "word", "sound", "explained", "present", "agreed", "sounded", "unhurried"}
    assert set(heard.evidence) == names | {"pooled", "convinced", VOICED}
    assert all(values.shape == (2,) for values in heard.evidence.values())


def test_the_least_convinced_of_two_listeners_counts() -> None:
    beside = {"_target_": "slu.models.hybrid.Hybrid", "channels": 8, "blocks": 1, "share": 0.5}
    network, features, lengths = recogniser(beside=beside), torch.randn(2, 90, 20), torch.tensor([90, 61])
    known = network.hear(features, lengths).evidence
    assert bool((known["convinced"] < known["pooled"]).all())
