"""Metrics against values worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, top_k_accuracy_score

from slu.evaluation.metrics import (
    confusion_matrix,
    head_metrics,
    score,
    summarise_folds,
    top_accuracy,
    worst_speaker,
)

# Four classes; class 3 occurs nowhere, class 2 only as a wrong answer; the last clip has no label.
TRUTH = np.array([0, 0, 0, 1, 1, -1])
GUESS = np.array([0, 0, 1, 1, 2, 3])
LABELS = ("tea", "coffee", "milk", "rice")


def test_confusion_matrix() -> None:
    assert confusion_matrix(TRUTH, GUESS, 4).tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert confusion_matrix(TRUTH[:0], GUESS[:0], 2).tolist() == [[0, 0], [0, 0]]


def test_head_metrics_with_absent_classes_and_unlabelled_rows() -> None:
    metrics = head_metrics(TRUTH, GUESS, LABELS)
    assert metrics["n"] == 5
    assert metrics["accuracy"] == pytest.approx(3 / 5)
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)  # of classes 0 and 1
    # F1 of class 0: 2*2/(3+2); of class 1: 2*1/(2+2); of class 2: 0; class 3 does not count.
    assert metrics["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 0) / 3)


def test_head_metrics_at_the_ends() -> None:
    best = head_metrics(TRUTH, TRUTH, LABELS)
    assert (best["accuracy"], best["balanced_accuracy"], best["macro_f1"]) == (1.0, 1.0, 1.0)
    wrong = head_metrics(np.array([0, 1]), np.array([1, 0]), "ab")
    assert (wrong["accuracy"], wrong["balanced_accuracy"], wrong["macro_f1"]) == (0.0, 0.0, 0.0)
    nothing = head_metrics(np.array([-1, -1]), np.array([0, 1]), "ab")
    assert nothing["n"] == 0
    assert set(nothing.values()) == {0, None}


def test_head_metrics_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 6, 300), rng.integers(0, 6, 300)
    guess[truth == 2] = 2
    truth[truth == 5] = 4  # class 5 is only ever guessed
    metrics = head_metrics(truth, guess, "abcdef")
    precision, recall, f1, count = precision_recall_fscore_support(truth, guess, zero_division=0.0)
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert metrics[f"macro_{name}"] == pytest.approx(values.mean())
        assert [metrics["classes"][c][name] or 0.0 for c in "abcdef"] == pytest.approx(values.tolist())
    assert [metrics["classes"][c]["n"] for c in "abcdef"] == count.tolist()
    scores = rng.dirichlet(np.ones(6), 300).astype(np.float32)
    expected = top_k_accuracy_score(truth, scores, k=2, labels=range(6))
    assert top_accuracy(truth, scores, 2) == pytest.approx(expected)


def test_score_counts_joint_only_where_all_labels_are_known() -> None:
    truth = {"product": np.array([0, 1, 1, -1, -1]), "quantity": np.array([0, 1, -1, 1, -1])}
    guess = {"product": np.array([0, 1, 1, 0, 0]), "quantity": np.array([0, 0, 1, 1, 1])}
    classes = {"product": ["tea", "coffee"], "quantity": ["1", "2"]}
    metrics = score(truth, guess, classes, speakers=["ana", "budi", "ana", "ana", ""])
    assert metrics["joint_accuracy"] == pytest.approx(1 / 2)
    assert (metrics["n"], metrics["n_joint"]) == (4, 2)
    assert metrics["heads"]["product"]["accuracy"] == 1.0
    assert metrics["heads"]["quantity"]["accuracy"] == pytest.approx(2 / 3)
    assert {name: (s["n"], s["joint_accuracy"]) for name, s in metrics["speakers"].items()} == {
        "ana": (1, 1.0),
        "budi": (1, 0.0),
    }
    assert worst_speaker(metrics) == "budi"
    assert score(truth, guess, classes)["speakers"] == {}


def test_score_without_one_complete_clip() -> None:
    truth = {"a": np.array([0, -1]), "b": np.array([-1, 1])}
    metrics = score(truth, truth, {"a": ["x", "y"], "b": ["x", "y"]}, speakers=["ana", "budi"])
    assert metrics["joint_accuracy"] is None
    assert metrics["n_joint"] == 0
    assert metrics["heads"]["a"]["accuracy"] == 1.0
    assert metrics["speakers"] == {}


def test_score_says_how_often_an_answer_that_was_acted_on_is_wrong() -> None:
    truth, guess = {"a": np.array([0, 0, 1, 1])}, {"a": np.array([0, 1, 1, 0])}
    scores = {"a": np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.55, 0.45]], np.float32)}
    metrics = score(truth, guess, {"a": "xy"}, scores=scores, understood=np.array([True, True, True, False]))
    assert metrics["understood_share"] == 0.75
    assert metrics["understood_accuracy"] == pytest.approx(2 / 3)
    assert metrics["wrong_and_understood_share"] == 0.25
    assert metrics["interval"].startswith("95 % bootstrap over clips (speakers unknown), for few errors")


def test_folds_name_the_worst_speaker() -> None:
    summary = summarise_folds(
        {name: {"joint_accuracy": value} for name, value in zip("abc", (0.9, 0.5, 1.0), strict=True)}
    )
    assert summary["mean"] == pytest.approx(0.8)
    assert (summary["worst"], summary["worst_speaker"]) == (0.5, "b")
    low, high = summary["interval_95"]
    assert 0.5 <= low < 0.8 < high <= 1.0


def test_a_two_class_head_has_an_interval_of_its_balanced_accuracy_though_speakers_have_one_class_each() -> None:
    truth, guess = np.repeat([0, 1], [60, 20]), np.repeat([0, 1, 1, 0], [54, 6, 15, 5])
    speakers = [f"s{i // 10}" for i in range(80)]
    metrics = score({"a": truth}, {"a": guess}, {"a": "xy"}, speakers)
    head = metrics["heads"]["a"]
    assert head["balanced_accuracy"] == pytest.approx((54 / 60 + 15 / 20) / 2)
    low, high = head["balanced_accuracy_interval"]
    assert low < head["balanced_accuracy"] < high
    assert metrics["speakers"]["s7"]["joint_accuracy"] == 0.5


def test_answers_to_unlabelled_clips_are_counted() -> None:
    truth, guess = {"a": np.array([0, 1, -1, -1])}, {"a": np.array([0, 1, 1, 0])}
    understood = np.array([True, False, True, False])
    head = score(truth, guess, {"a": "xy"}, understood=understood)["heads"]["a"]
    assert head["unlabelled"] == {"n": 2, "answered": 1}
    assert "unlabelled" not in score({"a": np.array([0])}, {"a": np.array([0])}, {"a": "xy"})["heads"]["a"]


def test_the_error_of_a_threshold_is_of_the_probability_that_it_states() -> None:
    scores = np.tile(np.float32([0.7, 0.3]), (10, 1))
    guess = np.ones(10, int)  # a threshold of 0.25
    metrics = score({"a": guess * (np.arange(10) < 3)}, {"a": guess}, {"a": "xy"}, scores={"a": scores})
    assert metrics["heads"]["a"]["ece"] == pytest.approx(0.0, abs=1e-6)  # says 0.3, right in 3 of 10
    assert metrics["joint_ece"] == pytest.approx(0.0, abs=1e-6)
