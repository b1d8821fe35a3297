"""The readers and the words of slides, each by itself."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slu.corpus.manifest import Manifest
from slu.slides.breakdown import confused_pairs
from slu.slides.commands import Launch, evaluate_command, explore_command, is_of_experiment, train_command
from slu.slides.data import count_data
from slu.slides.predictions import Predictions, read_predictions
from slu.slides.training_log import TrainingLog, read_training_log
from slu.slides.words import Missing, brief, counted, first_sentence, listed, percent, shown, span
from tests.bundles.helpers import make_bundle
from tests.slides.helpers import write_training_run


def test_words() -> None:
    assert percent(0.99849) == "99.8%"
    assert percent(None) == "-"
    assert span((0.5, 1.0)) == "50.0% to 100.0%"
    assert counted(1, "clip") == "1 clip"
    assert counted(3450, "clip") == "3,450 clips"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c"], most=2) == "a, b, …"
    assert first_sentence("LEAK: 3 of 9. More.") == "LEAK: 3 of 9."
    assert first_sentence("All of it") == "All of it"
    assert brief("kopi") == "kopi"
    assert brief("kopi susu gula aren ukuran besar 7", 14) == "kopi s…besar 7"
    missing = Missing("the log is gone", "train again")
    assert missing.sentence == "The log is gone: train again."


def test_paths_name_no_folders_of_somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(Path("outputs/runs/a.json")) == "outputs/runs/a.json"
    assert shown(tmp_path / "outputs" / "a.json") == "outputs/a.json"
    assert shown(Path("/secret/place/of/mine/csv/metrics.csv")) == "…/mine/csv/metrics.csv"


def test_mistakes_of_clips_without_all_labels(tmp_path: Path) -> None:
    pd.DataFrame(
        {
            "file_name": ["a/1.wav", "a/2.wav", "a/3.wav", "a/4.wav"],
            "drink": ["tea", "tea", "", "milk"],
            "size": ["1", "2", "2", ""],
            "heard_drink": ["tea", "milk", "milk", "tea"],
            "heard_size": ["1", "2", "2", "1"],
            "confidence": [0.9, 0.5, 0.4, 0.8],
            "understood": [True, True, False, True],
        }
    ).to_csv(tmp_path / "predictions.csv", index=False)
    found = read_predictions(tmp_path / "predictions.csv", ["drink", "size"])
    assert isinstance(found, Predictions)
    assert found.right.tolist() == [True, False, True, False]
    assert found.complete.tolist() == [True, True, False, False]
    assert found.confident_mistakes(9) == [3, 1]
    assert found.confident_mistakes(1) == [3]
    assert found.wrong_heads(3) == ["drink"]
    assert found.labels(3) == "drink milk, size (no label)"
    assert found.example() == 0
    assert found.said(0) == "1.wav"
    assert isinstance(read_predictions(tmp_path / "predictions.csv", ["colour"]), Missing)
    assert isinstance(read_predictions(tmp_path / "none.csv", ["drink"]), Missing)


def test_the_training_log_by_epochs(tmp_path: Path) -> None:
    write_training_run(tmp_path)
    log = read_training_log(str(tmp_path))
    assert isinstance(log, TrainingLog)
    assert log.losses["training"].to_dict() == {1: 3.0, 2: 2.0, 3: 1.0}
    assert log.losses["clean validation"].to_dict() == {1: 2.5, 2: 1.5, 3: 0.5}
    assert (log.epochs, log.best_epoch) == (3, 2)
    (tmp_path / "csv" / "metrics.csv").write_text("epoch,step,train/loss\n0,9,1.5\n")
    alone = read_training_log(str(tmp_path))
    assert isinstance(alone, TrainingLog)
    assert alone.objective is None
    assert alone.best_epoch is None
    for nothing in (None, "", str(tmp_path / "gone")):
        assert isinstance(read_training_log(nothing), Missing)
    (tmp_path / "csv" / "metrics.csv").write_text("")
    assert isinstance(read_training_log(str(tmp_path)), Missing)


def test_counting_without_splits_speakers_or_audio(tmp_path: Path) -> None:
    table = pd.DataFrame({"file_name": ["1.wav", "2.wav"], "drink": ["tea", ""]})
    facts = count_data(Manifest(tmp_path / "m.csv", table), {"drink": ["tea", "milk"], "size": ["1", "2"]})
    assert facts.sides == {"all clips": 2}
    assert facts.speakers == {}
    assert facts.durations_s == ()
    assert facts.sources == {}
    assert list(facts.classes) == ["drink"]
    assert facts.rarest("drink") == ("milk", 0)
    assert facts.commonest("drink") == ("tea", 1)


def test_speakers_on_two_sides(tmp_path: Path) -> None:
    rows = [("1.wav", "ani", "train"), ("2.wav", "ani", "test"), ("3.wav", "budi", ""), ("4.wav", "budi", "test")]
    table = pd.DataFrame(rows, columns=["file_name", "speaker", "split"])
    facts = count_data(Manifest(tmp_path / "m.csv", table), {})
    assert facts.sides == {"train": 1, "test": 2, "no split": 1}
    assert facts.speakers == {"train": 1, "test": 2, "no split": 1}
    assert (facts.people, facts.on_two_sides) == (2, 1)


def test_confused_pairs_by_frequency() -> None:
    values = {"classes": {"a": {}, "b": {}, "c": {}}, "confusion": np.array([[5, 2, 0], [2, 0, 0], [0, 7, 1]]).tolist()}
    assert confused_pairs(values) == [("c", "b", 7, 8), ("b", "a", 2, 2), ("a", "b", 2, 7)]
    assert confused_pairs({"n": 0}) == []


def _launched(**settings: object) -> Launch:
    return Launch({"bundle": "models/digits/latest", "manifest": None, "split": None, **settings}, ["conditions=clean"])


def test_commands_name_the_bundle_and_the_clips_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "digits" / "v1").mkdir(parents=True)
    launch = _launched(manifest="my/table.csv", split="test", split_column="source_split")
    own = "bundle=models/digits/v1 manifest=my/table.csv split=test split_column=source_split"
    evaluate = f"python -m slu.evaluate {own}"
    assert evaluate_command(launch, {"bundle": "v1"}, shown) == f"{evaluate} conditions=clean"
    assert evaluate_command(launch, {"bundle": "v1"}, shown, "conditions=standard") == f"{evaluate} conditions=standard"
    other = evaluate_command(launch, {"bundle": "v1"}, shown, "manifest=my/feedback.csv")
    assert other == "python -m slu.evaluate bundle=models/digits/v1 conditions=clean manifest=my/feedback.csv"
    spaced = evaluate_command(_launched(manifest="my, own/it's.csv"), {"bundle": "v1"}, shown)
    assert shlex.split(spaced)[4] == r"manifest='my, own/it\'s.csv'"
    embedded = Launch({"bundle": "outputs/registry/orders/latest", "manifest": None, "split": None}, [])
    assert evaluate_command(embedded, {"bundle": "v1"}, shown, "conditions=standard") == (
        "python -m slu.evaluate conditions=standard"
    )


def test_commands_train_and_explore_what_the_bundle_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = {
        "task": "digits", "manifest": "my/table.csv", "heads": ["digit"], "synthetic_speech": False,
        "min_duration_s": 0.1, "max_duration_s": 4.0, "on_bad_audio": "error",
        "split": {"method": "auto", "column": "source_split", "val": 0.15, "test": 0.15, "seed": 0},
    }  # fmt: skip
    bundle = make_bundle(tmp_path / "v1")
    mine = replace(bundle, config={**bundle.config, "data": data})
    settings = (
        "data=manifest data.manifest=my/table.csv 'data.heads=[digit]' data.task=digits data.max_duration_s=4.0 "
        "data.split.column=source_split"
    )
    metrics = {"heads": {"digit": {}}, "manifest": "my/table.csv"}
    assert train_command(_launched(), mine, shown, "min_confidence=VALUE") == (
        f"python -m slu.train {settings} min_confidence=VALUE"
    )
    assert explore_command(_launched(), metrics, mine, shown) == f"python -m slu.eda {settings}"
    assert explore_command(_launched(manifest="my/table.csv"), metrics, mine, shown) == f"python -m slu.eda {settings}"
    other = _launched(manifest="your/table.csv", split_column="side")
    assert explore_command(other, {**metrics, "manifest": "your/table.csv"}, mine, shown) == (
        "python -m slu.eda data=manifest data.manifest=your/table.csv 'data.heads=[digit]' data.task=drinks "
        "split_column=side"
    )
    embedded = replace(bundle, config={**bundle.config, "data": {"task": "orders", "manifest": None}})
    assert train_command(_launched(), embedded, shown) == "python -m slu.train"
    assert explore_command(_launched(), metrics, embedded, shown) == "python -m slu.eda"
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    (tmp_path / "run" / ".hydra" / "overrides.yaml").write_text("- model=m2\n- seed=3\n")
    of_m2 = replace(embedded, metrics={"run": "run"})
    assert train_command(_launched(), of_m2, shown) == "python -m slu.train model=m2"
    assert train_command(_launched(), of_m2, shown, "model=m1") == "python -m slu.train model=m1"
    assert not is_of_experiment(of_m2)
    (tmp_path / "run" / ".hydra" / "overrides.yaml").write_text("- experiment=digits_fsdd\n")
    assert is_of_experiment(of_m2)
    assert train_command(_launched(), of_m2, shown) == "python -m slu.train experiment=digits_fsdd"
