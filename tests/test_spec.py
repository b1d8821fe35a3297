"""The task contract: what it refuses, and that it survives JSON."""

import json
from typing import Any

import pytest

from slu.spec import NOT_MENTIONED, Head, TaskSpec

PRODUCT = Head("product", ("teh", "kopi"))
QUANTITY = Head("quantity", ("1", "2", "10"), "qty")


def test_a_spec_survives_json() -> None:
    spec = TaskSpec(
        "orders",
        (PRODUCT, QUANTITY),
        {"name": "logmel", "n_mels": 40, "f_max": None},
        min_duration_s=0.3,
        max_duration_s=6.0,
        min_confidence=0.25,
    )
    again = TaskSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.head("quantity").classes == ("1", "2", "10")
    assert again.head_names == ["product", "quantity"]


@pytest.mark.parametrize("version", [None, 0, 2, "1"])
def test_another_version_is_refused(version: object) -> None:
    value = {**TaskSpec("orders", (PRODUCT,)).to_json(), "spec_version": version}
    with pytest.raises(ValueError, match=r"spec version .* is not 1"):
        TaskSpec.from_json(value)


def test_label_order_is_the_order_of_the_logits() -> None:
    assert QUANTITY.to_ids() == {"1": 0, "2": 1, "10": 2}
    assert QUANTITY.index("10") == 2
    assert (PRODUCT.label_map, QUANTITY.label_map) == ("product", "qty")
    assert Head("n", (1, 2)).classes == ("1", "2")  # type: ignore[arg-type]


def test_heads_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="lists a class twice"):
        Head("product", ("teh", "kopi", "teh"))
    with pytest.raises(ValueError, match="at least two classes"):
        Head("product", ("teh",))


def test_a_decision_and_names_to_show_survive_json_and_are_left_out_where_nothing_is_set() -> None:
    head = Head("gender", ("female", "male"), display={"female": "Perempuan"}, temperature=1.5, threshold=0.4)
    assert Head.from_json(json.loads(json.dumps(head.to_json()))) == head
    assert (head.shown("female"), head.shown("male")) == ("Perempuan", "male")
    assert set(PRODUCT.to_json()) == {"name", "classes", "label_map"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"display": {"child": "Anak"}}, "no class 'child'"),
        ({"display": {"female": "Orang", "male": "Orang"}}, "two classes under one name"),
        ({"display": {"female": "male"}}, "two classes under one name"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"threshold": 1.0}, "between 0 and 1"),
        ({"classes": ("a", "b", "c"), "threshold": 0.4}, "only two classes have one"),
    ],
)
def test_decisions_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Head(**{"name": "gender", "classes": ("female", "male"), **settings})


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..", ".evil", "a\\b", "a\n", "a/b", "n" * 101])
def test_a_label_map_stays_in_its_bundle(name: str) -> None:
    with pytest.raises(ValueError, match="head 'qty': its label map cannot be called"):
        Head("qty", ("1", "2"), name)
    with pytest.raises(ValueError, match="its label map cannot be called"):
        Head(name, ("1", "2"))
    assert Head("qty", ("1", "2"), "jumlah é-1.b").label_map == "jumlah é-1.b"


def test_specs_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="'orders' has no heads"):
        TaskSpec("orders", ())
    with pytest.raises(ValueError, match="names a head twice"):
        TaskSpec("orders", (PRODUCT, Head("product", ("a", "b"))))


@pytest.mark.parametrize("document", [None, [], 3, "spec"])
def test_what_is_no_object_is_no_spec(document: Any) -> None:
    with pytest.raises(ValueError, match="a spec is a JSON object, and this is "):
        TaskSpec.from_json(document)


def test_a_slot_that_may_be_left_out_is_shown_in_words() -> None:
    size = Head("size", (NOT_MENTIONED, "small"))
    assert (size.shown(NOT_MENTIONED), size.shown("small"), PRODUCT.shown("")) == ("not mentioned", "small", "")
    assert Head("size", ("", "small"), display={"": "tidak disebut"}).shown("") == "tidak disebut"
    with pytest.raises(ValueError, match="shows two classes under one name"):
        Head("size", ("", "not mentioned"))
