"""Scoring clips: the same answers as a prediction, kept for the next time, with broken clips named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.bundles import Predictor
from slu.common.errors import UserError
from slu.corpus.manifest import Manifest, read_manifest
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.run import _clips_at_once, evaluate, subset
from tests.bundles.helpers import make_bundle
from tests.conftest import RATE, tone

NOISY = ConditionSettings(noise_snr_db=(5,), telephone=True)
COUNT = 70  # more than one chunk


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return Predictor(make_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return write_clips(tmp_path)


def write_clips(folder: Path, count: int = COUNT) -> Manifest:
    rows = []
    for i in range(count):
        sf.write(folder / f"{i}.wav", tone(200 + 20 * i, 0.3 + 0.01 * (i % 30), seed=i), RATE)
        rows.append({"file_name": f"{i}.wav", "product": ("tea", "milk")[i % 2], "speaker": f"s{i % 5}"})
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return read_manifest(folder / "metadata.csv")


def test_answers_are_those_of_a_prediction(predictor: Predictor, manifest: Manifest) -> None:
    clean = evaluate(predictor, manifest)["clean"]
    assert clean.answers.rows.tolist() == list(range(COUNT))
    for index in (0, 31, 69):
        one = predictor.predict(manifest.audio_path(index))
        assert clean.prediction(index).labels == one.labels
        assert clean.prediction(index).confidence == pytest.approx(one.confidence, rel=1e-4)
        # The manifest has no quantities, so the confidence that is scored is that of the product alone.
        assert clean.confidence[index] == pytest.approx(max(one.scores["product"].values()), rel=1e-4)
        assert clean.prediction(index).duration_s == one.duration_s
    assert [head.name for head in clean.heads] == ["product"]  # the manifest has no quantities
    assert len(clean.answer_table()) == COUNT


def test_noise_is_the_same_in_every_rerun(predictor: Predictor, manifest: Manifest) -> None:
    first, again = evaluate(predictor, manifest, NOISY), evaluate(predictor, manifest, NOISY)
    for name in ("clean", "5 dB", "telephone"):
        np.testing.assert_array_equal(first[name].answers.scores["product"], again[name].answers.scores["product"])
    np.testing.assert_array_equal(first["5 dB"].waveform(3), again["5 dB"].waveform(3))
    assert not np.allclose(first["5 dB"].answers.scores["product"], first["clean"].answers.scores["product"])


class StoppedError(Exception):
    pass


def stop_after(steps: int) -> Callable[[int, int], None]:
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == steps:
            raise StoppedError

    return progress


def counting(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    scored: list[int] = []
    original = predictor.hear
    monkeypatch.setattr(predictor, "hear", lambda clips: (scored.append(len(clips)), original(clips))[1])
    return scored


def test_an_interrupted_evaluation_goes_on_where_it_stopped(
    predictor: Predictor, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = evaluate(predictor, manifest, NOISY)
    keep = tmp_path / "answers"
    with pytest.raises(StoppedError):
        evaluate(predictor, manifest, NOISY, keep=keep, progress=stop_after(3))  # the first chunk, all conditions
    scored = counting(predictor, monkeypatch)
    resumed = evaluate(predictor, manifest, NOISY, keep=keep)
    assert sum(scored) == 3 * (COUNT - 64)
    for name, result in plain.items():
        np.testing.assert_allclose(result.answers.scores["product"], resumed[name].answers.scores["product"], atol=1e-6)
        assert resumed[name].metrics["joint_accuracy"] == result.metrics["joint_accuracy"]
    scored.clear()
    evaluate(predictor, manifest, NOISY, keep=keep)
    assert sum(scored) == 0
    evaluate(predictor, manifest, NOISY, keep=keep, force=True)
    assert sum(scored) == 3 * COUNT


def test_a_changed_clip_or_a_damaged_file_never_gives_old_answers(
    predictor: Predictor, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = tmp_path / "answers"
    evaluate(predictor, manifest, keep=keep)
    for path in keep.rglob("00000064.npz"):
        path.write_bytes(path.read_bytes()[:100])
    scored = counting(predictor, monkeypatch)
    evaluate(predictor, manifest, keep=keep)
    assert sum(scored) == COUNT - 64
    scored.clear()
    sf.write(manifest.audio_path(0), tone(90, 0.4), RATE)
    evaluate(predictor, manifest, keep=keep)
    assert sum(scored) == COUNT


def test_broken_clips_are_named_and_the_rest_is_scored(
    predictor: Predictor, manifest: Manifest, tmp_path: Path
) -> None:
    manifest.audio_path(3).write_bytes(b"not audio")
    manifest.audio_path(66).unlink()
    for _ in range(2):  # the second time from what was kept
        results = evaluate(predictor, manifest, NOISY, keep=tmp_path / "answers")
        clean = results["clean"]
        assert len(clean.table) == COUNT - 2
        assert clean.metrics["n"] == COUNT - 2
        assert [message.split(": ")[0] for message in clean.broken] == [manifest.where(3), manifest.where(66)]
        assert "known format" in clean.broken[0]
        assert "No such file" in clean.broken[1]
        assert clean.table["file_name"].iloc[3] == "4.wav"
        np.testing.assert_array_equal(results["telephone"].answers.rows, clean.answers.rows)


def test_not_one_readable_clip_is_an_error(predictor: Predictor, tmp_path: Path) -> None:
    manifest = write_clips(tmp_path, 2)
    for row in range(2):
        manifest.audio_path(row).write_bytes(b"")
    with pytest.raises(UserError, match="not one of 2 clips can be read"):
        evaluate(predictor, manifest)


def test_one_clip(predictor: Predictor, tmp_path: Path) -> None:
    metrics = evaluate(predictor, write_clips(tmp_path, 1))["clean"].metrics
    low, high = metrics["joint_interval"]
    assert high - low > 0.9
    assert metrics["interval"].startswith("95 % bootstrap over clips (one speaker)")


def test_a_subset_keeps_its_line_numbers(manifest: Manifest) -> None:
    part = subset(manifest, "speaker", "s2")
    assert len(part.table) == COUNT // 5
    assert part.where(1).startswith(f"{manifest.path}:9 ")


def test_long_recordings_are_answered_as_predictions_are(tmp_path: Path) -> None:
    predictor = Predictor(make_bundle(tmp_path / "v1", segment_s=1.0, segment_overlap_s=0.25, max_duration_s=600.0))
    waves = [tone(300, 0.6), np.concatenate([tone(200, 20.0), tone(900, 15.0)]), tone(500, 3.7)]
    for index, wave in enumerate(waves):
        sf.write(tmp_path / f"{index}.flac", wave, RATE)
    rows = {"file_name": [f"{i}.flac" for i in range(3)], "product": "tea"}
    pd.DataFrame(rows).to_csv(tmp_path / "metadata.csv", index=False)
    scored = evaluate(predictor, read_manifest(tmp_path / "metadata.csv"))["clean"]
    for index in range(3):
        heard, predicted = scored.prediction(index), predictor.predict(tmp_path / f"{index}.flac")
        assert (heard.labels, heard.duration_s, heard.reason) == (
            predicted.labels, predicted.duration_s, predicted.reason,
        )  # fmt: skip
        assert heard.confidence == pytest.approx(predicted.confidence, abs=1e-6)
    assert len(scored.waveform(1)) == 35 * RATE


def test_long_recordings_are_read_few_at_a_time(predictor: Predictor) -> None:
    assert _clips_at_once(predictor.bundle.spec) == 64
    assert _clips_at_once(replace(predictor.bundle.spec, segment_s=3.0, max_duration_s=600.0)) == 3
    assert _clips_at_once(replace(predictor.bundle.spec, segment_s=3.0, max_duration_s=7200.0)) == 1
