from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.documents.page import write_page
from slu.evaluation.compare_report import compare_bundles, comparison_page, comparison_table, sentences, short_names
from slu.evaluation.run import Evaluation
from tests.evaluation.helpers import made_up

SAID = [{"product": "tea", "quantity": "1", "speaker": f"s{i % 20}"} for i in range(200)]


def scored(folder: Path, name: str, wrong: int, rows: list[dict[str, str]] = SAID) -> dict[str, Evaluation]:
    heard = [("milk", "1")] * wrong + [("tea", "1")] * (len(rows) - wrong)
    return {"clean": made_up(folder / name, rows, heard)}


def test_the_better_one_is_named_and_a_tie_is_called_chance(tmp_path: Path) -> None:
    results = {name: scored(tmp_path, name, wrong) for name, wrong in (("a", 10), ("b", 60), ("c", 11))}
    pairs = compare_bundles(results)
    assert [(p.first, p.second, p.winner) for p in pairs["clean"]] == [("a", "b", "a"), ("a", "c", "")]
    against_b = pairs["clean"][0].comparison
    assert (against_b.only_a, against_b.only_b) == (50, 0)
    assert against_b.difference == pytest.approx(0.25)
    text = sentences(pairs)
    assert text[0] == "a against b: a is better under clean."
    assert text[1] == "a against c: the difference may be chance under clean."
    page = comparison_page(results, pairs, ["LEAK"])
    assert page.warnings == ["LEAK"]
    write_page(tmp_path / "page.html", page)
    assert len(comparison_table(results, pairs).rows) == 1


def test_recognisers_of_other_questions_are_not_compared(tmp_path: Path) -> None:
    only = [{"product": "tea"} for _ in range(5)]
    with pytest.raises(UserError, match="nothing to compare"):
        compare_bundles({"a": scored(tmp_path, "a", 1), "b": scored(tmp_path, "b", 1, only)})


def test_short_names_tell_bundles_apart(tmp_path: Path) -> None:
    bundles = [scored(tmp_path, name, 1)["clean"].predictor.bundle for name in ("one", "two")]
    assert short_names(bundles) == {"one": "A (M1)", "two": "B (M1)"}
