import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from slu.evaluation.curves import operating_points, two_class_curves
from slu.spec import Head


def test_areas_and_points_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    scores = np.clip(rng.normal(0.4 + 0.25 * truth, 0.25), 0, 1).astype(np.float32)
    curves = two_class_curves(truth, scores)
    assert curves is not None
    assert curves.roc_auc == pytest.approx(roc_auc_score(truth, scores), abs=1e-5)
    assert curves.average_precision == pytest.approx(average_precision_score(truth, scores), abs=1e-5)
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(curves.false_positive_rate, fpr, atol=1e-6)
    np.testing.assert_allclose(curves.true_positive_rate, tpr, atol=1e-6)
    assert curves.positive_share == pytest.approx(truth.mean())


def test_one_class_has_no_curve() -> None:
    assert two_class_curves(np.ones(5, np.int64), np.linspace(0, 1, 5, dtype=np.float32)) is None


def test_the_threshold_in_use_and_a_half_have_their_places_on_the_curve() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    second = np.clip(rng.normal(0.3 + 0.25 * truth, 0.25), 0, 1).astype(np.float32)
    scores = np.stack([1 - second, second], axis=1)
    used, half = operating_points(Head("voice", ("low", "high"), threshold=0.4), truth, scores)
    for point, limit in ((used, 0.4), (half, 0.5)):
        assert point.threshold == limit
        assert point.true_positive_rate == (second[truth == 1] >= limit).mean()
        assert point.false_positive_rate == (second[truth == 0] >= limit).mean()
        assert point.balanced_accuracy == pytest.approx(
            ((second[truth == 1] >= limit).mean() + (second[truth == 0] < limit).mean()) / 2
        )
    assert [point.threshold for point in operating_points(Head("voice", ("low", "high")), truth, scores)] == [0.5]
