"""Means over seeds, and what they leave open."""

import numpy as np
import pandas as pd
import pytest

from slu.benchmarks.published import ACCEPTANCE, SNR_DB, mean_acceptance
from slu.benchmarks.results import mean_of_runs, means_by, over_clips, over_runs


def test_the_interval_over_seeds_is_students() -> None:
    mean = mean_of_runs([0.5, 0.6, 0.7])
    assert mean.value == pytest.approx(0.6)
    assert mean.interval == pytest.approx((0.6 - 4.3027 * 0.1 / 3**0.5, 0.6 + 4.3027 * 0.1 / 3**0.5), abs=1e-4)
    assert mean_of_runs([0.99, 0.9]).interval == (pytest.approx(0.3732, abs=1e-3), 1.0)
    assert mean_of_runs([0.5]).interval is None


def test_answers_are_averaged_by_run_and_by_speaker() -> None:
    answers = pd.DataFrame(
        [
            {"run": run, "clip": f"{i}.wav", "speaker": speaker, "strict": float(right), "clips": 1}
            for run, marks in (("seed 0", "1100"), ("seed 1", "1110"))
            for i, (right, speaker) in enumerate(zip(map(int, marks), "aabb", strict=True))
        ]
    )
    assert over_runs(answers, "strict").runs == (0.5, 0.75)
    means = means_by(answers, "speaker", "strict")
    assert [(name, mean.value) for name, mean in means.items()] == [("b", 0.25), ("a", 1.0)]
    interval, by = over_clips(answers, "strict")
    assert by == "2 speakers"
    assert interval is not None
    assert interval[0] <= 0.625 <= interval[1]
    assert over_clips(answers.assign(speaker=""), "strict")[1] == "clips (speakers unknown)"


def test_a_row_of_a_whole_speaker_counts_as_all_of_its_clips() -> None:
    rows = [
        {"run": "seed 0", "clip": s, "speaker": s, "strict": 0.9 + 0.01 * i, "clips": 500}
        for i, s in enumerate("abcdef")
    ]
    interval, _ = over_clips(pd.DataFrame(rows), "strict")
    assert interval is not None
    assert 0.9 <= interval[0] <= 0.925 <= interval[1] <= 0.95


def test_the_published_means_are_those_that_their_owner_states() -> None:
    assert np.mean(list(mean_acceptance("Picovoice Rhino").values())) == pytest.approx(0.976, abs=5e-4)
    for noises in ACCEPTANCE.values():
        assert all(len(values) == len(SNR_DB) for values in noises.values())
