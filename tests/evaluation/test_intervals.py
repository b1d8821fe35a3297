"""Intervals against scipy, against theory, and by how often they cover what they should."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from slu.evaluation.intervals import (
    accuracy_interval,
    exact_interval,
    matrix_interval,
    mean_interval,
    ratio_interval,
    units,
)
from slu.evaluation.metrics import macro_figures


def test_over_clips_it_is_scipys_percentile_bootstrap() -> None:
    right = np.random.default_rng(3).random(400) < 0.8
    ours = accuracy_interval(right, units(None, 400))
    theirs = bootstrap((right.astype(float),), np.mean, method="percentile", n_resamples=5000, rng=0)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.006)


def test_over_speakers_it_resamples_speakers() -> None:
    """Twenty speakers who are either always or never understood: 200 clips, but twenty facts."""
    speakers = [f"s{i // 10:02d}" for i in range(200)]
    right = np.array([int(s[1:]) % 4 > 0 for s in speakers])
    low, high = accuracy_interval(right, units(speakers, 200)) or (0, 0)
    by_speaker = right.reshape(20, 10).mean(axis=1)
    theirs = bootstrap((by_speaker,), np.mean, method="percentile", n_resamples=5000, rng=0).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    narrow = accuracy_interval(right, units(None, 200)) or (0, 0)
    assert high - low > 2 * (narrow[1] - narrow[0])


def test_speakers_with_more_clips_weigh_more() -> None:
    interval = ratio_interval(np.array([90.0, 0.0]), np.array([90.0, 10.0]))
    assert interval == (0.0, 1.0)  # both resampled twice, or once each: 0, 0.9, 1
    speakers = ["a"] * 90 + ["b"] * 10
    assert units(speakers, 100).kind == "2 speakers"


def test_coverage_is_near_95_percent() -> None:
    """300 experiments of 25 speakers with 8 clips each: the interval holds the truth about 95 times of 100."""
    rng = np.random.default_rng(0)
    speakers = [f"s{i // 8}" for i in range(200)]
    by = units(speakers, 200)
    hits = 0
    for _ in range(300):
        skill = rng.beta(8, 2, 25)  # mean 0.8
        right = rng.random(200) < np.repeat(skill, 8)
        low, high = accuracy_interval(right, by) or (0, 1)
        hits += low <= 0.8 <= high
    assert 0.89 <= hits / 300 <= 0.98


def test_nothing_to_resample_gives_the_exact_interval() -> None:
    low, high = accuracy_interval(np.ones(500, bool), units(None, 500)) or (0, 0)
    assert (low, high) == (pytest.approx(0.025 ** (1 / 500)), 1.0)  # Clopper and Pearson at all right
    assert exact_interval(0, 0) is None
    assert accuracy_interval(np.zeros(0, bool), units(None, 0)) is None


def test_one_clip_gives_a_wide_interval_not_a_point() -> None:
    assert accuracy_interval(np.array([True]), units(["ana"], 1)) == (pytest.approx(0.025), 1.0)


@pytest.mark.parametrize(
    ("speakers", "kind"),
    [
        (None, "clips (speakers unknown)"),
        (["a", "", "b"], "clips (not every clip names its speaker)"),
        (["a", "a", "a"], "clips (one speaker)"),
        (["a", "b", "a"], "2 speakers"),
    ],
)
def test_it_says_what_was_resampled(speakers: list[str] | None, kind: str) -> None:
    assert units(speakers, 3).kind == kind


def test_the_interval_of_macro_f1_agrees_with_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 4, 250)
    guess = np.where(rng.random(250) < 0.7, truth, rng.integers(0, 4, 250))
    speakers = [f"s{i % 10}" for i in range(250)]

    def f1(matrices: np.ndarray) -> np.ndarray:
        return macro_figures(matrices)["macro_f1"]

    ours = matrix_interval(truth, guess, 4, units(speakers, 250), f1)
    plain = []
    for _ in range(1500):
        rows = np.concatenate([np.arange(s, 250, 10) for s in rng.integers(0, 10, 10)])
        matrix = np.zeros((4, 4))
        np.add.at(matrix, (truth[rows], guess[rows]), 1)
        plain.append(float(f1(matrix)))
    assert ours == pytest.approx(tuple(np.percentile(plain, [2.5, 97.5])), abs=0.015)
    assert matrix_interval(truth[:0], guess[:0], 4, units(None, 0), f1) is None


def test_the_mean_of_many_values_is_within_1_96_standard_errors() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    low, high = mean_interval(values.tolist())
    error = values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    assert mean_interval(values.tolist()) == (low, high)
    # Of two values the mean of a resample is 0, 0.5 or 1 with probability 1/4, 1/2, 1/4.
    assert mean_interval([0.0, 1.0]) == (0.0, 1.0)


def test_one_error_is_not_more_certain_than_none() -> None:
    right = np.ones(500, bool)
    none = accuracy_interval(right, units(None, 500)) or (0, 0)
    right[0] = False
    one = accuracy_interval(right, units(None, 500)) or (0, 0)
    assert one[0] < none[0]
    assert one[1] <= 1
    speakers = ["a"] * 10 + ["b"] * 10
    few = accuracy_interval(np.arange(20) > 0, units(speakers, 20)) or (0, 0)
    assert few[0] == pytest.approx((exact_interval(19, 20) or (0, 0))[0])
