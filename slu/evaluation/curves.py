"""ROC and precision-recall of a two-class head, through torchmetrics, and where it stands on them."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from slu.inference.decision import decide
from slu.spec import Head


@dataclass(frozen=True)
class Curves:
    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    roc_auc: float
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    average_precision: float
    positive_share: float
    """What a guess would reach as precision."""


@dataclass(frozen=True)
class OperatingPoint:
    threshold: float
    false_positive_rate: float
    true_positive_rate: float

    @property
    def balanced_accuracy(self) -> float:
        return (self.true_positive_rate + 1 - self.false_positive_rate) / 2


def operating_points(head: Head, truth: NDArray[np.int64], scores: NDArray[np.float32]) -> list[OperatingPoint]:
    """Where the head's threshold stands, and where 0.5 does if that is another; `scores` (clips, 2), both classes
    occur."""
    points = []
    for threshold in dict.fromkeys((head.threshold, 0.5)):
        yes = decide(replace(head, threshold=threshold), scores) == 1
        points.append(OperatingPoint(threshold, float(yes[truth == 0].mean()), float(yes[truth == 1].mean())))
    return points


def two_class_curves(truth: NDArray[np.int64], scores: NDArray[np.float32]) -> Curves | None:
    """Of class 1 against class 0, from its score per clip; None unless both classes occur."""
    from torchmetrics.functional.classification import (  # seconds of importing, and most tasks never need it
        binary_auroc,
        binary_average_precision,
        binary_precision_recall_curve,
        binary_roc,
    )

    if len(np.unique(truth)) < 2:
        return None
    guess, target = torch.from_numpy(scores), torch.from_numpy(truth)
    fpr, tpr, _ = binary_roc(guess, target)
    precision, recall, _ = binary_precision_recall_curve(guess, target)
    return Curves(
        false_positive_rate=fpr.double().numpy(),
        true_positive_rate=tpr.double().numpy(),
        roc_auc=float(binary_auroc(guess, target)),
        precision=precision.double().numpy(),
        recall=recall.double().numpy(),
        average_precision=float(binary_average_precision(guess, target)),
        positive_share=float(truth.mean()),
    )
