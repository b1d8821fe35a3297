from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slu.common.errors import UserError
from slu.documents.page import write_page
from slu.evaluation.compare_report import compare_bundles, comparison_page, comparison_table, sentences, short_names
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.reference import PitchRule, RuleAnswers
from slu.evaluation.tables import folds_table
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
    deeper = {"model": {**bundles[1].config["model"], "layers": 3, "pooling": "last"}}
    bundles[0].config["model"]["pooling"] = "mean"
    told_apart = short_names([bundles[0], replace(bundles[1], config=deeper)])
    assert told_apart == {"one": "A (M1 layers 1 mean)", "two": "B (M1 layers 3 last)"}


def test_a_rule_stands_beside_them(tmp_path: Path) -> None:
    """SAID has quantity 1 throughout, index 0 of its head: a rule that is right on every other clip."""
    rule = RuleAnswers(PitchRule("quantity", 172.0, "1", "2"), np.arange(len(SAID)) % 2)
    results = {
        name: {"clean": replace(scored(tmp_path, name, wrong)["clean"], reference=rule)}
        for name, wrong in (("a", 10), ("b", 60))
    }
    pairs = compare_bundles(results)
    table = comparison_table(results, pairs)
    assert [str(column.header) for column in table.columns][3] == "172 Hz rule, quantity only"
    assert [list(column.cells) for column in table.columns][3] == ["0.500"]
    page = comparison_page(results, pairs, [])
    write_page(tmp_path / "page.html", page)
    text = (tmp_path / "page.html").read_text()
    assert "a: Better than the 172 Hz rule by 50.0 points" in text
    metrics = results["a"]["clean"].metrics
    folds = folds_table(
        {"s0": metrics, "s1": metrics},
        {"mean": 1.0, "worst": 1.0, "worst_speaker": "s0", "interval_95": (1, 1)},
        "folds",
    )
    assert list(folds.columns[0].cells)[-1] == "172 Hz rule, quantity"
    assert list(folds.columns[2].cells)[-1] == "0.500 (mean over speakers), 0.500 (s0)"
