import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from slu.evaluation.calibration import accuracy_by_coverage, expected_calibration_error, reliability


@pytest.mark.parametrize("bins", [10, 15])
@pytest.mark.parametrize("sharpness", [0.3, 3.0])
def test_ece_is_torchmetrics_ece(bins: int, sharpness: float) -> None:
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.full(5, sharpness), 800).astype(np.float32)
    truth = rng.integers(0, 5, 800)
    ours = expected_calibration_error(scores.max(axis=1), scores.argmax(axis=1) == truth, bins)
    theirs = multiclass_calibration_error(torch.from_numpy(scores), torch.from_numpy(truth), 5, n_bins=bins, norm="l1")
    assert ours == pytest.approx(float(theirs), abs=1e-5)


def test_ece_by_hand() -> None:
    # Four answers at 0.95, three right: the gap is 0.2. Six at 0.5 exactly, half of them right: none.
    confidence = [0.95] * 4 + [0.5] * 6
    right = [1, 1, 1, 0] + [1, 0] * 3
    assert expected_calibration_error(confidence, right, bins=10) == pytest.approx(0.4 * 0.2)


def test_confidence_at_the_ends_has_a_bin() -> None:
    bins = reliability([0.0, 1.0, 1.0 / 15], [0, 1, 0])
    assert bins.count.sum() == 3
    assert (bins.count[0], bins.count[-1]) == (2, 1)
    assert np.isnan(bins.accuracy[7])


def test_answering_less_often_is_more_often_right_when_confidence_means_something() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    share, accuracy = accuracy_by_coverage(confidence, np.array([True, True, False, False]))
    assert share.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy.tolist() == pytest.approx([1.0, 1.0, 2 / 3, 0.5])


def test_equal_confidences_are_answered_together() -> None:
    share, accuracy = accuracy_by_coverage(np.full(4, 0.5), np.array([True, False, True, True]))
    assert share.tolist() == [1.0]
    assert accuracy.tolist() == [0.75]
