import numpy as np
import pytest
from scipy.stats import binom

from slu.evaluation.comparison import compare
from slu.evaluation.intervals import units


def test_mcnemar_is_the_exact_binomial_test_of_the_disagreements() -> None:
    both, only_a, only_b, neither = 80, 12, 3, 5
    a = np.array([True] * (both + only_a) + [False] * (only_b + neither))
    b = np.array([True] * both + [False] * only_a + [True] * only_b + [False] * neither)
    result = compare(a, b, units(None, 100))
    assert (result.only_a, result.only_b) == (12, 3)
    assert result.difference == pytest.approx(0.09)
    assert result.p_mcnemar == pytest.approx(2 * binom.cdf(3, 15, 0.5))
    assert result.verdict == "A"
    assert compare(b, a, units(None, 100)).verdict == "B"


def test_a_difference_of_one_speaker_may_be_chance() -> None:
    """A is better by 20 clips, all of one speaker out of six: the clips say yes, the speakers say wait."""
    speakers = [f"s{i // 20}" for i in range(120)]
    b = np.array([s != "s0" for s in speakers])
    result = compare(np.ones(120, bool), b, units(speakers, 120))
    assert result.p_mcnemar < 0.001
    assert result.interval is not None
    assert result.interval[0] == 0
    assert result.verdict == ""


def test_equal_answers_differ_in_nothing() -> None:
    right = np.array([True, False, True])
    result = compare(right, right, units(None, 3))
    assert (result.difference, result.interval, result.p_mcnemar, result.verdict) == (0.0, None, 1.0, "")


def test_answers_to_other_clips_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        compare(np.ones(3, bool), np.ones(4, bool), units(None, 3))
    with pytest.raises(ValueError, match="cannot be paired"):
        compare(np.ones(0, bool), np.ones(0, bool), units(None, 0))
