"""`python -m slu.train` where one run is many fits: every speaker held out, growing shares, and what excludes what."""

import json
from pathlib import Path

import pandas as pd
import pytest

from slu.monitoring.reference import read_reference
from tests.test_train_command import TINY, only, tones_task, train


def test_leave_one_speaker_out_reports_every_speaker(tones: Path, tmp_path: Path) -> None:
    table = pd.read_csv(tones).query("speaker in ['s0', 's1', 's2']").drop(columns="split")
    table["usual"] = ["test" if number % 4 == 0 else "train" for number in range(len(table))]
    manifest = tones.parent / "three.csv"
    table.to_csv(manifest, index=False)
    settings = [
        *tones_task(manifest),
        "cross_validation=leave_one_speaker_out",
        "data.split.column=usual",
        "trainer.max_epochs=8",
        "optimizer.lr=5e-3",
    ]
    result = train(tmp_path, *settings)
    assert result.returncode == 0, result.stderr
    metrics = json.loads((tmp_path / "outputs/registry/tones/latest/metrics.json").read_text())
    folds = metrics["test"]["leave_one_speaker_out"]
    assert set(folds["speakers"]) == {"s0", "s1", "s2"}
    rights = [fold["joint_accuracy"] for fold in folds["speakers"].values()]
    assert folds["worst"] == min(rights)
    assert folds["mean"] == pytest.approx(sum(rights) / 3)
    assert folds["interval_95"][0] <= folds["mean"] <= folds["interval_95"][1]
    leaky = folds["leaky_split"]
    assert leaky["leaking_speakers"] == ["s0", "s1", "s2"]
    assert leaky["n"] == 12
    assert "its own split (speakers leak: 3 on both sides)" in result.stdout
    reference = read_reference(tmp_path / "outputs/registry/tones/latest")
    assert reference is not None
    assert reference.source.endswith("which it was trained on")
    training = json.loads((tmp_path / "outputs/registry/tones/latest/training.json").read_text())
    assert (len(training["clips"]), len(training["speakers"])) == (48, 3)


@pytest.mark.slow
def test_a_learning_curve_ends_with_an_answer(tones: Path, tmp_path: Path) -> None:
    m1 = [o.replace("model.", "learning_curve.models.m1.") for o in TINY if o.startswith("model.")]
    settings = [
        *[o for o in tones_task(tones) if not o.startswith("model.")],
        *m1,
        "experiment=m1_vs_m2",
        "learning_curve.models.m2={_target_: slu.models.m2.M2, d_model: 16, layers: 1, attention_heads: 2, "
        "feedforward: 16}",
        "learning_curve.shares=[0.5,1.0]",
        "learning_curve.seeds=[3]",
        "learning_curve.jobs=1",
        "trainer.max_epochs=1",
    ]
    result = train(tmp_path, *settings)
    assert result.returncode == 0, result.stderr
    run = only(tmp_path, "outputs/runs/train/*")
    facts = json.loads((run / "learning_curve.json").read_text())
    assert [(p["condition"], p["model"], p["voices"]) for p in facts["points"]] == [
        (condition, model, voices) for condition in ("clean", "10 dB") for model in ("m1", "m2") for voices in (2, 4)
    ]
    assert facts["answer"] in result.stdout.replace("\n", " ")
    assert (run / "report.html").is_file()
    study = only(tmp_path, "outputs/studies/m1_vs_m2-*")
    assert sorted(path.name for path in study.iterdir()) == [
        f"{model}-{share}-3.json" for model in ("m1", "m2") for share in ("0.5", "1.0")
    ]
    assert not (tmp_path / "outputs/registry").exists()


def test_runs_that_exclude_each_other_are_refused(tones: Path, tmp_path: Path) -> None:
    both = train(tmp_path, *tones_task(tones), "experiment=m1_vs_m2", "cross_validation=leave_one_speaker_out")
    assert both.returncode == 2
    assert "error: cross_validation and learning_curve are two runs" in both.stderr
