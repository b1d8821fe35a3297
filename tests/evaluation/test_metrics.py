"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from slu.evaluation.metrics import bootstrap_interval, confusion_matrix, head_metrics, score, summarise_folds

# Four classes; class 3 occurs nowhere, class 2 only as a wrong answer; the last clip has no label.
TRUTH = np.array([0, 0, 0, 1, 1, -1])
GUESS = np.array([0, 0, 1, 1, 2, 3])


def test_confusion_matrix() -> None:
    assert confusion_matrix(TRUTH, GUESS, 4).tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert confusion_matrix(TRUTH[:0], GUESS[:0], 2).tolist() == [[0, 0], [0, 0]]


def test_head_metrics_with_absent_classes_and_unlabelled_rows() -> None:
    metrics = head_metrics(TRUTH, GUESS, 4)
    assert metrics["n"] == 5
    assert metrics["accuracy"] == pytest.approx(3 / 5)
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)  # of classes 0 and 1
    # F1 of class 0: 2*2/(3+2); of class 1: 2*1/(2+2); of class 2: 0; class 3 does not count.
    assert metrics["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 0) / 3)


def test_head_metrics_at_the_ends() -> None:
    assert head_metrics(TRUTH, TRUTH, 4) | {"n": 0} == {
        "n": 0, "accuracy": 1.0, "balanced_accuracy": 1.0, "macro_f1": 1.0
    }  # fmt: skip
    wrong = head_metrics(np.array([0, 1]), np.array([1, 0]), 2)
    assert (wrong["accuracy"], wrong["balanced_accuracy"], wrong["macro_f1"]) == (0.0, 0.0, 0.0)
    nothing = head_metrics(np.array([-1, -1]), np.array([0, 1]), 2)
    assert nothing == {"n": 0, "accuracy": None, "balanced_accuracy": None, "macro_f1": None}


def test_score_counts_joint_only_where_all_labels_are_known() -> None:
    truth = {"product": np.array([0, 1, 1, -1, -1]), "quantity": np.array([0, 1, -1, 1, -1])}
    guess = {"product": np.array([0, 1, 1, 0, 0]), "quantity": np.array([0, 0, 1, 1, 1])}
    classes = {"product": ["tea", "coffee"], "quantity": ["1", "2"]}
    metrics = score(truth, guess, classes, speakers=["ana", "budi", "ana", "ana", ""])
    assert metrics["joint_accuracy"] == pytest.approx(1 / 2)
    assert (metrics["n"], metrics["n_joint"]) == (4, 2)
    assert metrics["heads"]["product"]["accuracy"] == 1.0
    assert metrics["heads"]["quantity"]["accuracy"] == pytest.approx(2 / 3)
    assert metrics["speakers"] == {"ana": {"n": 1, "joint_accuracy": 1.0}, "budi": {"n": 1, "joint_accuracy": 0.0}}
    assert score(truth, guess, classes)["speakers"] == {}


def test_score_without_one_complete_clip() -> None:
    truth = {"a": np.array([0, -1]), "b": np.array([-1, 1])}
    metrics = score(truth, truth, {"a": ["x", "y"], "b": ["x", "y"]}, speakers=["ana", "budi"])
    assert metrics["joint_accuracy"] is None
    assert metrics["n_joint"] == 0
    assert metrics["heads"]["a"]["accuracy"] == 1.0
    assert metrics["speakers"] == {}


def test_the_bootstrap_interval_of_a_known_case() -> None:
    """For many values the interval is mean +- 1.96 standard errors."""
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    low, high = bootstrap_interval(values.tolist())
    error = values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    assert bootstrap_interval(values.tolist()) == (low, high)
    assert bootstrap_interval(values.tolist(), seed=1) != (low, high)


def test_the_bootstrap_interval_of_few_values() -> None:
    assert bootstrap_interval([0.7, 0.7, 0.7]) == (pytest.approx(0.7), pytest.approx(0.7))
    # Of two values the mean of a resample is 0, 0.5 or 1 with probability 1/4, 1/2, 1/4.
    assert bootstrap_interval([0.0, 1.0]) == (0.0, 1.0)


def test_folds_name_the_worst_speaker() -> None:
    summary = summarise_folds(
        {name: {"joint_accuracy": value} for name, value in zip("abc", (0.9, 0.5, 1.0), strict=True)}
    )
    assert summary["mean"] == pytest.approx(0.8)
    assert (summary["worst"], summary["worst_speaker"]) == (0.5, "b")
    low, high = summary["interval_95"]
    assert 0.5 <= low < 0.8 < high <= 1.0
