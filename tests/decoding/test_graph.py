"""Word graphs: reading, restricting, sharing what sentences have in common, and the JSON round trip."""

import json
from typing import Any

import pytest

from slu.decoding.compact import compact
from slu.decoding.graph import NOT_MENTIONED, Arc, WordGraph
from slu.decoding.words import words_of

TEA = (("drink", "tea"),)
COFFEE = (("drink", "coffee"),)
SMALL = (("size", "small"),)
ANY = (("size", NOT_MENTIONED),)
# "give me [small] (tea|coffee)", as it is first written: one chain per sentence.
CHAINS = [
    *(Arc(0, 2, "give"), Arc(2, 3, "me"), Arc(3, 4, "small", SMALL), Arc(4, 1, "tea", TEA)),
    *(Arc(0, 5, "give"), Arc(5, 6, "me"), Arc(6, 7, "small", SMALL), Arc(7, 1, "coffee", COFFEE)),
    *(Arc(0, 8, "give"), Arc(8, 9, "me"), Arc(9, 10, "", ANY), Arc(10, 11), Arc(11, 1, "tea", TEA)),
    *(Arc(0, 12, "give"), Arc(12, 13, "me"), Arc(13, 14, "", ANY), Arc(14, 1, "coffee", COFFEE)),
]


@pytest.fixture
def graph() -> WordGraph:
    return compact(CHAINS, 0, 1)


def test_what_sentences_share_is_written_once(graph: WordGraph) -> None:
    assert graph.nodes == 5
    assert sorted(arc.word for arc in graph.arcs) == ["", "coffee", "give", "me", "small", "tea"]
    assert graph.words == ("coffee", "give", "me", "small", "tea")
    assert graph.classes == {"drink": ("coffee", "tea"), "size": ("", "small")}


def test_reading_gives_the_labels(graph: WordGraph) -> None:
    assert graph.read(["give", "me", "small", "tea"]) == {"drink": "tea", "size": "small"}
    assert graph.read(["give", "me", "coffee"]) == {"drink": "coffee", "size": ""}
    for words in ([], ["give", "me"], ["give", "me", "small"], ["give", "me", "tea", "coffee"], ["me", "tea"]):
        assert graph.read(words) is None


def test_different_sentences_are_counted_once(graph: WordGraph) -> None:
    assert graph.sentence_count() == 4
    twice = compact(
        [*CHAINS, Arc(0, 20, "give"), Arc(20, 21, "me"), Arc(21, 22, "", ANY), Arc(22, 1, "tea", COFFEE)], 0, 1
    )
    assert twice.sentence_count() == 4
    assert compact([Arc(0, 1, "a"), Arc(0, 1)], 0, 1).sentence_count() == 2


def test_restricted_to_labels(graph: WordGraph) -> None:
    tea = graph.restricted({"drink": "tea"})
    assert tea.classes == {"drink": ("tea",), "size": ("", "small")}
    only = graph.restricted({"drink": "coffee", "size": ""})
    assert [arc.word for arc in only.arcs if arc.word] == ["give", "me", "coffee"]
    assert only.read(["give", "me", "coffee"]) == {"drink": "coffee", "size": ""}
    with pytest.raises(ValueError, match="no sentence of the menu means"):
        graph.restricted({"drink": "milk"})


def test_json_round_trip(graph: WordGraph) -> None:
    assert WordGraph.from_json(json.loads(json.dumps(graph.to_json()))) == graph


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"nodes": 2, "final": 2, "arcs": []},
        {"nodes": 2, "final": 1, "arcs": [[1, 0, "a", {}]]},
        {"nodes": 3, "final": 2, "arcs": [[1, 2, "a", {}], [0, 1, "b", {}]]},
        {"nodes": 2, "final": 1, "arcs": [[0, 1, "a"]]},
        {"nodes": 2, "final": 1, "arcs": [[0, 1, "a", "tea"]]},
    ],
)
def test_what_is_no_graph_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="word graph"):
        WordGraph.from_json(value)


def test_words_are_bare_and_in_lower_case() -> None:
    assert words_of('"I\'d like" a Tea, please!  —  ¿sí? anak-anak हिन्दी') == (
        *("i'd", "like", "a", "tea", "please", "sí", "anak-anak", "हिन्दी"),
    )
