"""The notation of menus, and that what is drawn from a menu is what its word graph accepts."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from slu.common.errors import UserError
from slu.corpus.menu import Menu, draw_sentences
from slu.corpus.menu_classes import number_words
from slu.decoding.graph import WordGraph
from slu.spec import NOT_MENTIONED
from tests.conftest import ROOT

SHIPPED = sorted((ROOT / "conf" / "menu").glob("*.yaml"))
BARISTA = ROOT.parent / "shared" / "data" / "barista" / "metadata.csv"


def load(path: Path) -> Menu:
    return Menu.parse(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)


def menu(*carriers: str, **heads: Any) -> Menu:
    heads = heads or {"drink": {"classes": ["tea", "iced tea"]}, "size": {"classes": ["small", "large"]}}
    return Menu.parse({"task": "drinks", "language": "en-us", "heads": heads, "carriers": list(carriers)}, "menu")


def texts(of: Menu, count: int = 400) -> set[str]:
    return {s.text for s in draw_sentences(of, count, np.random.default_rng(0))}


def heads_decided(graph: WordGraph) -> set[str]:
    """Of every path, where all agree and none decides a head twice."""
    decided: dict[int, frozenset[str]] = {0: frozenset()}
    for arc in graph.arcs:
        new = [head for head, _ in arc.labels]
        assert not decided[arc.source] & set(new), f"{arc} decides a head again"
        after = decided[arc.source] | set(new)
        assert decided.setdefault(arc.target, after) == after, f"{arc}: paths decide different heads"
    return set(decided[graph.final])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_drawn_sentence_is_in_the_graph_and_means_its_labels(path: Path) -> None:
    of = load(path)
    graph = of.word_graph()
    assert heads_decided(graph) == set(of.heads)
    assert all(graph.read(s.words) == s.labels for s in draw_sentences(of, 500, np.random.default_rng(0)))
    assert graph.classes == {head.name: tuple(sorted(head.classes)) for head in of.task_heads()}


def random_part(rng: np.random.Generator, slots: list[str], depth: int) -> str:
    """A random carrier of the slots, each said at most once on every way."""
    if depth == 0 or (len(slots) == 1 and rng.random() < 0.3):
        return (
            " ".join([*(f"{{{s}}}" for s in slots), *rng.choice(["or", "so", "now, please"], rng.integers(2))]) or "ok"
        )
    cut = int(rng.integers(len(slots) + 1))
    left, right = (random_part(rng, part, depth - 1) for part in (slots[:cut], slots[cut:]))
    other = random_part(rng, slots, depth - 1)
    forms = (
        f"{left} {right}",
        f"({left};{right})",
        f"[{left}] {right}",
        f"({left};[{right}])",
        f"({other}|{left} {right})",
    )
    return f"{forms[rng.integers(len(forms))]}{'' if rng.random() < 0.8 else ' [um]*2'}"


@pytest.mark.parametrize("seed", range(40))
def test_random_menus(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heads = {
        "a": {"classes": {"one": ["alfa", "alfa beta"], "two": ["beta", "alfa gamma"]}},
        "b": {"parts": [["", "some", "a bit of"], ["milk", "skim milk"]]},
        "c": {"numbers": [1, 3]},
    }
    of = menu(f"go {random_part(rng, ['a', 'b', 'c'], 3)} {{d}}", **heads, d={"classes": ["x ray", "x mas"]})
    graph = of.word_graph()
    assert heads_decided(graph) == {"a", "b", "c", "d"}
    for sentence in draw_sentences(of, 60, rng):
        restricted = graph.restricted(sentence.labels)
        assert restricted.read(sentence.words) == dict(sentence.labels), f"{of.carriers}: {sentence}"


def test_what_brackets_mean() -> None:
    assert texts(menu("(give|get) me {drink} [{size}]")) == {
        f"{verb} me {drink}{size}" for verb in ("give", "get") for drink in ("tea", "iced tea")
        for size in ("", " small", " large")
    }  # fmt: skip
    assert texts(menu("([{size}];{drink};now)")) >= {"small tea now", "tea now", "now tea", "now tea small"}
    assert texts(menu("[um]*2 {size} {drink}[, please]!")) >= {
        "um um large tea, please!",
        "um small tea!",
        "small tea!",
    }
    assert texts(menu("(no {size}|{size}) {drink}")) >= {"no small tea", "small tea"}


def test_classes_by_name_by_number_and_by_parts() -> None:
    of = menu(
        "{milk} {n} {size}",
        milk={"parts": [{"": [], "little": ["a little bit of", "a bit of"]}, ["milk", "cream"]]},
        n={"numbers": [19, 21], "classes": {"20": ["a score"], "100": ["many"]}},
        size={"classes": ["small", "large"]},
    )
    milk, number, size = of.task_heads()
    assert milk.classes == ("milk", "cream", "little milk", "little cream")
    assert number.classes == ("19", "20", "21", "100")
    assert size.classes == ("small", "large")
    assert of.heads["milk"].forms()["little cream"] == ["a little bit of cream", "a bit of cream"]
    assert of.heads["n"].forms()["21"] == ["twenty one"]
    assert of.heads["n"].forms()["20"] == ["a score"]


@pytest.mark.parametrize(
    ("language", "words"), [("id", "dua puluh satu"), ("es-419", "veintiuno"), ("pt-br", "vinte e um")]
)
def test_numbers_in_the_menus_language(language: str, words: str) -> None:
    assert number_words(21, language) == words


@pytest.mark.parametrize(
    ("carrier", "message"),
    [
        ("{drink} ({size}", r"a '\(' is not closed"),
        ("{drink} {size})", r"carrier '{drink} {size}\)': a '\)' closes nothing"),
        ("{drink} [{size})", r"a '\[' is closed by '\)'"),
        ("{drink} (a|{size};b)", "brackets around one of them"),
        ("{drink} (a|) {size}", r"nothing to say on one side; use \[...\]"),
        ("{drink} {size} ()", "nothing to say on one side"),
        ("{drink} [{size}]*2", "can say {size} more than once"),
        ("{drink} {size} [um]*9", "repeated up to 4 times"),
        ("{drink} ({size};a;b;c;d;e)", "6 parts in any order are too many"),
        ("({drink}|{size}) ({size}|{drink})", "can say {drink} more than once"),
        ("[{drink}] [{size}]", "can leave every slot out; keep one outside the brackets"),
        ("{drink} {", "'{' is not a slot"),
    ],
)
def test_what_is_wrong_with_a_carrier_is_named(carrier: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        menu(carrier)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"numbers": [5, 1]}, "the lower one comes first"),
        ({"numbers": [1, 2], "parts": [["a"], ["b", "c"]]}, "either parts, or classes and numbers"),
        ({"parts": [["", "a"], ["", "b"]]}, "none empty"),
        ({"parts": [["a"], ["b"]]}, "at least two"),
        ({"classes": ["tea", "tea"]}, "'tea' stands there twice"),
        (
            {"classes": {"": ["nothing"], "tea": ["tea"]}},
            r"a class needs a name; what may be left out stands in \[...\]",
        ),
    ],
)
def test_what_is_wrong_with_a_head_is_named(head: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        menu("{drink}", drink=head)


def test_numbers_need_a_language_that_counts() -> None:
    heads = {"n": {"numbers": [1, 5]}}
    with pytest.raises(UserError, match="num2words cannot count in 'sw'; write the numbers as classes"):
        Menu.parse({"task": "t", "language": "sw", "heads": heads, "carriers": ["{n}"]}, "menu")
    with pytest.raises(UserError, match="numbers are said in one language"):
        Menu.parse({"task": "t", "languages": {"id": ["{n}"], "ms": ["{n}"]}, "heads": heads}, "menu")


def test_a_slot_glued_to_a_word_has_no_graph() -> None:
    assert menu("{size}, {drink}!").word_graph().read(["small", "tea"]) == {"size": "small", "drink": "tea"}
    with pytest.raises(UserError, match="written together with another word; put a space"):
        menu("{size}ish {drink}").word_graph()


def test_slots_are_left_out_in_half_the_sentences_and_classes_are_balanced() -> None:
    of = load(ROOT / "conf" / "menu" / "barista.yaml")
    drawn = draw_sentences(of, 2000, np.random.default_rng(1))
    for head in of.task_heads():
        times = Counter(s.labels[head.name] for s in drawn)
        assert set(times) == set(head.classes)
        if NOT_MENTIONED in head.classes:
            assert abs(times.pop(NOT_MENTIONED) - 1000) <= 32
        if head.name not in ("milkAmount", "sugarAmount"):
            assert max(times.values()) - min(times.values()) <= 1
    amounts = Counter(
        s.labels["milkAmount"].removesuffix(" cream") for s in drawn if s.labels["milkAmount"].endswith("cream")
    )
    assert min(amounts.values()) > 15


def test_barista_is_the_public_grammar_in_a_small_graph() -> None:
    of = load(ROOT / "conf" / "menu" / "barista.yaml")
    graph = of.word_graph()
    assert len([arc for arc in graph.arcs if arc.word]) < 400
    said = (
        "I'd like a dark roast small double shot iced coffee with lots of brown sugar and a little bit of almond milk"
    )
    assert graph.read(said.lower().split()) == {
        "coffeeDrink": "iced coffee", "size": "small", "roast": "dark roast", "numberOfShots": "double shot",
        "milkAmount": "a little bit of almond milk", "sugarAmount": "lots of brown sugar",
    }  # fmt: skip
    assert graph.read(["get", "me", "a", "latte"]) is not None
    for refused in (
        "a latte",
        "get me latte",
        "get me a latte with",
        "get me a latte small",
        "get me a small large latte",
    ):
        assert graph.read(refused.split()) is None


@pytest.mark.skipif(not BARISTA.is_file(), reason="the benchmark's recordings are not here")
def test_barista_has_the_recordings_labels() -> None:
    table = pd.read_csv(BARISTA, dtype=str, keep_default_na=False)
    for head in load(ROOT / "conf" / "menu" / "barista.yaml").task_heads():
        assert set(table[head.name]) <= set(head.classes)
