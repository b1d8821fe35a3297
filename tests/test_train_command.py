"""Training end to end, as a user starts it: real processes, a tiny real model."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from slu.bundles import Predictor, load_bundle
from slu.corpus.manifest import read_manifest
from slu.monitoring.reference import read_reference
from slu.training.preprocessing import preprocess

TINY = [
    "model.channels=[16,24]",
    "model.strides=[2,2]",
    "model.layers=1",
    "model.feedforward=32",
    "model.attention_heads=2",
    "model.dropout=0.1",
    "features.n_mels=24",
    "loader.batch_size=16",
    "noise_test_snr_db=[10]",
]


def tones_task(tones: Path) -> list[str]:
    return [
        "data=manifest",
        f"data.manifest={tones}",
        "data.task=tones",
        "data.heads=[pitch,length]",
        "+data.label_maps.length=len",
        "reference=pitch172",
        *(
            "reference.head=pitch",
            "reference.hz=250",
            "reference.above=low",
            "reference.below=high",
        ),  # beyond any voice
        *TINY,
    ]


def train(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "slu.train", *settings]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the tones were trained once."""
    folder = tmp_path_factory.mktemp("trained")
    result = train(folder, *tones_task(tones), "trainer.max_epochs=12", "optimizer.lr=5e-3")
    assert result.returncode == 0, result.stderr
    assert "all labels" in result.stdout
    (folder / "stdout.txt").write_text(result.stdout)
    return folder


def only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    assert len(found) == 1, found
    return found[0]


def test_a_trained_model_hears_its_test_speaker(trained: Path) -> None:
    metrics = json.loads((trained / "outputs/registry/tones/latest/metrics.json").read_text())
    assert metrics["test"]["clean"]["joint_accuracy"] >= 0.9
    assert metrics["test"]["clean"]["n"] == 16
    assert metrics["objective"] > 0.8
    assert (metrics["split"], metrics["leaking_speakers"]) == ("speaker-disjoint", [])


def test_the_rule_stands_beside_the_model_wherever_its_head_does(trained: Path) -> None:
    bundle = trained / "outputs/registry/tones/latest"
    tests = json.loads((bundle / "metrics.json").read_text())["test"]
    rule = tests["clean"]["reference"]
    assert (rule["name"], rule["head"], rule["balanced_accuracy"], rule["unanswered"]) == (
        "250 Hz rule",
        "pitch",
        0.5,
        8,
    )
    assert "reference" in tests["10 dB"]
    assert "Better than the 250 Hz rule by" in (bundle / "model_card.md").read_text()
    printed = (trained / "stdout.txt").read_text()
    assert "250 Hz rule" in printed
    assert "Better than the 250 Hz rule by" in printed


def test_a_run_leaves_its_configuration_logs_and_checkpoints(trained: Path) -> None:
    run = only(trained, "outputs/runs/train/*")
    for name in (
        ".hydra/config.yaml",
        "metrics.json",
        "csv/metrics.csv",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
    ):
        assert (run / name).is_file(), name
    assert list((run / "tensorboard").glob("events.*"))
    log = pd.read_csv(run / "csv/metrics.csv")
    assert {"train/loss", "val/objective", "val/clean/pitch_accuracy"} <= set(log.columns)


def test_tensorboard_has_figures_and_audio(trained: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(only(trained, "outputs/runs/train/*/tensorboard")), size_guidance={"images": 0})
    events.Reload()
    tags = events.Tags()
    assert {"test/pitch", "test/length"} <= set(tags["images"])
    assert tags["audio"]


def test_the_bundle_describes_itself(trained: Path) -> None:
    latest = json.loads((trained / "outputs/registry/tones/latest.json").read_text())
    home = trained / "outputs/registry/tones"
    assert (home / "latest").resolve().name == latest["bundle"]
    for name in (latest["model"], latest["config"], *latest["label_maps"].values()):
        assert (home / "latest" / name).is_file()
    assert latest["label_maps"] == {"pitch": "pitch2id.json", "length": "len2id.json"}
    assert json.loads((home / "latest" / "len2id.json").read_text()) == {"long": 0, "short": 1}
    assert latest["metrics"]["test"]["clean"]


def test_the_bundle_knows_what_its_log_is_compared_with(trained: Path) -> None:
    """Its validation and test clips, of one speaker each, and how they were answered."""
    reference = read_reference(trained / "outputs/registry/tones/latest")
    assert reference is not None
    assert reference.source == "32 clips of 2 speakers (validation and test)"
    assert {head: sum(counts.values()) for head, counts in reference.sketch.labels.items()} == dict.fromkeys(
        ("pitch", "length"), reference.sketch.reasons["understood"]
    )
    assert reference.sketch.known("level_db") == reference.sketch.known("confidence") == 32


def test_training_path_and_predictor_give_equal_logits(trained: Path, tones: Path, tmp_path: Path) -> None:
    bundle = load_bundle(trained / "outputs/registry/tones/latest")
    predictor = Predictor(bundle)
    manifest = read_manifest(tones, bundle.spec.heads)
    table = preprocess(manifest, bundle.spec, tmp_path).table
    from slu.features import LogMel
    from slu.features.augment import AugmentSettings
    from slu.training.datamodule import LoaderSettings, UtteranceDataModule

    data = UtteranceDataModule(
        table, bundle.spec, loader=LoaderSettings(batch_size=16), augment=AugmentSettings(), front_end=LogMel(), seed=0
    )
    batch = next(iter(data.test_dataloader()))
    with torch.inference_mode():
        trained_on = bundle.recogniser(batch.features, batch.lengths)
    test = data.tables["test"]
    for i in range(4):
        from slu.audio.decode import decode

        waveform = decode(Path(test["file_name"].iloc[i]), bundle.front_end.sample_rate)
        served = predictor.network([predictor.features(waveform)]).logits
        for head in trained_on:
            torch.testing.assert_close(torch.from_numpy(served[head][0]), trained_on[head][i], atol=1e-5, rtol=1e-5)


def test_predict_and_evaluate_use_the_bundle(trained: Path, tones: Path) -> None:
    clip = tones.parent / "audio/005.flac"
    bundle = "bundle=outputs/registry/tones/latest"

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=trained, capture_output=True, text=True, check=False)

    answer = call("slu.predict", str(clip), "--json", bundle)
    assert answer.returncode == 0, answer.stderr
    prediction = json.loads(answer.stdout)
    assert set(prediction) >= {"labels", "scores", "confidence", "understood", "duration_s", "model_version"}
    assert prediction["labels"] == {"pitch": "high", "length": "short"}

    scored = call("slu.evaluate", bundle, f"manifest={tones}", "split=test")
    assert scored.returncode == 0, scored.stderr
    metrics = json.loads(only(trained, "outputs/runs/evaluate/*/metrics.json").read_text())
    stored = json.loads((trained / "outputs/registry/tones/latest/metrics.json").read_text())
    assert metrics["joint_accuracy"] == stored["test"]["clean"]["joint_accuracy"]
    assert set(metrics["heads"]["pitch"]) >= {"accuracy", "balanced_accuracy", "macro_f1"}
    assert metrics["speakers"]["s5"]["n"] == 16
    assert metrics["reference"] == stored["test"]["clean"]["reference"]
    assert "reference" in metrics["conditions"]["telephone"]
    report = only(trained, "outputs/runs/evaluate/*/report.html").read_text()
    assert report.count("250 Hz rule") >= 3  # verdict, robustness, head
    assert (
        "250 Hz rule on the same clips"
        in only(trained, "outputs/runs/evaluate/*/classification_report.txt").read_text()
    )


def test_a_worse_run_of_the_same_data_does_not_become_latest(trained: Path, tones: Path) -> None:
    latest = trained / "outputs/registry/tones/latest"
    before = latest.readlink()
    result = train(trained, *tones_task(tones), "trainer.max_epochs=1", "optimizer.lr=1e-6")
    assert result.returncode == 0, result.stderr
    assert "0 computed now" in result.stdout, "features of the first run should have been found"
    assert latest.readlink() == before
    assert len([p for p in (trained / "outputs/registry/tones").iterdir() if p.is_dir() and not p.is_symlink()]) == 2


def test_a_trial_of_no_search_is_compared_and_not_registered(trained: Path, tones: Path) -> None:
    before = set((trained / "outputs/registry/tones").iterdir())
    result = train(trained, *tones_task(tones), "trainer.max_epochs=1", "trial=0")
    assert result.returncode == 0, result.stderr
    assert set((trained / "outputs/registry/tones").iterdir()) == before
    assert "all labels" not in result.stdout, "a trial is not tested"


def test_multirun_keeps_runs_apart(tones: Path, tmp_path: Path) -> None:
    settings = [*tones_task(tones), "trainer.max_epochs=1", "noise_test_snr_db=[]", "-m", "seed=1,2"]
    result = train(tmp_path, *settings)
    assert result.returncode == 0, result.stderr
    assert len(list(tmp_path.glob("outputs/runs/train/*/[01]/checkpoints/best.ckpt"))) == 2
