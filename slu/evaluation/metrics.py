"""Metrics from label indices. A clip without a label for a head (index -1) is not scored on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def confusion_matrix(truth: Indices, guess: Indices, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts, rows are the truth."""
    known = truth >= 0
    flat = truth[known] * classes + guess[known]
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def head_metrics(truth: Indices, guess: Indices, classes: int) -> dict[str, float | int | None]:
    """Accuracy, balanced accuracy (mean recall of the classes that occur in the truth) and macro-F1 (mean
    over the classes that occur in truth or guess, as scikit-learn's default); None when nothing is labelled."""
    matrix = confusion_matrix(truth, guess, classes)
    n = int(matrix.sum())
    if n == 0:
        return {"n": 0, "accuracy": None, "balanced_accuracy": None, "macro_f1": None}
    hits, actual, guessed = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    occurs = actual + guessed > 0
    f1 = 2 * hits[occurs] / (actual + guessed)[occurs]
    recall = hits[actual > 0] / actual[actual > 0]
    return {
        "n": n,
        "accuracy": float(hits.sum() / n),
        "balanced_accuracy": float(recall.mean()),
        "macro_f1": float(f1.mean()),
    }


def score(
    truth: Mapping[str, Indices],
    guess: Mapping[str, Indices],
    classes: Mapping[str, Sequence[str]],
    speakers: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The content of `metrics.json`: `joint_accuracy` over the clips with all labels, `heads`, `speakers`."""
    right, complete = _joint(truth, guess)
    heads = {name: head_metrics(truth[name], guess[name], len(labels)) for name, labels in classes.items()}
    result: dict[str, Any] = {
        "joint_accuracy": float(right[complete].mean()) if complete.any() else None,
        "n": int(np.any([truth[name] >= 0 for name in classes], axis=0).sum()),
        "n_joint": int(complete.sum()),
        "heads": heads,
        "speakers": {},
    }
    if speakers is not None:
        names = np.asarray(speakers)
        for name in sorted(set(names) - {""}):
            mine = complete & (names == name)
            if mine.any():
                result["speakers"][name] = {"n": int(mine.sum()), "joint_accuracy": float(right[mine].mean())}
    return result


def _joint(truth: Mapping[str, Indices], guess: Mapping[str, Indices]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    right = np.all([truth[name] == guess[name] for name in truth], axis=0)
    complete = np.all([truth[name] >= 0 for name in truth], axis=0)
    return right, complete


def bootstrap_interval(values: Sequence[float], *, samples: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean (Efron and Tibshirani, 1993, chapter 13)."""
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(len(data), size=(samples, len(data)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def summarise_folds(folds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Mean over speakers with its bootstrap interval, and the worst speaker by name."""
    rights = {name: float(metrics["joint_accuracy"]) for name, metrics in folds.items()}
    worst = min(rights, key=lambda name: rights[name])
    return {
        "mean": float(np.mean(list(rights.values()))),
        "interval_95": list(bootstrap_interval(list(rights.values()))),
        "worst": rights[worst],
        "worst_speaker": worst,
    }
