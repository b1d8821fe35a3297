"""Metrics from label indices. A clip without a label for a head (index -1) is not scored on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.evaluation.calibration import expected_calibration_error
from slu.evaluation.intervals import (
    FEW,
    Units,
    accuracy_interval,
    exact_interval,
    matrix_interval,
    mean_interval,
    units,
)
from slu.inference.decision import stated

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float32]


def confusion_matrix(truth: Indices, guess: Indices, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts, rows are the truth."""
    known = truth >= 0
    flat = truth[known] * classes + guess[known]
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def macro_figures(matrices: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Macro precision, recall and F1 of (…, classes, classes) counts.

    The mean is over the classes that occur in truth or guess, an absent denominator counting as 0, as in
    scikit-learn; balanced accuracy is the mean recall of the classes that occur in the truth.
    """
    counts = np.asarray(matrices, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    actual, guessed = counts.sum(-1), counts.sum(-2)
    occurs, present = actual + guessed > 0, actual > 0
    recall = hits / np.maximum(actual, 1)
    seen = np.maximum(occurs.sum(-1), 1)
    return {
        "macro_precision": (hits / np.maximum(guessed, 1) * occurs).sum(-1) / seen,
        "macro_recall": (recall * occurs).sum(-1) / seen,
        "macro_f1": (2 * hits / np.maximum(actual + guessed, 1) * occurs).sum(-1) / seen,
        "balanced_accuracy": (recall * present).sum(-1) / np.maximum(present.sum(-1), 1),
    }


_MACRO = ("macro_precision", "macro_recall", "macro_f1", "balanced_accuracy")


def head_metrics(
    truth: Indices,
    guess: Indices,
    labels: Sequence[str],
    scores: Probabilities | None = None,
    by: Units | None = None,
) -> dict[str, Any]:
    """Of one head; everything is None when nothing is labelled. With `scores` (clips, classes) also top-2
    accuracy and calibration, with units `by` also 95 % intervals."""
    known, size = truth >= 0, len(labels)
    matrix = confusion_matrix(truth, guess, size)
    n = int(known.sum())
    if n == 0:
        return {"n": 0, "accuracy": None, **dict.fromkeys(_MACRO)}
    right = truth == guess
    result: dict[str, Any] = {"n": n, "accuracy": float(right[known].mean())}
    result |= {name: float(value) for name, value in macro_figures(matrix).items()}
    if by is not None:
        here = Units(by.kind, np.unique(by.of_clip[known], return_inverse=True)[1])
        result["accuracy_interval"] = accuracy_interval(right[known], here)
        for name in ("macro_f1", *(("balanced_accuracy",) if size == 2 else ())):
            result[f"{name}_interval"] = matrix_interval(
                truth[known],
                guess[known],
                size,
                here,
                lambda drawn, name=name: macro_figures(drawn)[name],  # type: ignore[misc]
            )
    if scores is not None:
        result["top2_accuracy"] = top_accuracy(truth[known], scores[known], 2)
        result["ece"] = expected_calibration_error(stated(scores[known], guess[known]), right[known])
    result["classes"] = {label: _class_metrics(matrix, i) for i, label in enumerate(labels)}
    result["confusion"] = matrix.tolist()
    return result


def _class_metrics(matrix: NDArray[np.int64], index: int) -> dict[str, Any]:
    hits, actual, guessed = int(matrix[index, index]), int(matrix[index].sum()), int(matrix[:, index].sum())
    return {
        "precision": hits / guessed if guessed else None,
        "recall": hits / actual if actual else None,
        "f1": 2 * hits / (actual + guessed) if actual + guessed else None,
        "n": actual,
    }


def top_accuracy(truth: Indices, scores: Probabilities, k: int) -> float:
    """Share of clips whose label is among the `k` best-scored classes."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == truth[:, None]).any(axis=1).mean())


def score(
    truth: Mapping[str, Indices],
    guess: Mapping[str, Indices],
    classes: Mapping[str, Sequence[str]],
    speakers: Sequence[str] | None = None,
    *,
    scores: Mapping[str, Probabilities] | None = None,
    understood: NDArray[np.bool_] | None = None,
    confidence: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """The content of `metrics.json`: `joint_accuracy` over the clips with all labels, `heads`, `speakers`.

    A head's `unlabelled` counts the clips without a label for it, and how many of them were answered all the same.
    """
    right = np.logical_and.reduce([truth[name] == guess[name] for name in truth])
    complete = np.logical_and.reduce([truth[name] >= 0 for name in truth])
    by = units(speakers, len(right))
    whole = units(None if speakers is None else [s for s, c in zip(speakers, complete, strict=True) if c],
                  int(complete.sum()))  # fmt: skip
    result: dict[str, Any] = {
        "joint_accuracy": float(right[complete].mean()) if complete.any() else None,
        "joint_interval": accuracy_interval(right[complete], whole) if complete.any() else None,
        "interval": f"95 % bootstrap over {whole.kind}{_widened(right[complete])}",
        "n": int(np.logical_or.reduce([truth[name] >= 0 for name in classes]).sum()),
        "n_joint": int(complete.sum()),
    }
    if scores is not None and complete.any():
        if confidence is None:
            confidence = np.multiply.reduce([stated(scores[name], guess[name]) for name in classes])
        result["joint_ece"] = expected_calibration_error(confidence[complete], right[complete])
    if understood is not None and complete.any():
        result |= _acceptance(right[complete], understood[complete])
    result["heads"] = {
        name: head_metrics(truth[name], guess[name], labels, None if scores is None else scores[name], by)
        for name, labels in classes.items()
    }
    for name in classes:
        if understood is not None and (truth[name] < 0).any():
            unlabelled = truth[name] < 0
            result["heads"][name]["unlabelled"] = {
                "n": int(unlabelled.sum()),
                "answered": int((unlabelled & understood).sum()),
            }
    result["speakers"] = {} if speakers is None else speaker_metrics(right, complete, speakers)
    return result


def _widened(right: NDArray[np.bool_]) -> str:
    few = min(int(right.sum()), int((~right).sum())) < FEW
    return ", for few errors no narrower than the exact binomial" if few else ""


def _acceptance(right: NDArray[np.bool_], understood: NDArray[np.bool_]) -> dict[str, Any]:
    """What a till lives with: how often it answers, and how often an answer that was acted on is wrong."""
    return {
        "understood_share": float(understood.mean()),
        "understood_accuracy": float(right[understood].mean()) if understood.any() else None,
        "wrong_and_understood_share": float((understood & ~right).mean()),
    }


def speaker_metrics(
    right: NDArray[np.bool_], complete: NDArray[np.bool_], speakers: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By name; a speaker's own interval is the exact binomial one over their clips."""
    names = np.asarray(speakers, dtype=str)
    result = {}
    for name in sorted(set(names.tolist()) - {""}):
        mine = complete & (names == name)
        if n := int(mine.sum()):
            hits = int(right[mine].sum())
            result[name] = {"n": n, "joint_accuracy": hits / n, "interval": exact_interval(hits, n)}
    return result


def worst_speaker(metrics: Mapping[str, Any]) -> str | None:
    speakers = metrics["speakers"]
    return min(speakers, key=lambda name: (speakers[name]["joint_accuracy"], name)) if speakers else None


def summarise_folds(folds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Mean over speakers with its bootstrap interval, and the worst speaker by name."""
    rights = {name: float(metrics["joint_accuracy"]) for name, metrics in folds.items()}
    worst = min(rights, key=lambda name: rights[name])
    return {
        "mean": float(np.mean(list(rights.values()))),
        "interval_95": list(mean_interval(list(rights.values()))),
        "worst": rights[worst],
        "worst_speaker": worst,
    }
