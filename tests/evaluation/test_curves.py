import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from slu.evaluation.curves import two_class_curves


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
