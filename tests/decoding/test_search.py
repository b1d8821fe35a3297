"""The search against trying everything."""

import itertools

import numpy as np
import pytest

from slu.decoding.grammar import Grammar
from slu.decoding.graph import Arc, WordGraph
from slu.decoding.search import IMPOSSIBLE, Search, Weights

GRAPH = WordGraph(
    3,
    2,
    (
        Arc(0, 1, "a", (("x", "1"),)),
        Arc(0, 1, "", (("x", ""),)),
        Arc(1, 2, "b", (("y", "1"),)),
        Arc(1, 2, "c", (("y", "0"),)),
    ),
)
GRAMMAR = Grammar(GRAPH, {"a": (("p", "q"),), "b": (("q", "p", "r"),), "c": (("r",), ("p", "p"))}, ("_", "p", "q", "r"))
HEADS = {"x": ("", "1"), "y": ("0", "1")}
WEIGHTS = Weights(phones=0.7, words=0.4, skip=-1.5, pause=-0.6)


def random_scores(seed: int, clips: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    scores = 2 * np.random.default_rng(seed).normal(size=(2, clips, frames, 4)).astype(np.float32)
    phones, words = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    return phones, words


def by_trying(phones: np.ndarray, words: np.ndarray) -> dict[tuple[str, str], float]:
    """The best score of every (x, y), by walking every path frame by frame."""
    frames = len(phones)

    def at(frame: int, phone: str, word: str) -> float:
        p, w = phones[frame, GRAMMAR.phones.index(phone)], words[frame, GRAMMAR.words.index(word)]
        return float(WEIGHTS.phones * p + WEIGHTS.words * w)

    def between(left: list[tuple[str, tuple[str, ...]]], frame: int, price: float = WEIGHTS.pause) -> float:
        """At a node: any pause, then the next word."""
        best, paused = IMPOSSIBLE, 0.0
        price = price if left else 0.0
        for start in range(frame, frames + 1):
            if not left and start == frames:
                best = max(best, paused)
            if left and start < frames:
                best = max(best, paused + within(left, 0, start))
            if start < frames:
                paused += at(start, "_", "") + price
        return best

    def within(left: list[tuple[str, tuple[str, ...]]], place: int, frame: int) -> float:
        (word, said), best, heard = left[0], IMPOSSIBLE, 0.0
        for end in range(frame + 1, frames + 1):
            heard += at(end - 1, said[place], word)
            if place == len(said) - 1:
                best = max(best, heard + between(left[1:], end))
            elif end < frames:
                best = max(best, heard + within(left, place + 1, end))
                if place + 2 < len(said):
                    best = max(best, heard + WEIGHTS.skip + within(left, place + 2, end))
        return best

    scores = {}
    for x, y in itertools.product(HEADS["x"], HEADS["y"]):
        sentence = [*(["a"] if x else []), "b" if y == "1" else "c"]
        said = itertools.product(*(GRAMMAR.lexicon[word] for word in sentence))
        scores[x, y] = max(between(list(zip(sentence, way, strict=True)), 0, 0.0) for way in said)
    return scores


@pytest.mark.parametrize("seed", range(4))
def test_every_class_gets_the_score_of_the_best_sentence_that_means_it(seed: int) -> None:
    lengths = [7, 5, 4]
    phones, words = random_scores(seed, len(lengths), max(lengths))
    found = Search(GRAMMAR, HEADS, WEIGHTS)(phones, words, np.array(lengths))
    for clip, length in enumerate(lengths):
        tried = by_trying(phones[clip, :length], words[clip, :length])
        best = max(tried.values())
        assert float(found.best[clip]) == pytest.approx(best / length, abs=1e-4)
        for place, head in enumerate(HEADS):
            expected = [max(v for k, v in tried.items() if k[place] == label) - best for label in HEADS[head]]
            assert found.classes[head][clip].tolist() == pytest.approx(expected, abs=1e-4)


def test_what_may_be_left_out_is_as_good_as_every_sentence_written_out() -> None:
    """[a] c [b] [a]: steps without a word at both ends of the graph, and two of them in a row."""
    said, heads = ("a", "c", "b", "a"), {str(slot): ("", "1") for slot in range(4)}
    optional = [Arc(i, i + 1, word, ((str(i), "1"),)) for i, word in enumerate(said)]
    optional += [Arc(i, i + 1, "", ((str(i), ""),)) for i in (0, 2, 3)]
    written: list[Arc] = []
    node = itertools.count(1)
    for spoken in itertools.product(("", "1"), ("1",), ("", "1"), ("", "1")):
        words = [word for word, is_said in zip(said, spoken, strict=True) if is_said]
        nodes = [0, *(next(node) for _ in words[1:]), 13]
        labels = tuple((str(slot), label) for slot, label in enumerate(spoken))
        written += [
            Arc(source, target, word, () if place else labels)
            for place, (word, (source, target)) in enumerate(zip(words, itertools.pairwise(nodes), strict=True))
        ]
    phones, scores = random_scores(1, 3, 16)
    found = []
    for final, arcs in (4, optional), (13, written):
        graph = WordGraph(final + 1, final, tuple(sorted(arcs, key=lambda arc: arc.source)))
        grammar = Grammar(graph, GRAMMAR.lexicon, GRAMMAR.phones)
        found.append(Search(grammar, heads, WEIGHTS)(phones, scores, np.array([16, 11, 3])))
    np.testing.assert_allclose(found[0].best, found[1].best, rtol=1e-5)
    for head, values in found[0].classes.items():
        np.testing.assert_allclose(values, found[1].classes[head], atol=1e-4, rtol=1e-4)


def test_a_class_that_the_menu_does_not_have_is_impossible() -> None:
    phones, words = random_scores(0, 1, 7)
    found = Search(GRAMMAR, {**HEADS, "x": ("1", "none", "")}, WEIGHTS)(phones, words, np.array([7]))
    known = Search(GRAMMAR, HEADS, WEIGHTS)(phones, words, np.array([7])).classes["x"]
    np.testing.assert_allclose(found.classes["x"][:, [2, 0]], known, rtol=1e-5)
    assert float(found.classes["x"][0, 1]) < IMPOSSIBLE / 2


def test_what_stands_beyond_a_clips_end_does_not_count() -> None:
    phones, words = random_scores(0, 1, 9)
    search = Search(GRAMMAR, HEADS, WEIGHTS)
    alone = search(phones[:, :6], words[:, :6], np.array([6]))
    padded = search(phones, words, np.array([6]))
    for head in HEADS:
        np.testing.assert_allclose(alone.classes[head], padded.classes[head], rtol=1e-5)


def test_the_path_is_the_sentence_that_was_said() -> None:
    said = [("_", ""), ("p", "a"), ("p", "a"), ("q", "a"), ("_", ""), ("r", "c"), ("r", "c"), ("_", "")]
    frames = [(GRAMMAR.phones.index(phone), GRAMMAR.words.index(word)) for phone, word in said]
    phones, words = np.full((2, len(said), 4), -9.0, np.float32)
    for frame, (phone, word) in enumerate(frames):
        phones[frame, phone] = words[frame, word] = 0.0
    search = Search(GRAMMAR, HEADS, WEIGHTS)
    assert search.path(phones, words) == frames
    assert search.path(phones, words, GRAPH.restricted({"x": "1", "y": "0"})) == frames
    assert search.path(phones, words, GRAPH.restricted({"x": "", "y": "1"})) != frames


def test_a_clip_that_is_too_short_for_any_sentence_has_no_path() -> None:
    phones, words = random_scores(0, 1, 1)
    graph = GRAPH.restricted({"x": "1", "y": "1"})
    assert Search(GRAMMAR, HEADS, WEIGHTS).path(phones[0], words[0], graph) is None


def test_a_grammar_travels_as_json_and_refuses_what_it_cannot_say() -> None:
    assert Grammar.from_json(GRAMMAR.to_json()).to_json() == GRAMMAR.to_json()
    with pytest.raises(ValueError, match="how 'b' is pronounced"):
        Grammar(GRAPH, {"a": (("p",),)}, ("_", "p"))
    with pytest.raises(ValueError, match="'q', which is not one of the phones"):
        Grammar(GRAPH, {"a": (("q",),), "b": (("p",),), "c": (("p",),)}, ("_", "p"))
    with pytest.raises(ValueError, match="the pause"):
        Grammar(GRAPH, {}, ("p", "_"))
    with pytest.raises(ValueError, match="no grammar"):
        Grammar.from_json({"graph": {}})
