"""A benchmark from its recordings to its report, with trainings that only pretend, and one that does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.adaptation.adapt import Tuned
from slu.adaptation.clips import Clips
from slu.adaptation.settings import AdaptSettings
from slu.benchmark import take_name
from slu.benchmarks.people import PeopleBenchmark, PeopleSettings
from slu.benchmarks.report import terminal_tables, write_report
from slu.benchmarks.summary import Summary
from slu.benchmarks.trainings import Trainer, Training, plain_settings, start_training
from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.evaluation.tables import show
from slu.spec import Head
from tests.benchmarks.helpers import SLOTS, Trainings, coffee_orders, composed, write_recogniser
from tests.conftest import RATE, tone

DIGIT = (Head("digit", tuple("0123456789")),)


def settings(tmp_path: Path, name: str, **changes: Any) -> PeopleSettings:
    values: dict[str, Any] = {
        "name": name,
        "recordings": str(tmp_path / "recordings"),
        "bundle": None,
        "protocol": "cold",
        "seeds": (0, 1),
        "cold_experiment": {"barista": "barista", "fsdd": "digits_en", "digits_id": "digits_id"}[name],
        "train": {"trainer": {"max_epochs": 1}},
        "snr_db": (6.0, 12.0),
        "draws": 2,
        "noise": None,
        "noise_seed": 0,
        "threads": 1,
        "outputs": str(tmp_path / "out"),
    }
    return parse_settings(PeopleSettings, values | changes, "settings")


def spoken(folder: Path, labels: list[dict[str, str]]) -> None:
    (folder / "audio").mkdir(parents=True)
    rows = [{"file_name": f"audio/{i}.wav"} | row for i, row in enumerate(labels)]
    for i in range(len(labels)):
        sf.write(folder / f"audio/{i}.wav", tone(200 + 30 * i, 0.5, seed=i), RATE)
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)


def test_coffee_orders_are_trained_heard_and_set_beside_the_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coffee_orders(tmp_path / "recordings")
    start = Trainings()
    measured = PeopleBenchmark(settings(tmp_path, "barista"), composed, start).measure()
    assert [(v["experiment"], v["seed"], v["trainer.max_epochs"]) for v in start.started] == [
        ("barista", "0", "1"),
        ("barista", "1", "1"),
    ]
    assert len(measured.answers) == 2 * 4 * (1 + 2 * 2 * 2), "seeds x clips x (clean, noises x SNRs x draws)"
    summary = Summary(measured)
    lines = {line.name: line.means for line in summary.lines("cold")}
    assert list(lines) == [
        *("clean", "cafe 6 dB", "cafe 12 dB", "cafe, mean", "kitchen 6 dB", "kitchen 12 dB", "kitchen, mean"),
        "all noise, mean",
    ]
    assert all(line["strict"].value <= line["lenient"].value <= 0.75 for line in lines.values()), "tea is on no menu"
    assert measured.warnings == ["the recogniser does not know coffeeDrink 'tea', and was wrong about 1 clips of it"]
    write_report(summary, tmp_path / "report")
    show(*terminal_tables(summary, tmp_path / "report"))
    printed = capsys.readouterr().out
    assert "Picovoice Rhino" in printed
    assert "ours, cold: right, lenient" in printed
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Beside the published engines" in page
    document = json.loads((tmp_path / "report" / "results.json").read_text())
    assert document["engines"]["Amazon Lex"]["6"] == pytest.approx(0.755)
    assert len(document["protocols"]["cold"]["conditions"][0]["strict"]["runs"]) == 2
    table = pd.read_csv(tmp_path / "report" / "results.csv")
    assert len(table) == 2 * 9
    assert set(table["clips"]) == {4}


def test_what_is_trained_is_not_trained_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coffee_orders(tmp_path / "recordings")
    first, second = Trainings(cut_at=1), Trainings()
    with pytest.raises(KeyboardInterrupt):
        PeopleBenchmark(settings(tmp_path, "barista", snr_db=()), composed, first).measure()
    PeopleBenchmark(settings(tmp_path, "barista", snr_db=()), composed, second).measure()
    assert [values["seed"] for values in second.started] == ["1"]
    assert second.started[0]["ckpt_path"] == f"{first.started[1]['hydra.run.dir']}/checkpoints/last.ckpt"
    assert second.started[0]["hydra.run.dir"] != first.started[1]["hydra.run.dir"]
    assert "cold, seed 0: trained before" in capsys.readouterr().out
    for record in (tmp_path / "out" / "benchmarks" / "barista" / "trainings").glob("*/stage.json"):
        record.unlink()  # killed between the training's end and this
    third = Trainings()
    PeopleBenchmark(settings(tmp_path, "barista", snr_db=()), composed, third).measure()
    assert third.started == []
    other = Trainings()
    changed = settings(tmp_path, "barista", snr_db=(), train={"trainer": {"max_epochs": 2}})
    PeopleBenchmark(changed, composed, other).measure()
    assert len(other.started) == 2


def test_a_given_bundle_is_heard_without_training(tmp_path: Path, printed: Callable[..., tuple[int, str]]) -> None:
    folder = coffee_orders(tmp_path / "recordings", noises=())
    (tmp_path / "bundle").mkdir()
    write_recogniser(tmp_path / "bundle")
    sizes = {"data": str(folder), "bundle": str(tmp_path / "bundle")}
    arguments = [f"{key}={value}" for key, value in sizes.items()]
    code, text = printed("benchmark", "barista", *arguments, "snr_db=[12]", "draws=1")
    assert code == 0, text
    assert "babble 12 dB" in text
    assert "One run alone" in text
    assert (tmp_path / "out" / "benchmarks" / "barista" / "report.html").is_file()
    (tmp_path / "other").mkdir()
    write_recogniser(tmp_path / "other", heads=SLOTS[:2])
    code, text = printed("benchmark", "barista", arguments[0], f"bundle={tmp_path / 'other'}", "snr_db=[]")
    assert code == 2
    assert "does not answer milkAmount, which barista asks for" in text


def test_groups_are_held_out_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [
        {head.name: head.classes[i % len(head.classes)] for head in SLOTS} | {"acoustic_group": f"g{i % 4}"}
        for i in range(8)
    ]
    spoken(tmp_path / "recordings", labels)
    learnt: list[Clips] = []

    def unchanged(bundle: Bundle, own: Clips, heard: None, replay: Any, settings: AdaptSettings, seed: int) -> Tuned:
        assert (settings.steps, settings.seed, seed) == (7, 0, 0)
        learnt.append(own)
        return Tuned(bundle.recogniser, ())

    replayed = SimpleNamespace(files=["voice.flac"])
    monkeypatch.setattr("slu.benchmarks.adaptations.replayed", lambda *of: SimpleNamespace(train=replayed))
    monkeypatch.setattr("slu.benchmarks.adaptations.tuned", unchanged)
    start, changes = Trainings(), {"seeds": (0,), "folds": 2, "fold_adapt": {"steps": 7}}
    wanted = settings(tmp_path, "barista", protocol=("cold", "grouped"), **changes)
    measured = PeopleBenchmark(wanted, composed, start).measure()
    assert len(start.started) == 1, "the folds start from one cold recogniser"
    grouped = measured.answers[measured.answers["protocol"] == "grouped"]
    assert sorted(grouped.loc[grouped["noise"] == "clean", "clip"]) == [f"clips/audio/{i}.wav" for i in range(8)]
    groups = [set(clips.table["acoustic_group"]) for clips in learnt]
    assert sorted(map(sorted, groups)) == [["g0", "g2"], ["g1", "g3"]]
    assert not measured.warnings, "nobody is scored on what a fold was fitted to"
    assert "adapted before" not in capsys.readouterr().out
    again = PeopleBenchmark(wanted, composed, start).measure()
    assert (len(learnt), capsys.readouterr().out.count("adapted before")) == (2, 2)
    assert again.answers["strict"].tolist() == measured.answers["strict"].tolist()
    spoken(tmp_path / "digits", [{"digit": str(i)} for i in range(4)])
    with pytest.raises(UserError, match="no full column 'acoustic_group'"):
        PeopleBenchmark(
            settings(tmp_path, "fsdd", recordings=str(tmp_path / "digits"), protocol="grouped"), composed, start
        )


def test_speakers_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"digit": str(i % 10), "speaker": ("ana", "bo")[i % 2]} for i in range(20)]
    spoken(tmp_path / "recordings", rows)
    people = {"ana": {"n": 10, "joint_accuracy": 0.9}, "bo": {"n": 10, "joint_accuracy": 0.7}}
    folds = {"mean": 0.8, "interval_95": [0.7, 0.9], "worst": 0.7, "worst_speaker": "bo", "speakers": people}
    start = Trainings(DIGIT, test={"leave_one_speaker_out": folds})
    wanted = settings(
        tmp_path,
        "fsdd",
        protocol=("cold", "leave_one_speaker_out"),
        held_out_experiment="digits_fsdd",
        snr_db=(),
    )
    summary = Summary(PeopleBenchmark(wanted, composed, start).measure())
    assert start.started[1]["data.split.method"] == "speaker", "the folder has no split of its own"
    assert [mean.value for mean in summary.by("leave_one_speaker_out", "speaker").values()] == [0.7, 0.9]
    assert summary.lines("leave_one_speaker_out")[0].means["strict"].value == pytest.approx(0.8)
    write_report(summary, tmp_path / "report")
    show(*terminal_tables(summary, tmp_path / "report"))
    printed = capsys.readouterr().out
    assert "held out" in printed
    assert "mean of 2" in printed
    assert "Picovoice" not in printed
    alone = Summary(PeopleBenchmark(replace(wanted, protocol="leave_one_speaker_out"), composed, start).measure())
    write_report(alone, tmp_path / "alone")
    assert pd.read_csv(tmp_path / "alone" / "results.csv")[["clips", "strict"]].to_numpy().tolist() == 2 * [[20, 0.8]]


@pytest.mark.slow
def test_a_training_in_a_process_of_its_own(tmp_path: Path, tones: Path) -> None:
    tiny = {
        "data": "manifest",
        "data.manifest": str(tones),
        "data.heads": "[pitch,length]",
        "data.task": "tones",
        "data.label_maps": "{}",
        "features.n_mels": "16",
        "model.channels": "[8,8]",
        "model.strides": "[2,2]",
        "model.layers": "1",
        "trainer.max_epochs": "1",
        "noise_test_snr_db": "[]",
        "workers": "1",
        "logger": "none",
    }
    training = Training("tones", tuple(f"{key}={value}" for key, value in tiny.items()))
    trainer = Trainer(tmp_path / "out", tmp_path / "trainings", composed, start_training)
    trained = trainer.trained(training)
    assert np.isfinite(trained.metrics["objective"])
    assert trainer.trained(training).bundle == trained.bundle
    assert len(list((tmp_path / "trainings").glob("*/run-*"))) == 1


def test_words_and_settings_as_they_are_typed() -> None:
    assert take_name(["rounds=3", "--help"]) == (None, ["rounds=3", "--help"])
    name, rest = take_name(["barista", "data=a/b", "train.model=m2", "+x=1"])
    assert (name, rest) == ("barista", ["recordings=a/b", "++train.model=m2", "+x=1"])
    for words in (["barists"], ["fsdd", "barista"]):
        with pytest.raises(UserError, match="is no benchmark to run here; name one of barista"):
            take_name(words)
    assert plain_settings({"a": {"b": [1, None]}, "c": True, "d": "x y"}) == ["a.b=[1, null]", "c=true", "d='x y'"]
