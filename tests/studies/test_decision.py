"""From training to the report with everything chosen on validation: a command, its bundle, and prediction with it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.bundles import Predictor, load_bundle
from tests.conftest import RATE, tone

SETTINGS = [
    "data=manifest",
    "data.task=pitches",
    "data.heads=[pitch]",
    "+data.display_names.pitch={low: Rendah, high: Tinggi}",
    "model.channels=[12,16]",
    "model.strides=[2,2]",
    "model.layers=1",
    "model.feedforward=16",
    "model.attention_heads=2",
    "features.n_mels=16",
    "loader.batch_size=16",
    "optimizer.lr=5e-3",
    "trainer.max_epochs=3",
    "workers=1",
    "augment=none",
    "logger=none",
    "noise_test_snr_db=[]",
    "loss.unlabelled=uniform",
]
DECISION = ["decision.calibrate=true", "decision.threshold=tuned", "decision.min_accuracy=0.6"]


@pytest.fixture(scope="module")
def pitches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 tones, low and high with an overlap between, and 12 clips of noise without a label."""
    folder = tmp_path_factory.mktemp("pitches")
    rng = np.random.default_rng(0)
    rows = []
    for index in range(108):
        high, nothing = index % 2, index >= 96
        speaker = index % 6 if nothing else index // 4 % 6
        pitch = (600 if high else 400) * rng.uniform(0.7, 1.4)
        wave = 0.1 * rng.standard_normal(6400).astype(np.float32) if nothing else tone(pitch, 0.4, seed=index)
        sf.write(folder / f"{index}.wav", wave, RATE)
        split = ("train", "train", "train", "val", "val", "test")[speaker]
        label = "" if nothing else ("low", "high")[high]
        rows.append({"file_name": f"{index}.wav", "pitch": label, "speaker": f"s{speaker}", "split": split})
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


def test_choices_of_validation_travel_with_the_bundle(
    pitches: Path,
    tmp_path: Path,
    printed: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, text = printed("train", f"data.manifest={pitches}", *SETTINGS, *DECISION)
    assert code == 0, text
    registry = tmp_path / "out" / "registry" / "pitches" / "latest"
    bundle = load_bundle(registry)
    (head,) = bundle.spec.heads
    decision = bundle.metrics["decision"]
    assert decision["validation"] == {"clips": 36, "speakers": 2, "conditions": ["clean"]}
    assert decision["heads"]["pitch"]["clips"] == 32
    assert head.temperature == decision["heads"]["pitch"]["temperature"]["value"]
    assert head.threshold == decision["heads"]["pitch"]["threshold"]["value"]
    assert head.classes == ("high", "low")
    assert head.shown("low") == "Rendah"
    assert bundle.spec.min_confidence == decision["min_confidence"] >= 0.5
    assert all(note in " ".join(text.split()) for note in decision["notes"])
    assert "low (shown as Rendah)" in (registry / "model_card.md").read_text()

    test = bundle.metrics["test"]["clean"]
    assert test["n"] == 16
    assert test["heads"]["pitch"]["unlabelled"]["n"] == 2
    assert "balanced" in text
    clip = pitches.parent / "22.wav"
    answer = Predictor(bundle).predict(clip)
    assert answer.labels["pitch"] == ("low" if answer.scores["pitch"]["low"] >= head.threshold else "high")

    silence = tmp_path / "silence.wav"
    sf.write(silence, np.zeros(RATE), RATE)
    lines = predict(monkeypatch, capsys, str(clip), str(silence), f"bundle={registry}")
    told = head.shown(answer.labels["pitch"])
    told = told if answer.understood else f"cannot tell: not sure (perhaps {told})"
    assert lines == [
        f"{clip}: {told} (confidence {answer.confidence:.2f}, 0.4 s)",
        f"{silence}: cannot tell: silence (1.0 s)",
    ]
    document = json.loads(predict(monkeypatch, capsys, str(clip), "--json", f"bundle={registry}")[0])
    assert document["labels"] == answer.labels
    assert set(document["scores"]["pitch"]) == {"low", "high"}
    assert document["display"] == {"pitch": head.shown(answer.labels["pitch"])}


def predict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    from slu.predict import main

    monkeypatch.setattr(sys, "argv", ["slu.predict", *arguments])
    main()
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["decision.threshold=1.5"], "decision.threshold"),
        (["decision.calibrate=true", "cross_validation=leave_one_speaker_out"], "keep no clips to choose on"),
        (["+data.display_names.pitch.deep=Dalam"], "no class 'deep'"),
        (["+data.display_names.voice.low=Rendah"], "display_names.voice: there is no such head"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(
    pitches: Path, printed: Callable[..., tuple[int, str]], settings: list[str], message: str
) -> None:
    code, text = printed("train", f"data.manifest={pitches}", *SETTINGS, *settings)
    assert code == 2
    assert message in text
    assert "epoch 1/" not in text
