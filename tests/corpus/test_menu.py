"""Menus: what is refused, and sentences that are balanced over the classes."""

import copy
from collections import Counter
from typing import Any

import numpy as np
import pytest
import yaml

from slu.common.errors import UserError
from slu.corpus.menu import Menu, draw_sentences
from slu.spec import RESERVED
from tests.conftest import ROOT

SMALL: dict[str, Any] = {
    "task": "drinks",
    "language": "id",
    "heads": {
        "product": {"classes": {"tea": ["teh", "teh manis"], "coffee": ["kopi"], "none": ["air"]}},
        "quantity": {"label_map": "qty", "classes": {"1": ["satu"], "2": ["dua"]}},
    },
    "carriers": ["beli {quantity} {product}", "{product} {quantity} ya"],
}


PLAIN: dict[str, Any] = {"task": "greetings", "heads": {}, "languages": {"id": ["halo", "apa kabar"], "de": ["hallo"]}}


def changed(path: str, value: Any) -> dict[str, Any]:
    menu = copy.deepcopy(SMALL)
    *parents, last = path.split(".")
    place = menu
    for parent in parents:
        place = place[parent]
    place[last] = value
    return menu


def called(name: str) -> dict[str, Any]:
    """With the quantity under another name."""
    text = yaml.safe_dump(SMALL, sort_keys=False)
    return dict(yaml.safe_load(text.replace("quantity", name).replace("label_map: qty", "label_map: q")))


@pytest.mark.parametrize("path", sorted((ROOT / "conf" / "menu").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_menus(path: Any) -> None:
    menu = Menu.parse(yaml.safe_load(path.read_text()), path.name)
    said = " ".join(s.text for s in draw_sentences(menu, 2000, np.random.default_rng(0))).split()
    unused = set(menu.pronunciations) - set(said)
    assert not unused, f"words with a pronunciation that no sentence has: {unused}"


def test_heads_follow_from_the_menu() -> None:
    product, quantity = Menu.parse(SMALL, "menu").task_heads()
    assert (product.name, product.classes, product.label_map) == ("product", ("tea", "coffee", "none"), "product")
    assert (quantity.name, quantity.classes, quantity.label_map) == ("quantity", ("1", "2"), "qty")


@pytest.mark.parametrize(
    ("menu", "message"),
    [
        (changed("task", "My Shop"), "menu: task: 'My Shop' is not made of small letters, .*: write my_shop$"),
        (changed("heads.product.classes.tea", "teh"), r"classes\.tea: should be a list; write \[teh\]$"),
        (changed("heads.product.classes", {False: ["x"], "tea": ["teh"]}), r"classes: a bare no, .*: \"no\"$"),
        (changed("heads.product.classes.tea", [False]), r"classes\.tea\.0: a bare no, .* write the word in quotes"),
        (changed("heads.product.classes.tea", [True]), r"classes\.tea\.0: a bare yes, .*: \"yes\"$"),
        (changed("heads.product.classes.tea", [3]), r"classes\.tea\.0: .* write it in quotes: \"3\"$"),
        (changed("heads.product.classes", {"tea": ["teh"]}), r"menu: heads\.product: .*classes: .*at least 2"),
        (changed("heads.product.classes.tea", []), r"menu: heads\.product\.classes\.tea: .*at least one way"),
        (changed("heads.product.classes.tea", ["teh", " "]), r"classes\.tea: .*none may be empty"),
        (
            changed("heads.product.classes.none", ["air", "Teh  Manis"]),
            "'teh manis' is said for tea as well as for none",
        ),
        (changed("heads.quantity.classes", {1: ["satu"], 2: ["dua"]}), r"heads\.quantity\.classes\.1"),
        (changed("heads", {}), "must name no slot: there are no heads"),
        (changed("carriers", []), "menu: carriers: "),
        (changed("carriers", ["beli {product}"]), "'beli {product}' must name each of {product}, {quantity} once"),
        (changed("carriers", ["{product} {quantity} {product}"]), "can say {product} more than once"),
        (changed("carriers", ["{product} {quantity} {size}"]), "must name each of"),
        (changed("carriers", ["{product.__class__} {quantity}"]), "must name each of"),
        (changed("carriers", ["{product} {quantity"]), "menu: "),
        (changed("head", {}), "menu: head: "),
        (changed("heads.quantity.label_map", "../../evil"), "'quantity': its label map cannot be called '../../evil'"),
        (changed("heads.quantity.label_map", "product"), "two heads of task 'drinks' share a label map"),
        *((called(name), f"a head cannot be called '{name}': manifests use that column") for name in sorted(RESERVED)),
        ({}, "menu: task: Field required"),
        ({**PLAIN, "languages": {}}, "menu: languages: .*at least 1"),
        ({**PLAIN, "languages": {"id": []}}, r"menu: languages\.id: .*at least one sentence"),
        ({**PLAIN, "languages": {"id": ["halo", " "]}}, r"languages\.id: .*none may be empty"),
        ({**PLAIN, "languages": {"id": ["halo {gender}"]}}, "must name no slot"),
        ({**PLAIN, "language": "id"}, "needs either language and carriers, or languages"),
        ({**SMALL, "languages": {"id": ["{quantity} {product}"]}}, "needs either language and carriers, or languages"),
        ({"task": "greetings", "heads": {}, "language": "id"}, "needs either language and carriers, or languages"),
    ],
)
def test_what_is_wrong_is_named(menu: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Menu.parse(menu, "menu")


@pytest.mark.parametrize("count", [0, 1, 6, 31])
def test_every_combination_appears_equally_often(count: int) -> None:
    sentences = draw_sentences(Menu.parse(SMALL, "menu"), count, np.random.default_rng(0))
    assert len(sentences) == count
    times = Counter((s.labels["product"], s.labels["quantity"]) for s in sentences)
    assert all(count // 6 <= times[p, q] <= -(-count // 6) for p in ("tea", "coffee", "none") for q in ("1", "2"))


def test_sentences_say_their_labels_in_every_form_and_carrier() -> None:
    sentences = draw_sentences(Menu.parse(SMALL, "menu"), 120, np.random.default_rng(0))
    for sentence in sentences:
        forms = SMALL["heads"]["product"]["classes"][sentence.labels["product"]]
        number = SMALL["heads"]["quantity"]["classes"][sentence.labels["quantity"]][0]
        assert sentence.text in {f"beli {number} {f}" for f in forms} | {f"{f} {number} ya" for f in forms}
        assert sentence.spoken == sentence.text
    texts = " ".join(s.text for s in sentences)
    assert "teh manis" in texts
    assert {s.text.startswith("beli") for s in sentences} == {True, False}


def test_plain_sentences_in_several_languages() -> None:
    menu = Menu.parse(PLAIN, "menu")
    assert menu.task_heads() == ()
    assert menu.spoken_languages == ("id", "de")
    sentences = draw_sentences(menu, 40, np.random.default_rng(0), ["de", "id", "id"])
    assert all((s.text == "hallo") == (number % 3 == 0) for number, s in enumerate(sentences))
    assert {s.text for s in sentences} == {"halo", "apa kabar", "hallo"}
    assert all(s.labels == {} for s in sentences)


def test_several_languages_with_slots() -> None:
    carriers = {"id": ["beli {quantity} {product}"], "ms": ["minta {quantity} {product}"]}
    menu = Menu.parse({"task": "drinks", "heads": SMALL["heads"], "languages": carriers}, "menu")
    sentences = draw_sentences(menu, 12, np.random.default_rng(0))
    assert [s.text.split()[0] for s in sentences] == ["beli", "minta"] * 6
    assert len({(s.labels["product"], s.labels["quantity"]) for s in sentences[:6]}) == 6


def test_pronunciations_replace_whole_words_only_in_what_is_spoken() -> None:
    menu = Menu.parse({**SMALL, "pronunciations": {"teh": ["t'Eh", "t'eh"], "sat": ["x"]}}, "menu")
    sentences = draw_sentences(menu, 120, np.random.default_rng(0))
    tea = [s for s in sentences if s.labels["product"] == "tea"]
    assert all("teh" in s.text.split() and "teh" not in s.spoken.split() for s in tea)
    assert all(("[[t'Eh]]" in s.spoken) != ("[[t'eh]]" in s.spoken) for s in tea)
    assert len({s.spoken[s.spoken.index("[[") :][:8] for s in tea}) == 2
    assert all(s.spoken == s.text for s in sentences if s.labels["product"] != "tea")


def test_the_seed_decides() -> None:
    menu = Menu.parse(SMALL, "menu")
    first = draw_sentences(menu, 30, np.random.default_rng(3))
    assert first == draw_sentences(menu, 30, np.random.default_rng(3))
    assert first != draw_sentences(menu, 30, np.random.default_rng(4))
