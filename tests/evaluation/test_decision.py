"""What validation clips choose: known answers, and no choice where nothing speaks for one."""

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.evaluation.decision import DecisionSettings, Heard, choose, require_decidable
from slu.evaluation.tuning import fit_temperature, lowest_confidence, tune_threshold
from slu.inference.decision import decide
from slu.spec import Head, TaskSpec

VOICE = TaskSpec("voice", (Head("gender", ("female", "male")),))
EVERYTHING = DecisionSettings(calibrate=True, threshold="tuned", min_accuracy=0.9)


def overconfident(factor: float, n: int = 4000, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn by calibrated probabilities, and the scores of logits that are `factor` times too large."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (n, classes))
    truth = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return truth, softmax(factor * logits, axis=1).astype(np.float32)


def heard(truth: np.ndarray, scores: np.ndarray, **more: Any) -> Heard:
    return Heard({"gender": truth}, {"gender": scores}, np.ones(len(truth), dtype=bool), **more)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_temperature_undoes_what_made_it_too_sure(factor: float, classes: int) -> None:
    truth, scores = overconfident(factor, classes=classes)
    found = fit_temperature(truth, scores)
    assert found.value == pytest.approx(factor, rel=0.08)
    assert found.nll[1] <= found.nll[0] + 1e-9
    assert found.ece[1] < 0.03
    if factor != 1:
        assert found.ece[1] < found.ece[0]
    assert found.note == ""


def test_without_an_error_doubt_is_not_taken_away() -> None:
    truth = np.arange(60) % 2
    scores = np.stack([0.9 - 0.8 * truth, 0.1 + 0.8 * truth], axis=1).astype(np.float32)
    found = fit_temperature(truth, scores)
    assert found.value == 1.0
    assert "says nothing about doubt" in found.note


def test_confident_nonsense_runs_to_the_bound_and_says_so() -> None:
    truth = np.arange(200) // 2 % 2
    scores = np.where(np.arange(200)[:, None] % 2 == [0, 1], 1 - 1e-7, 1e-7).astype(np.float32)  # right half the time
    found = fit_temperature(truth, scores)
    assert found.value == pytest.approx(10, rel=0.01)
    assert "bound of 10" in found.note


def test_the_threshold_is_the_middle_of_the_best_stretch() -> None:
    truth = np.repeat([0, 1], 20)
    scores = np.concatenate([np.linspace(0.05, 0.2, 20), np.linspace(0.3, 0.9, 20)])
    found = tune_threshold(truth, scores)
    assert found is not None
    assert (found.low, found.high, found.value) == pytest.approx((0.2, 0.3, 0.25))
    assert found.balanced_accuracy == 1.0
    assert found.at_half == pytest.approx((1 + (scores[20:] >= 0.5).mean()) / 2)


def test_the_threshold_is_as_good_as_any_whatever_the_balance_of_classes() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(300) < 0.2).astype(int)
    scores = np.clip(rng.normal(0.3 + 0.2 * truth, 0.15), 0, 1).astype(np.float32)
    found = tune_threshold(truth, scores)
    assert found is not None

    def balanced(threshold: float) -> float:
        head = Head("gender", ("female", "male"), threshold=threshold)
        guess = decide(head, np.stack([1 - scores, scores], axis=1))
        return float(np.mean([(guess[truth == c] == c).mean() for c in (0, 1)]))

    assert found.balanced_accuracy == pytest.approx(balanced(found.value))
    assert found.balanced_accuracy == pytest.approx(max(balanced(t) for t in np.linspace(0.001, 0.999, 2000)))
    assert found.at_half == pytest.approx(balanced(0.5))


def test_of_equal_stretches_the_one_nearest_to_a_half_counts() -> None:
    # One odd voice of each: 0.1 to 0.3 gets one female wrong, 0.8 to 0.95 one male, anything between gets both.
    truth = np.array([0] * 10 + [1] + [0] + [1] * 10)
    scores = np.concatenate([np.full(10, 0.1), [0.3], [0.8], np.full(10, 0.95)])
    found = tune_threshold(truth, scores)
    assert found is not None
    assert found.value == pytest.approx(0.2)
    mirrored = tune_threshold(1 - truth, 1 - scores)
    assert mirrored is not None
    assert mirrored.value == pytest.approx(0.8)


def test_scores_at_the_very_ends_and_one_class_only() -> None:
    truth, scores = np.repeat([0, 1], 15), np.repeat([0.0, 1.0], 15)
    found = tune_threshold(truth, scores)
    assert found is not None
    assert found.value == 0.5
    assert tune_threshold(np.zeros(50, int), np.linspace(0, 1, 50)) is None
    assert tune_threshold(np.array([0] * 50 + [1] * 9), np.linspace(0, 1, 59)) is None


def test_the_lowest_confidence_that_is_right_often_enough() -> None:
    confidence = np.linspace(0.99, 0.5, 100)
    right = np.arange(100) < 60
    found = lowest_confidence(confidence, right, 0.9, floor=0.5)
    assert found is not None
    answered = confidence >= found.min_confidence
    assert found.answered == pytest.approx(answered.mean())
    assert found.accuracy == pytest.approx(right[answered].mean())
    assert (~right[answered]).sum() + 1 <= 0.1 * (answered.sum() + 1)
    more = confidence >= np.sort(confidence[~answered])[-1]
    assert (~right[more]).sum() + 1 > 0.1 * (more.sum() + 1)


def test_few_right_answers_prove_no_high_accuracy() -> None:
    assert lowest_confidence(np.full(48, 0.9), np.ones(48, bool), 0.98, floor=0.5) is None
    found = lowest_confidence(np.full(49, 0.9), np.ones(49, bool), 0.98, floor=0.5)
    assert found is not None
    assert found.min_confidence == pytest.approx(0.7)  # between the clips and the floor
    assert lowest_confidence(np.zeros(0), np.zeros(0, bool), 0.9, floor=0.5) is None


def test_everything_is_chosen_at_the_temperature_and_threshold_before_it() -> None:
    truth, scores = overconfident(3.0, n=1000)
    decision = choose(VOICE, heard(truth, scores), EVERYTHING)
    head = decision.spec.head("gender")
    assert head.temperature == pytest.approx(3.0, rel=0.15)
    assert 0.3 < head.threshold < 0.7
    assert 0.5 < decision.spec.min_confidence < 1
    assert decision.facts["doubt"]["accuracy"] >= 0.9
    assert len(decision.sentences) == 3
    assert decision.facts["heads"]["gender"]["clips"] == 1000


def test_answers_to_clips_with_nothing_to_answer_raise_the_confidence() -> None:
    truth, scores = overconfident(1.0, n=1000)
    sure_of_nothing = np.tile(np.float32([0.1, 0.9]), (100, 1))
    both = heard(np.concatenate([truth, np.full(100, -1)]), np.concatenate([scores, sure_of_nothing]))
    settings = DecisionSettings(min_accuracy=0.9)
    ignored = choose(VOICE, both, settings).spec.min_confidence
    chosen = choose(VOICE, both, settings, unlabelled_is_wrong=True)
    counted = chosen.spec.min_confidence
    assert chosen.facts["doubt"]["unlabelled_answered"] == 0
    assert chosen.facts["doubt"]["answered"] == pytest.approx((scores.max(axis=1) >= counted).mean())
    assert "and 0.0% of those with nothing to answer" in chosen.sentences[0]
    assert ignored == choose(VOICE, heard(truth, scores), settings).spec.min_confidence
    assert counted > 0.9 > ignored


def test_few_clips_choose_nothing_and_say_so() -> None:
    truth, scores = overconfident(3.0, n=29)
    decision = choose(VOICE, heard(truth, scores), EVERYTHING)
    assert decision.spec == VOICE
    assert "29 labelled validation clips are too few" in decision.sentences[0]
    assert "min_confidence stays 0.5" in decision.sentences[1]
    twice = heard(np.tile(truth, 2), np.tile(scores, (2, 1)), conditions=2)
    assert choose(VOICE, twice, EVERYTHING).spec == VOICE  # the same clips with noise are no other clips
    nothing = heard(np.full(3, -1), scores[:3])
    assert choose(VOICE, nothing, EVERYTHING).spec == VOICE


def test_a_given_threshold_is_for_two_classes() -> None:
    spec = TaskSpec("x", (Head("a", ("x", "y")), Head("b", ("x", "y", "z"))))
    scores = {"a": np.full((40, 2), 0.5, np.float32), "b": np.full((40, 3), 1 / 3, np.float32)}
    clips = Heard({h: np.zeros(40, int) for h in "ab"}, scores, np.ones(40, bool))
    chosen = choose(spec, clips, DecisionSettings(threshold=0.7)).spec
    assert [head.threshold for head in chosen.heads] == [0.7, 0.5]
    with pytest.raises(UserError, match="no head has two classes"):
        require_decidable(DecisionSettings(threshold="tuned"), TaskSpec("x", (spec.heads[1],)), 10)
    with pytest.raises(UserError, match="no validation clips"):
        require_decidable(EVERYTHING, VOICE, 0)
    require_decidable(DecisionSettings(), TaskSpec("x", (spec.heads[1],)), 0)


@pytest.mark.parametrize("value", [{"threshold": 1.0}, {"threshold": "best"}, {"min_accuracy": 98}, {"calibrat": True}])
def test_settings_that_mean_nothing_are_refused(value: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"decision\.{next(iter(value))}"):
        parse_settings(DecisionSettings, value, "decision")
    assert parse_settings(DecisionSettings, {"threshold": "tuned"}, "decision").chooses
