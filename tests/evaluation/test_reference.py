"""The rule beside the model: what it answers, what it is worth, and what is said of it."""

from pathlib import Path

import numpy as np
import pytest

from slu.audio.decode import AudioLimits
from slu.common.errors import UserError
from slu.common.wording import against_reference
from slu.evaluation.conditions import CLEAN
from slu.evaluation.intervals import units
from slu.evaluation.reference import PitchRule, RuleAnswers, RuleStore, build_rule, hear, reference_metrics
from slu.spec import Head, TaskSpec
from tests.conftest import RATE, tone

HEAD = Head("gender", ("female", "male"))
SETTINGS = {"rule": "pitch", "head": "gender", "hz": 172, "below": "male", "above": "female"}
RULE = PitchRule("gender", 172.0, "male", "female")


def test_it_is_built_from_settings_and_answers_by_pitch() -> None:
    rule = build_rule(SETTINGS, TaskSpec("voices", (HEAD,)))
    assert rule == RULE
    assert rule is not None
    assert rule.name == "172 Hz rule"
    long = np.concatenate([tone(120, 31.0), tone(240, 20.0)])  # the median of the whole is the lower voice
    clips = [tone(120), tone(240), np.zeros(RATE, np.float32), np.zeros(10, np.float32), long]
    assert hear(rule, HEAD, clips, RATE).tolist() == [1, 0, -1, -1, 1]
    assert build_rule({"rule": "none"}, TaskSpec("voices", (HEAD,))) is None
    assert build_rule(None, TaskSpec("voices", (HEAD,))) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": "spectrum"}, "there is no rule 'spectrum'; known are none, pitch"),
        ({"head": "age"}, "the task has no head 'age' but gender; correct it, or leave the rule out with"),
        ({"below": "cowo"}, "'cowo' is not a class of gender"),
        ({"hz": "high"}, "reference.hz"),
        ({"herz": 3}, "reference.herz: there is no such setting"),
    ],
)
def test_mistakes_get_one_sentence(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        build_rule({**SETTINGS, **changes}, TaskSpec("voices", (HEAD,)))


def test_no_answer_is_wrong_and_the_difference_is_of_balanced_accuracies() -> None:
    truth = np.array([0] * 30 + [1] * 10)
    guess = np.array([0] * 24 + [1] * 6 + [1] * 5 + [-1] * 5)
    model = np.array([0] * 27 + [1] * 3 + [1] * 10)
    by = units([f"s{i // 2}" for i in range(40)], 40)
    values = reference_metrics(RuleAnswers(RULE, guess), truth, model, by)
    assert values["accuracy"] == pytest.approx(29 / 40)
    assert values["balanced_accuracy"] == pytest.approx((0.8 + 0.5) / 2)
    assert values["difference"] == pytest.approx((0.9 + 1.0) / 2 - (0.8 + 0.5) / 2)
    assert values["unanswered"] == 5
    low, high = values["difference_interval"]
    assert 0 < low < values["difference"] < high
    assert values["better"]
    assert against_reference(values).startswith("Better than the 172 Hz rule by 30.0 points of balanced accuracy (")
    worse = reference_metrics(RuleAnswers(RULE, model), truth, np.where(guess < 0, 0, guess), by)
    assert against_reference(worse).startswith("Worse than the 172 Hz rule by 30.0 points")


def test_a_draw_and_a_whisker_are_not_better() -> None:
    truth = np.array([0, 1] * 20)
    by = units([f"s{i // 2}" for i in range(40)], 40)
    draw = reference_metrics(RuleAnswers(RULE, truth), truth, truth, by)
    assert (draw["difference"], draw["difference_interval"], draw["better"]) == (0.0, None, False)
    assert against_reference(draw).startswith("Not better than the 172 Hz rule")
    one_wrong = np.where(np.arange(40) == 0, 1, truth)
    whisker = reference_metrics(RuleAnswers(RULE, one_wrong), truth, truth, by)
    assert not whisker["better"]
    assert against_reference(whisker).startswith("Not clearly better than the 172 Hz rule: +2.5 points")
    alone = reference_metrics(RuleAnswers(RULE, 1 - truth[1:2]), truth[1:2], truth[1:2], units(None, 1))
    assert not alone["better"]
    everywhere = reference_metrics(RuleAnswers(RULE, 1 - truth), truth, truth, by)  # nothing to resample, yet clear
    assert everywhere["better"]


def test_answers_are_kept_by_rule_audio_and_decoding(tmp_path: Path) -> None:
    def store(rule: PitchRule = RULE, digests: tuple[str, ...] = ("a",), rate: int = RATE) -> RuleStore:
        return RuleStore(tmp_path, rule, HEAD, rate, AudioLimits(), digests)

    store().save(CLEAN, 0, np.array([1, -1]))
    kept = store().load(CLEAN, 0)
    assert kept is not None
    assert kept.tolist() == [1, -1]
    assert store().load(CLEAN, 64) is None
    others = [store(PitchRule("gender", 160.0, "male", "female")), store(digests=("b",)), store(rate=8000)]
    assert all(other.load(CLEAN, 0) is None for other in others)
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:40])  # cut short
    assert store().load(CLEAN, 0) is None
    store().clear()
    assert not list(tmp_path.rglob("*.npz"))
