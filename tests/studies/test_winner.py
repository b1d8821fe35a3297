"""Who trains the winner of a search, and what is claimed of it."""

from pathlib import Path

import pytest

from slu.studies.study_storage import open_study
from slu.studies.trials import TrialQueue
from slu.studies.winner import Comparison, Winner, finishes, paired_interval
from tests.studies.test_trials import MAXIMIZE, X


def test_the_worker_of_the_last_trial_trains_the_winner(tmp_path: Path) -> None:
    study = open_study(f"sqlite:///{tmp_path / 's'}", "s", MAXIMIZE)
    queue = TrialQueue(study, 2, X)
    one, other = queue.take(), queue.take()
    assert None not in (one, other)
    queue.tell(one, [0.1])
    assert not finishes(study, worked=True), "the other goes on"
    queue.tell(other, [0.2])
    assert finishes(study, worked=True)
    assert finishes(study, worked=False), "whoever asks again for a finished study means it"


def test_intervals_are_of_pairs() -> None:
    interval = paired_interval([0.9, 0.8], [0.8, 0.8])
    assert interval is not None
    assert interval == pytest.approx((0.05 - 12.706 * 0.05, 0.05 + 12.706 * 0.05), abs=1e-3)
    assert paired_interval([0.9], [0.8]) is None


def test_the_same_difference_for_every_seed_is_no_certainty() -> None:
    assert paired_interval([0.998, 0.998], [0.996, 0.996]) is None
    assert paired_interval([0.9, 0.8, 0.7], [0.8, 0.7, 0.6]) is None, "but for rounding they are the same"
    assert paired_interval([0.9, 0.8], [0.9, 0.8]) == (0.0, 0.0)
    comparison = Comparison(Winner(0, {}, (0.9,), 1), [0, 1])
    for seed in (0, 1):
        comparison.add(Comparison.DEFAULT, seed, {"objective": 0.5, "test": {"clean": {"joint_accuracy": 0.5}}})
        comparison.add(Comparison.WINNER, seed, {"objective": 0.5, "test": {"clean": {"joint_accuracy": 0.75}}})
    assert "better on nothing" in comparison.answer()
    assert "+0.2500 (no interval: the same for every seed)" in comparison.answer()
