"""Every decision follows from figures that were planted, and its setting is one that training knows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.exploration.command_line import ingest_command, spelled_out, task_name, train_command, wrapped
from slu.exploration.dataset import Dataset, from_manifest
from slu.exploration.decisions import decide, settings_of
from slu.exploration.findings import Findings
from slu.exploration.settings import Limits
from slu.exploration.split_decision import can_split
from slu.exploration.warnings import warn
from slu.training.settings import DataSettings
from tests.conftest import RATE, ROOT
from tests.exploration.helpers import SETTINGS, findings_of, rows_of, tables_only, utterance, write_corpus


def explored(folder: Path, rows: Sequence[dict[str, str]], **changes: int) -> Findings:
    """From the tables alone; every class has clips and speakers enough unless the test takes them away."""
    limits = Limits(**{"clips_per_class": 1, "speakers_per_class": 1, **changes})
    return findings_of(tables_only(folder, rows), folder, replace(SETTINGS, limits=limits))


def settings(findings: Findings, topic: str) -> tuple[str, ...]:
    return next(decision.settings for decision in decide(findings) if decision.topic == topic)


def without(rows: list[dict[str, str]], *columns: str) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name not in columns} for row in rows]


LEAKING = [{**row, "split": ("train", "test")[n % 2]} for n, row in enumerate(rows_of(65, speakers=13))]


@pytest.mark.parametrize(
    ("rows", "expected", "words"),
    [
        (rows_of(48), (), "Use it as it is."),
        (LEAKING, ("data.split.method=speaker",), "Split by speaker"),
        (without(rows_of(48), "split"), ("data.split.method=speaker",), "Split by speaker"),
        ([row for row in rows_of(48) if row["split"] != "val"], ("data.split.val=0",), "without validation"),
        ([row for row in rows_of(72) if row["split"] != "test"], ("data.split.method=speaker",), "Split by speaker"),
        (rows_of(24, speakers=6), ("cross_validation=leave_one_speaker_out",), "Hold out each speaker in turn"),
        (
            without(rows_of(24, speakers=2), "split"),
            ("cross_validation=leave_one_speaker_out", "data.split.method=random"),
            "Hold out each speaker in turn",
        ),
        (without(rows_of(24, speakers=1), "split"), ("data.split.method=random",), "for this one voice only"),
        (without(rows_of(24), "speaker"), (), "Until then use the split as it is"),
        (without(rows_of(24), "speaker", "split"), ("data.split.method=random",), "Until then split at random"),
        ([{**row, "speaker": row["speaker"].replace("s03", "")} for row in rows_of(24)], (), "Fill the speaker column"),
        (rows_of(1), (), "Record more."),
    ],
)
def test_how_to_split(tmp_path: Path, rows: list[dict[str, str]], expected: tuple[str, ...], words: str) -> None:
    findings = explored(tmp_path, rows)
    split = next(decision for decision in decide(findings) if decision.topic == "Split")
    assert split.settings == expected
    assert words in split.what


def test_a_class_that_one_person_says_stands_in_the_way_of_holding_them_out(tmp_path: Path) -> None:
    rows = [{**row, "word": "maybe" if row["speaker"] == "s03" else row["word"]} for row in rows_of(24, speakers=6)]
    split = next(d for d in decide(explored(tmp_path, rows)) if d.topic == "Split")
    assert "But word 'maybe' would have no training example" in split.why


def test_classes_are_weighted_from_the_ratio_on(tmp_path: Path) -> None:
    rows = [{**row, "word": ("yes", "no")[n % 4 == 0]} for n, row in enumerate(rows_of(40))]
    assert settings(explored(tmp_path, rows, imbalance=3), "Class weights") == ("loss.class_weights=true",)
    assert settings(explored(tmp_path, rows, imbalance=4), "Class weights") == ()


def test_more_recordings_are_asked_for_by_class(tmp_path: Path) -> None:
    rows = [{**row, "word": "rare" if n == 5 else row["word"]} for n, row in enumerate(rows_of(40))]
    few = next(d for d in decide(explored(tmp_path, rows, clips_per_class=3)) if d.topic == "More recordings")
    assert few.why == "Fewer than 3 clips: word 'rare' (1)."
    narrow = next(d for d in decide(explored(tmp_path, rows, speakers_per_class=2)) if d.topic == "More recordings")
    assert narrow.why == "Fewer than 2 speakers: word 'rare' (1 speaker)."


def test_empty_cells_ask_what_they_mean(tmp_path: Path) -> None:
    rows = [{**row, "word": "" if n % 3 == 0 else row["word"]} for n, row in enumerate(rows_of(36))]
    often = next(d for d in decide(explored(tmp_path, rows)) if d.topic == "Empty labels")
    assert "such as none" in often.what
    assert often.why == "Empty cells: word 33%; 12 clips have no label at all."
    rows = [{**row, "word": "" if n == 3 else row["word"]} for n, row in enumerate(rows_of(36))]
    assert "Empty labels" not in {d.topic for d in decide(explored(tmp_path, rows))}  # the clip is set aside
    two = [{**row, "size": ("big", "small")[n % 2]} for n, row in enumerate(rows)]
    rarely = next(
        d for d in decide(findings_of(tables_only(tmp_path, two, ["word", "size"]), tmp_path)) if d.topic[:5] == "Empty"
    )
    assert rarely.what.startswith("Leave the empty label cells")


def test_common_empty_cells_are_not_left_out_as_well(tmp_path: Path) -> None:
    often = [{**row, "word": "" if n % 3 == 0 else row["word"]} for n, row in enumerate(rows_of(36))]
    findings = findings_of(from_manifest(write_corpus(tmp_path, often), ["word"]), tmp_path)
    assert findings.set_aside == {}
    assert [d.topic for d in decide(findings) if d.topic in ("Clips", "Empty labels")] == ["Empty labels"]


def test_the_clips_left_out_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_corpus(tmp_path, rows_of(24))
    (tmp_path / "audio/005.wav").write_bytes(b"no audio")
    (tmp_path / "audio/006.wav").unlink()
    findings = findings_of(from_manifest(path, ["word"]), tmp_path)
    clips = next(d for d in decide(findings) if d.topic == "Clips")
    assert len(findings.set_aside) == 2
    assert clips.what.startswith("Leave 1 clip out. ")
    assert clips.what.endswith("With the 1 whose audio is missing, set_aside.csv names 2, each with its reason.")


def test_clips_without_a_speaker_are_warned_of(tmp_path: Path) -> None:
    rows = [{**row, "speaker": row["speaker"].replace("s03", " ")} for row in rows_of(24)]
    findings = explored(tmp_path, rows)
    assert "2 of 24 clips have no speaker: leaks cannot be seen for those" in warn(findings)[1]
    assert can_split(findings)
    assert not can_split(explored(tmp_path, without(rows, "split")))
    assert not can_split(explored(tmp_path, [row for row in rows if row["split"] != "test"]))
    no_val = explored(tmp_path, [row for row in rows if row["split"] != "val"])
    assert settings(no_val, "Split") == ("data.split.val=0",)


def test_names_that_differ_only_in_case_are_warned_of(tmp_path: Path) -> None:
    rows = [{**row, "speaker": "S03" if n == 3 else row["speaker"]} for n, row in enumerate(rows_of(24))]
    assert "Speakers that differ only in case: 'S03' and 's03'. If they are one" in " ".join(
        warn(explored(tmp_path, rows))
    )


@pytest.mark.parametrize(
    ("sides", "words"), [(["test"], "Every row is test: on this split"), (["test", "val"], "No row is train: on this")]
)
def test_a_split_without_training_is_warned_of(tmp_path: Path, sides: list[str], words: str) -> None:
    rows = [{**row, "split": sides[n % len(sides)]} for n, row in enumerate(rows_of(24))]
    findings = explored(tmp_path, rows)
    assert any(warning.startswith(words) for warning in warn(findings))
    assert settings(findings, "Split") == ("data.split.method=speaker",)
    unknown = explored(tmp_path, without(rows, "speaker"))
    assert settings(unknown, "Split") == ("data.split.method=random",)


def test_a_split_column_with_gaps_is_not_trained_on(tmp_path: Path) -> None:
    rows = [{**row, "split": "" if n == 3 else row["split"]} for n, row in enumerate(rows_of(48))]
    assert settings(explored(tmp_path, rows), "Split") == ("data.split.method=speaker",)
    rows = [{**row, "split": "" if n == 3 else row["split"]} for n, row in enumerate(rows_of(48, speakers=6))]
    assert settings(explored(tmp_path, rows), "Split") == (
        "cross_validation=leave_one_speaker_out",
        "data.split.method=random",
    )


def test_a_shared_recording_is_a_decision(tmp_path: Path) -> None:
    rows = rows_of(24, recording=[f"r{n % 11}" for n in range(24)])
    findings = findings_of(tables_only(tmp_path, rows), tmp_path, replace(SETTINGS, group_columns=("recording",)))
    decision = next(d for d in decide(findings) if d.topic == "Recordings")
    assert "put the recording into the speaker column" in decision.what
    assert any(warning.startswith("Leak: ") and "recording" in warning for warning in warn(findings))


def test_mixed_rates_are_cut_to_what_all_have(tmp_path: Path) -> None:
    rows = rows_of(24)
    path = write_corpus(tmp_path, rows)
    for n in range(6):
        sf.write(tmp_path / rows[n]["file_name"], soxr.resample(utterance(n), RATE, 8000), 8000)
    findings = findings_of(from_manifest(path, ["word"]), tmp_path)
    assert settings(findings, "Sample rates") == ("features.f_max=4000",)


@pytest.mark.parametrize(("duration_s", "expected"), [(0.5, ["model.normalise=tilt"]), (1.2, [])])
def test_single_words_keep_their_mean_spectrum(tmp_path: Path, duration_s: float, expected: list[str]) -> None:
    rows = rows_of(24)
    waves = {row["file_name"]: utterance(n, duration_s) for n, row in enumerate(rows)}
    findings = findings_of(from_manifest(write_corpus(tmp_path, rows, waves), ["word"]), tmp_path)
    assert [s for s in settings_of(decide(findings)) if s.startswith("model.")] == expected


def test_planted_problems_are_warned_of_in_order(tmp_path: Path) -> None:
    rows = [dict(row) for row in LEAKING]
    path = write_corpus(tmp_path, rows, {rows[1]["file_name"]: 0.3 * utterance(0)})
    (tmp_path / rows[5]["file_name"]).write_bytes(b"no audio")
    (tmp_path / rows[6]["file_name"]).unlink()
    findings = findings_of(from_manifest(path, ["word"]), tmp_path)
    warnings = warn(findings)
    assert [warning[:20] for warning in warnings] == [
        "The audio of 1 clip ", "1 clip cannot be rea", "Leak: 13 of 13 speak", "Leak: 1 recording st",
    ]  # fmt: skip
    assert f"{path}:7 (audio/005.wav)" in warnings[1]


def test_labels_that_teach_nothing_are_warned_of(tmp_path: Path) -> None:
    rows = [{**row, "word": "yes", "other": "", "rare": "a" if row["split"] == "train" else "b"} for row in rows_of(24)]
    findings = findings_of(tables_only(tmp_path, rows, ["word", "other", "rare"]), tmp_path)
    warnings = warn(findings)
    assert "Every label of word is 'yes': there is nothing to tell apart." in warnings
    assert "No clip has a label for other: there is nothing to learn for it." in warnings
    assert "rare: 'b' has no clip in train." in warnings
    assert not findings.trainable


def test_a_healthy_data_set_is_not_warned_of(tmp_path: Path) -> None:
    findings = findings_of(from_manifest(write_corpus(tmp_path, rows_of(48)), ["word"]), tmp_path)
    assert warn(findings) == []
    assert findings.trainable
    assert findings.set_aside == {}


def test_speech_of_the_synthesiser_is_taken_as_it_is(tmp_path: Path) -> None:
    dataset: Dataset = replace(tables_only(tmp_path, rows_of(24)), spoken=True)
    split = next(d for d in decide(findings_of(dataset, tmp_path)) if d.topic == "Split")
    assert (split.what, split.settings) == ("Use it as it is.", ())


def test_commands_take_the_decisions_and_keep_the_rest() -> None:
    given = ["data=manifest", "data.heads=[digit]", "data.max_duration_s=10"]
    decided = ["data.max_duration_s=1.4", "model.normalise=tilt"]
    assert train_command(given, decided) == (
        "python -m slu.train data=manifest 'data.heads=[digit]' data.max_duration_s=1.4 model.normalise=tilt"
    )
    assert ingest_command(["source=retail"], decided) == "python -m slu.ingest source=retail max_duration_s=1.4"
    assert [task_name(heads) for heads in (["coffeeDrink", "size"], ["2nd"], ["größe"])] == [
        "coffeedrink_size",
        "task_2nd",
        "gr_e",
    ]
    long = train_command([f"data.manifest={'x' * 90}", "'a b'"], decided)
    assert "\\\n" in wrapped(long)
    assert wrapped("python -m slu.train") == "python -m slu.train"


def test_manifest_is_short_for_the_data_it_names() -> None:
    known = {"manifest", "data", "source", "experiment"}
    assert spelled_out(["-m", "manifest=a,b"], known) == ["-m", "data=manifest", "data.manifest=a,b"]
    assert spelled_out(["+manifest=x", "data=manifest"], known) == ["data.manifest=x", "data=manifest"]
    assert spelled_out(["manifest=null", "hydra.run.dir=x"], known) == ["hydra.run.dir=x"]
    assert spelled_out(["experiment=x", "trainer.max_epochs=1"], known) == ["experiment=x", "trainer.max_epochs=1"]
    for wrong, words in (
        (["manifest=x", "source=retail"], "manifest= and source= both name the data"),
        (["+table=x"], "there is no setting table; slu.eda knows data, experiment, manifest, source"),
        (["experiment=x", "+table.a=x"], "there is no setting table"),
    ):
        with pytest.raises(UserError, match=words):
            spelled_out(wrong, known)


def test_every_setting_is_one_of_training() -> None:
    decided = [
        "cross_validation=leave_one_speaker_out", "data.split.method=random", "data.split.val=0",
        "data.on_bad_audio=skip", "data.min_duration_s=0.2", "data.max_duration_s=1.4", "loss.class_weights=true",
        "features.f_max=4000", "model.normalise=tilt", "data.split.column=source_split",
    ]  # fmt: skip
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", ["data=manifest", "data.manifest=x.csv", *decided]))
    assert isinstance(config, dict)
    data = parse_settings(DataSettings, config["data"], "data")
    assert (data.split.method, data.split.val, data.max_duration_s) == ("random", 0, 1.4)
    assert np.isclose(config["features"]["f_max"], 4000)
