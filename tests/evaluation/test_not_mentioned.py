"""Slots that were left out: in a bundle, in an answer for people, and beside the labels of an evaluation."""

from pathlib import Path

import pandas as pd
import pytest

from slu.bundles import Predictor
from slu.common.files import read_json
from slu.corpus.manifest import Manifest
from slu.evaluation.answers import Answers
from slu.evaluation.conditions import CLEAN
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.tables import metrics_table
from slu.spec import NOT_MENTIONED, Head
from tests.bundles.helpers import make_bundle
from tests.evaluation.helpers import made_up

HEADS = (Head("product", ("tea", "coffee")), Head("quantity", (NOT_MENTIONED, "1", "2"), "qty"))


@pytest.fixture
def result(tmp_path: Path) -> Evaluation:
    """Two clips without a quantity, one with, and one that nobody labelled."""
    folder = tmp_path / "drinks"
    plain = made_up(tmp_path / "other", [{"product": "tea", "quantity": ""}] * 4, [("tea", "1")] * 4)
    predictor = Predictor(make_bundle(folder, heads=HEADS))
    said = [("tea", ""), ("tea", ""), ("coffee", "2"), ("", "")]
    table = pd.DataFrame([{"file_name": f"{i}.wav", "product": p, "quantity": q} for i, (p, q) in enumerate(said)])
    heard = {"product": [0, 0, 1, 0], "quantity": [0, 1, 2, 0]}
    scores = {}
    for head in HEADS:
        values = plain.answers.scores["product"][:, [0] * len(head.classes)] * 0 + 0.05
        values[range(4), heard[head.name]] = 0.9
        scores[head.name] = values
    answers = Answers(**{**vars(plain.answers), "scores": scores})
    return Evaluation(CLEAN, Manifest(folder / "m.csv", table), predictor.bundle.spec, answers, predictor)


def test_it_is_a_class_like_any_other(result: Evaluation) -> None:
    assert result.truth["quantity"].tolist() == [0, 0, 2, -1]
    assert (result.metrics["n_joint"], result.metrics["joint_accuracy"]) == (3, pytest.approx(2 / 3))
    assert result.metrics["heads"]["quantity"]["classes"][NOT_MENTIONED]["recall"] == 0.5
    assert result.metrics["heads"]["quantity"]["unlabelled"]["n"] == 1


def test_people_are_told_what_was_mentioned(result: Evaluation) -> None:
    assert [result.prediction(i).heard() for i in range(3)] == ["product tea", "product tea, quantity 1",
                                                                "product coffee, quantity 2"]  # fmt: skip
    assert result.prediction(0).heard(["quantity"]) == "nothing"
    assert result.prediction(0).display["quantity"] == "not mentioned"
    assert result.prediction(0).labels["quantity"] == NOT_MENTIONED


def test_the_bundle_keeps_it_in_its_label_map_and_card(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "drinks", heads=HEADS)
    assert read_json(bundle.folder / "qty2id.json") == {"": 0, "1": 1, "2": 2}
    assert "`quantity`: not mentioned, 1, 2" in (bundle.folder / "model_card.md").read_text()


def test_many_heads_are_told_one_per_row(result: Evaluation) -> None:
    head = result.metrics["heads"]["quantity"]
    many = {**result.metrics, "heads": {f"slot{i}": head for i in range(6)}}
    table = metrics_table({"clean": many, "10 dB": many}, "six slots")
    assert [str(c.header) for c in table.columns][:3] == ["condition", "head", "accuracy"]
    assert list(table.columns[1].cells)[:3] == ["all labels right", "slot0", "slot1"]
    assert table.row_count == 2 * 7
    assert len(metrics_table({"clean": result.metrics}, "two slots").columns) == 9
