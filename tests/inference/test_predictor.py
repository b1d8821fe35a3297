"""Prediction: independent of the batch, honest about silence, lengths and doubt."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from slu.audio.decode import AudioError, AudioLimits
from slu.bundles import Prediction, Predictor
from slu.inference.second_best import second_best
from slu.spec import Head
from tests.bundles.helpers import make_bundle
from tests.conftest import RATE, tone


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    return Predictor(make_bundle(tmp_path / "v1"))


def test_answers_do_not_depend_on_the_batch(predictor: Predictor) -> None:
    clips = [tone(200, 0.3), tone(500, 1.7), tone(900, 0.25), tone(1500, 1.0)]
    together = predictor.predict_waveforms(clips)
    for clip, answer in zip(clips, together, strict=True):
        alone = predictor.predict_waveforms([clip])[0]
        assert alone.labels == answer.labels
        assert alone.duration_s == answer.duration_s
        for head, scores in answer.scores.items():
            assert alone.scores[head] == pytest.approx(scores, abs=1e-6)
    assert len({answer.confidence for answer in together}) == 4


def test_scores_are_probabilities_and_labels_their_best(predictor: Predictor) -> None:
    answer = predictor.predict_waveforms([tone(300, 0.8)])[0]
    assert list(answer.scores) == list(answer.labels) == ["product", "quantity"]
    assert list(answer.scores["product"]) == ["tea", "coffee", "milk"]
    for head, scores in answer.scores.items():
        assert sum(scores.values()) == pytest.approx(1.0, abs=1e-5)
        assert min(scores.values()) > 0
        assert scores[answer.labels[head]] == max(scores.values())
    product = max(answer.scores["product"].values()) * max(answer.scores["quantity"].values())
    assert answer.confidence == pytest.approx(product, abs=1e-6)
    assert answer.understood
    assert answer.reason == ""
    assert answer.duration_s == 0.8
    assert answer.model_version == "v1"
    assert json.loads(json.dumps(answer.to_json()))["labels"] == answer.labels


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (np.zeros(RATE, np.float32), "silence"),
        (1e-5 * tone(300, 1.0), "silence"),
        (np.zeros(1600, np.float32), "silence"),
        (tone(300, 0.19), "too short"),
        (tone(300, 2.01), "too long"),
        (tone(300, 0.2), ""),
        (tone(300, 2.0), ""),
        (0.01 * tone(300, 1.0), ""),  # quiet speech is speech
    ],
    ids=["zeros", "below -70 dB", "short silence", "short", "long", "just long enough", "just short enough", "quiet"],
)
def test_what_is_not_understood_and_why(predictor: Predictor, clip: np.ndarray, reason: str) -> None:
    answer = predictor.predict_waveforms([clip])[0]
    assert (answer.understood, answer.reason) == (not reason, reason)


def test_doubt_is_not_understood(tmp_path: Path) -> None:
    clip = tone(300, 1.0)
    confidence = Predictor(make_bundle(tmp_path / "v1")).predict_waveforms([clip])[0].confidence
    for limit, reason in ((confidence - 0.01, ""), (confidence + 0.01, "not sure")):
        answer = Predictor(make_bundle(tmp_path / "v2", min_confidence=limit)).predict_waveforms([clip])[0]
        assert (answer.understood, answer.reason) == (not reason, reason)
        assert answer.confidence == confidence


def test_a_file_its_bytes_and_its_samples_answer_alike(predictor: Predictor, tmp_path: Path) -> None:
    clip = tone(300, 1.0)
    sf.write(tmp_path / "clip.wav", clip, RATE, subtype="FLOAT")
    from_file = predictor.predict(tmp_path / "clip.wav")
    assert from_file == predictor.predict((tmp_path / "clip.wav").read_bytes())
    assert from_file == predictor.predict_waveforms([clip])[0]


def test_other_rates_are_resampled(predictor: Predictor) -> None:
    time = np.arange(48_000) / 48_000
    file = io.BytesIO()
    sf.write(file, 0.2 * np.sin(2 * np.pi * 300 * time), 48_000, format="FLAC")
    assert predictor.predict(file.getvalue()).duration_s == pytest.approx(1.0, abs=0.001)


def test_audio_that_cannot_be_used(tmp_path: Path) -> None:
    predictor = Predictor(make_bundle(tmp_path / "v1"), AudioLimits(max_duration_s=3.0))
    with pytest.raises(AudioError, match="known format"):
        predictor.predict(b"not audio")
    file = io.BytesIO()
    sf.write(file, tone(300, 3.5), RATE, format="WAV")
    with pytest.raises(AudioError, match="the limit is 3 s"):
        predictor.predict(file.getvalue())


SEGMENTS = {"segment_s": 1.0, "max_duration_s": 600.0}


@pytest.fixture
def patient(tmp_path: Path) -> Predictor:
    """Hears long recordings in segments of one second."""
    return Predictor(make_bundle(tmp_path / "v1", **SEGMENTS))


def test_a_long_recording_is_answered_by_the_mean_of_its_segments(patient: Predictor) -> None:
    parts = [tone(200 * (1 + i), 1.0) for i in range(3)]
    one_by_one = patient.scores(parts)
    whole = patient.scores([np.concatenate(parts), parts[1]])
    for head, values in one_by_one.items():
        assert len(np.unique(values[:, 0])) == 3
        np.testing.assert_allclose(whole[head][0], values.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(whole[head][1], values[1], atol=1e-6)
    answer = patient.predict_waveforms([np.concatenate(parts)])[0]
    assert answer.labels["product"] == ("tea", "coffee", "milk")[int(one_by_one["product"].mean(axis=0).argmax())]
    assert answer.duration_s == 3.0


def test_silent_segments_have_no_vote(patient: Predictor) -> None:
    voice = tone(300, 1.0)
    silence = np.zeros(RATE, np.float32)
    alone = patient.scores([voice])
    for padded in ([voice, silence], [silence, voice, silence]):
        for head, values in patient.scores([np.concatenate(padded)]).items():
            np.testing.assert_allclose(values, alone[head], atol=1e-6)
    answer = patient.predict_waveforms([np.zeros(3 * RATE, np.float32)])[0]
    assert (answer.understood, answer.reason) == (False, "silence")


def test_short_clips_are_answered_as_without_segments(predictor: Predictor, tmp_path: Path) -> None:
    patient = Predictor(make_bundle(tmp_path / "v1", segment_s=1.0))
    for clip in (tone(300, 0.5), tone(300, 1.0)):
        assert patient.predict_waveforms([clip]) == predictor.predict_waveforms([clip])


def test_minutes_are_heard_in_bounded_batches_and_no_longer_than_the_task_accepts(
    patient: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    network = patient.network
    monkeypatch.setattr(patient, "network", lambda features: seen.append(len(features)) or network(features))
    sf.write(tmp_path / "minutes.flac", np.tile(tone(300, 1.0), 100), RATE)
    answer = patient.predict(tmp_path / "minutes.flac")
    assert (answer.understood, answer.duration_s, seen) == (True, 100.0, [32, 32, 32, 4])
    with pytest.raises(AudioError, match="the limit is 30 s"):
        Predictor(make_bundle(tmp_path / "v2")).predict(tmp_path / "minutes.flac")


def test_a_fitted_confidence_says_what_is_wrong(tmp_path: Path) -> None:
    coefficients = {"bias": 2.0, "sure": 4.0, "fit": 1.0}
    predictor = Predictor(make_bundle(tmp_path / "v1", min_confidence=0.5, confidence=coefficients))

    def answer(tea: float, level_db: float = -20.0, **evidence: float) -> Prediction:
        scores = {
            "product": np.array([tea, 1 - tea, 0], np.float32),
            "quantity": np.array([1, *[0] * (len(predictor.spec.head("quantity").classes) - 1)], np.float32),
        }
        return predictor.answer(scores, duration_s=1.0, level_db=level_db, evidence=evidence)

    said = answer(1.0, fit=-1.0, voiced=9.0)
    assert (said.reason, said.alternatives) == ("", ())
    assert said.confidence == pytest.approx(1 / (1 + np.exp(-1)))
    assert answer(1.0, fit=-3.0).reason == "not on the menu"
    between = answer(0.55, fit=-1.0)
    assert between.reason == "ambiguous"
    (other,) = between.alternatives
    assert (other.labels["product"], other.probability) == ("coffee", pytest.approx(0.45))
    assert between.told() == f"cannot tell: ambiguous (perhaps {between.heard()}, or {other.shown})"
    assert answer(1.0, fit=0.0, voiced=0.0).reason == "noise"
    assert answer(1.0, fit=0.0, voiced=0.0, level_db=-60.0).reason == "silence"
    assert answer(1.0, fit=0.0, voiced=0.0, level_db=-80.0).reason == "silence"


def test_the_next_best_answers_are_the_most_probable_others() -> None:
    heads = [Head("a", ("x", "y", "z")), Head("b", ("1", "2"))]
    scores = {"a": np.array([0.6, 0.3, 0.1], np.float32), "b": np.array([0.8, 0.2], np.float32)}
    found = second_best(heads, scores, {"a": np.array(0), "b": np.array(0)}, most=3)
    assert [(one.labels["a"], one.labels["b"]) for one in found] == [("y", "1"), ("x", "2"), ("z", "1")]
    assert [one.probability for one in found] == pytest.approx([0.24, 0.12, 0.08])
    assert found[0].shown == "a y, b 1"
    assert second_best(heads, scores, {"a": np.array(0), "b": np.array(0)}, least=0.3) == ()
