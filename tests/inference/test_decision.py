"""One rule from probabilities to an answer, with the same result for one clip and for many."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from slu.bundles import Prediction, Predictor
from slu.inference.decision import decide, stated, temper
from slu.spec import Head
from tests.bundles.helpers import make_bundle
from tests.conftest import tone

VOICE = Head("gender", ("female", "male"), display={"female": "Perempuan", "male": "Laki-laki"})


def voice(**changes: Any) -> Head:
    return Head(VOICE.name, VOICE.classes, VOICE.label_map, VOICE.display, **changes)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 10.0])
def test_a_temperature_divides_the_logits(temperature: float) -> None:
    logits = torch.tensor([[3.0, -1.0, 0.5], [40.0, -40.0, 0.0], [0.0, 0.0, 0.0]])
    expected = (logits / temperature).softmax(1).numpy()
    tempered = temper(logits.softmax(1).numpy(), temperature)
    assert tempered.dtype == np.float32
    np.testing.assert_allclose(tempered, expected, atol=1e-6)
    np.testing.assert_allclose(tempered.sum(1), 1, atol=1e-6)


def test_zero_scores_stay_finite() -> None:
    for temperature in (0.25, 10.0):
        tempered = temper(np.float32([[0.0, 1.0], [0.5, 0.5]]), temperature)
        assert np.isfinite(tempered).all()
        np.testing.assert_allclose(tempered[1], 0.5)


def test_the_threshold_decides_and_the_answer_states_its_own_probability() -> None:
    scores = np.float32([[0.8, 0.2], [0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
    assert decide(voice(), scores).tolist() == [0, 0, 0, 1]  # equal: the first, as ever
    low = decide(voice(threshold=0.3), scores)
    assert low.tolist() == [0, 1, 1, 1]
    assert decide(voice(threshold=0.6), scores).tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(stated(scores, low), np.float32([0.8, 0.4, 0.5, 0.9]))
    assert [int(decide(voice(threshold=0.3), row)) for row in scores] == low.tolist()
    beside = np.nextafter(scores[1, 1], np.float32(1))  # the next single-precision number
    between = (float(scores[1, 1]) + float(beside)) / 2
    assert decide(voice(threshold=between), np.float32([scores[1], [1 - beside, beside]])).tolist() == [0, 1]


def test_a_prediction_follows_temperature_threshold_and_display_names(tmp_path: Path) -> None:
    clip = tone(300, 1.0)
    plain = Predictor(make_bundle(tmp_path / "v1", heads=(VOICE,))).predict_waveforms([clip])[0]
    male = plain.scores["gender"]["male"]
    assert plain.display == {"gender": VOICE.display[plain.labels["gender"]]}
    for threshold in (male - 0.01, male + 0.01):
        bundle = make_bundle(tmp_path / f"t{threshold:.3f}", heads=(voice(threshold=threshold),))
        answer = Predictor(bundle).predict_waveforms([clip])[0]
        label = "male" if male >= threshold else "female"
        assert answer.labels == {"gender": label}
        assert answer.display == {"gender": VOICE.display[label]}
        assert answer.scores == plain.scores
        assert answer.confidence == pytest.approx(answer.scores["gender"][label])
        assert answer.to_json()["display"] == answer.display
    hot = Predictor(make_bundle(tmp_path / "hot", heads=(voice(temperature=4.0),))).predict_waveforms([clip])[0]
    assert hot.labels == plain.labels
    assert 0.5 < hot.confidence < plain.confidence


def test_bad_input_gives_finite_scores_and_a_reason(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "v1", heads=(voice(temperature=2.0, threshold=0.4),))
    clips = [np.zeros(1600, np.float32), np.zeros(16_000, np.float32), tone(200, 0.1), np.full(16_000, 1.0, np.float32)]
    answers = Predictor(bundle).predict_waveforms(clips)
    assert [a.reason for a in answers[:3]] == ["silence", "silence", "too short"]
    for answer in answers:
        assert np.isfinite([answer.confidence, *answer.scores["gender"].values()]).all()


def test_people_are_told_the_name_alone_where_a_label_has_one_and_why_there_is_no_answer() -> None:
    def prediction(reason: str = "", **changes: Any) -> Prediction:
        labels = {"gender": "female", "quantity": "2"}
        values = {"display": {"gender": "Perempuan", "quantity": "2"}, **changes}
        return Prediction(labels, {}, 0.9, not reason, reason, 1.0, "v1", **values)

    assert prediction().told() == "Perempuan, quantity 2"
    assert prediction().heard(["quantity"]) == "quantity 2"
    assert prediction("not sure").told() == "cannot tell: not sure (perhaps Perempuan, quantity 2)"
    assert prediction("silence").told() == "cannot tell: silence"
    assert prediction(display={}).told() == "gender female, quantity 2"
