"""The second system end to end: presets, bundle, and what it says to recordings that people really send."""

import importlib
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile as sf

from slu.audio.decode import AudioError, Waveform
from slu.bundles import Predictor, load_bundle
from slu.common.files import read_json
from slu.corpus.manifest import read_manifest
from tests.conftest import RATE, ROOT, SHARED

SMALL = [
    "synthesis.counts={train: 64, val: 16, test: 16}",
    "voices.speakers={train: 32, val: 4, test: 4}",
    "menu.languages={id: [selamat pagi semua, tujuh], en-us: [good morning everybody, seven]}",
    "logger=none",
    "noise_test_snr_db=[]",
]
PRESETS = {
    "gender": ["trainer.max_epochs=6", "optimizer.lr=1e-2", "patience=0"],
    "gender_voice": [
        "trainer.max_epochs=6",
        "loader.batch_size=16",
        "loss.ema_decay=0",
        "synthesis.no_voice={train: 16, val: 8, test: 8}",
    ],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles by preset, all trained on one small embedded corpus."""
    folder = tmp_path_factory.mktemp("gender")
    module = importlib.import_module("slu.train")
    bundles = {}
    for preset, settings in PRESETS.items():
        arguments = [f"experiment={preset}", f"outputs={folder}", *SMALL, *settings]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["slu.train", "--config-path", str(ROOT / "conf"), *arguments])
            module.run_command(module.main)
        versions = [p for p in (folder / "registry/gender").iterdir() if p.name[0].isdigit() and not p.is_symlink()]
        (bundles[preset],) = set(versions) - set(bundles.values())
    return bundles


@pytest.fixture(scope="module")
def voice(trained: dict[str, Path]) -> Waveform:
    """Four seconds of a voice, 16 kHz."""
    manifest = read_manifest(next(trained["gender"].parents[2].glob("corpus/gender-*/metadata.csv")))
    rows = range(min(4, len(manifest.table)))
    samples = np.concatenate([sf.read(manifest.audio_path(row), dtype="float32")[0] for row in rows])
    return np.asarray(np.resize(samples, 4 * RATE), dtype=np.float32)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_small_bundle_that_learnt_something(trained: dict[str, Path], preset: str) -> None:
    folder = trained[preset]
    copy = folder / "model.onnx"  # the network once more, for onnxruntime
    assert sum(file.stat().st_size for file in folder.iterdir() if file != copy) < 300_000
    assert copy.stat().st_size < 500_000  # its filters are written down, too
    spec = load_bundle(folder).spec
    assert [head.name for head in spec.heads] == ["gender"]
    assert spec.heads[0].classes == ("female", "male")
    assert spec.heads[0].shown("female") == "Perempuan"
    assert spec.segment_s == 3
    metrics = read_json(folder / "metrics.json")
    assert metrics["split"] == "speaker-disjoint"
    assert metrics["objective"] > 0.7, "a few epochs tell synthetic men from synthetic women"


def test_the_registry_holds_both_systems_side_by_side(trained: dict[str, Path]) -> None:
    assert (trained["gender"].parent / "latest").resolve() in trained.values()
    assert load_bundle(trained["gender"]).front_end.sample_rate == 16_000
    assert load_bundle(trained["gender_voice"]).front_end.sample_rate == 8_000


def encode(path: Path, samples: Waveform, codec: str, rate: int, container: str) -> Path:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return path


def recordings(folder: Path, voice: Waveform) -> dict[str, Path]:
    files = {name: folder / f"{name}.wav" for name in ("plain", "dead channel", "8 kHz", "clipped", "silence", "0.1 s")}
    sf.write(files["plain"], voice, RATE)
    sf.write(files["dead channel"], np.stack([voice, np.zeros_like(voice)], 1), RATE)
    sf.write(files["8 kHz"], voice[::2], RATE // 2)
    sf.write(files["clipped"], np.clip(30 * voice, -1, 1), RATE)
    sf.write(files["silence"], np.zeros(2 * RATE, np.float32), RATE)
    sf.write(files["0.1 s"], voice[: RATE // 10], RATE)
    return {**files, "M4A named .wav": encode(folder / "m4a.wav", voice, "aac", RATE, "mp4")}


@pytest.mark.parametrize("preset", PRESETS)
def test_what_people_really_send(trained: dict[str, Path], preset: str, tmp_path: Path, voice: Waveform) -> None:
    predictor = Predictor(load_bundle(trained[preset]))
    heard = {name: predictor.predict(path) for name, path in recordings(tmp_path, voice).items()}
    for name, prediction in heard.items():
        scores = list(prediction.scores["gender"].values())
        assert np.isfinite(scores).all(), name
        assert sum(scores) == pytest.approx(1, abs=1e-4), name
    assert (heard["silence"].reason, heard["0.1 s"].reason) == ("silence", "too short")
    plain = heard["plain"].scores["gender"]["male"]
    assert heard["dead channel"].scores["gender"]["male"] == pytest.approx(plain, abs=0.15)
    with pytest.raises(AudioError):
        predictor.predict(b"not audio at all")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_long_recording_is_the_mean_of_its_segments(trained: dict[str, Path], preset: str, voice: Waveform) -> None:
    predictor = Predictor(load_bundle(trained[preset]))
    rate = predictor.bundle.front_end.sample_rate
    clip = np.ascontiguousarray(np.tile(voice, 3)[:: RATE // rate])[: 9 * rate]
    parts = [clip[i * 3 * rate : (i + 1) * 3 * rate] for i in range(3)]
    apart = np.mean([p.scores["gender"]["male"] for p in predictor.predict_waveforms(parts)])
    assert predictor.predict_waveforms([clip])[0].scores["gender"]["male"] == pytest.approx(apart, abs=1e-5)


def test_people_read_their_own_words(trained: dict[str, Path], voice: Waveform) -> None:
    told: Any = Predictor(load_bundle(trained["gender_voice"])).predict_waveforms([voice[::2].copy()])[0]
    assert told.labels["gender"] in ("female", "male")
    assert told.display["gender"] in ("Perempuan", "Laki-laki")


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not on this machine")
def test_real_people_through_the_real_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("slu.train")
    manifest = SHARED / "data/ravdess/metadata.csv"
    arguments = ["experiment=gender_ravdess", "model=gru", f"data.manifest={manifest}", "features.clean=null"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["t", "--config-path", str(ROOT / "conf"), *arguments, "logger=none"])
    module.run_command(module.main)
    metrics = read_json(tmp_path / "outputs/registry/gender/latest/metrics.json")
    assert metrics["test"]["clean"]["heads"]["gender"]["balanced_accuracy"] > 0.9
