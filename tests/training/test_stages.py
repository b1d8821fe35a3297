"""The stages before training: which data a configuration means, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile as sf
import yaml

from slu.common.errors import UserError
from slu.training.stages import load_data, prepare, require_examples, require_splits
from tests.conftest import RATE, ROOT, tone
from tests.training.test_preprocessing import LOGMEL


def group(name: str) -> dict[str, Any]:
    settings = dict(yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text()))
    settings.pop("defaults", None)  # Hydra's
    return settings


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """Digits: twelve recordings of two people, and a small synthesised corpus."""
    (tmp_path / "mine").mkdir()
    rows = []
    for index in range(12):
        sf.write(tmp_path / "mine" / f"{index}.wav", tone(300 + 20 * index), RATE)
        rows.append({"file_name": f"{index}.wav", "digit": str(index % 10), "speaker": f"p{index % 2}"})
    pd.DataFrame(rows).to_csv(tmp_path / "mine/metadata.csv", index=False)
    voices = {**group("voices/espeak"), "speakers": {"train": 4, "val": 2, "test": 2}}
    data = {**group("data/manifest"), "manifest": str(tmp_path / "mine/metadata.csv"), "task": "digits"}
    return {
        "menu": group("menu/digits_en"),
        "voices": voices,
        "synthesis": {**group("synthesis/espeak"), "counts": {"train": 20, "val": 4, "test": 4}},
        "data": {**data, "heads": ["digit"], "label_maps": {}, "split": {"method": "random", "val": 0.2, "test": 0.2}},
        "features": LOGMEL,
        "workers": 1,
        "min_confidence": 0.5,
    }


def test_recordings_alone(settings: dict[str, Any], tmp_path: Path) -> None:
    manifest, spec = load_data(settings, tmp_path / "out")
    assert len(manifest.table) == 12
    assert spec.heads[0].classes == tuple("0123456789")
    assert not (tmp_path / "out/corpus").exists()


def test_synthetic_voices_train_along_and_never_test(settings: dict[str, Any], tmp_path: Path) -> None:
    settings["data"]["synthetic_speech"] = True
    data = prepare(settings, tmp_path / "out")
    table = data.features.table
    spoken = table[table["synthetic"] == "yes"]
    assert len(spoken) == 20
    assert set(spoken["split"]) == {"train"}
    assert set(table[table["synthetic"] == ""]["split"]) == {"train", "val", "test"}
    assert table["file_name"].map(lambda name: Path(name).is_file()).all()


@pytest.mark.parametrize(("val", "expected"), [(0.15, {"train", "val"}), (0.0, {"train"})])
def test_synthetic_voices_validate_where_no_recording_does(
    settings: dict[str, Any], tmp_path: Path, val: float, expected: set[str]
) -> None:
    path = tmp_path / "mine/metadata.csv"
    sides = [*["train"] * 8, *["test"] * 4]
    pd.read_csv(path, dtype=str).assign(split=sides).to_csv(path, index=False)
    settings["data"].update(synthetic_speech=True, split={"method": "auto", "val": val})
    table = load_data(settings, tmp_path / "out")[0].table
    assert set(table[table["synthetic"] == "yes"]["split"]) == expected
    assert set(table[table["synthetic"] == ""]["split"]) == {"train", "test"}


def test_a_label_that_the_menu_does_not_have_is_named(settings: dict[str, Any], tmp_path: Path) -> None:
    settings["data"]["synthetic_speech"] = True
    path = Path(settings["data"]["manifest"])
    path.write_text(path.read_text().replace("3.wav,3,", "3.wav,eleven,"))
    with pytest.raises(UserError, match=r"metadata\.csv:5: column 'digit': 'eleven' is not one of the classes"):
        load_data(settings, tmp_path / "out")


def test_the_corpus_is_spoken_once_and_again_when_the_menu_changes(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings["data"].update(manifest=None, synthetic_speech=True)
    load_data(settings, tmp_path)
    load_data(settings, tmp_path)
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "corpus: spoken now",
        "corpus: up to date",
    ]
    settings["menu"]["carriers"] = ["{digit}", "{digit} please"]
    load_data(settings, tmp_path)
    assert "spoken now" in capsys.readouterr().out


def test_the_data_hash_follows_labels_and_audio(settings: dict[str, Any], tmp_path: Path) -> None:
    before = prepare(settings, tmp_path / "out").data_hash
    assert prepare({**settings, "features": {**LOGMEL, "n_mels": 24}}, tmp_path / "out").data_hash == before
    sf.write(tmp_path / "mine/0.wav", tone(999), RATE)
    assert prepare(settings, tmp_path / "out").data_hash != before


def test_missing_data_and_bad_features_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"features: .*n_fft"):
        load_data({**settings, "features": {**LOGMEL, "n_fft": 100}}, tmp_path)
    settings["data"]["manifest"] = None
    with pytest.raises(UserError, match=r"data\.manifest=path"):
        load_data(settings, tmp_path)


def test_empty_splits_and_untrained_classes(settings: dict[str, Any], tmp_path: Path) -> None:
    manifest, spec = load_data(settings, tmp_path)
    with pytest.raises(UserError, match="the val split is empty"):
        require_examples(manifest.table.assign(split="train"), spec, ("train", "val"), "here")
    table = manifest.table.assign(split="train")
    with pytest.raises(UserError, match="'7' of head 'digit' has no training example"):
        require_examples(table[table["digit"] != "7"], spec, ("train",), "here")


def test_a_split_column_of_another_name_without_validation(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(settings["data"]["manifest"])
    table = pd.concat([pd.read_csv(path, dtype=str)] * 2, ignore_index=True)
    table["file_name"] = [f"{i}.wav" for i in range(24)]
    for index in range(12, 24):
        sf.write(path.parent / f"{index}.wav", tone(300 + 20 * index), RATE)
    table.assign(usual=["Training"] * 12 + ["eval"] * 12).to_csv(path, index=False)
    settings["data"]["split"] = {"column": "usual", "val": 0.15}
    with pytest.raises(UserError, match=r"metadata\.csv: the val split is empty; .*data\.split\.val=0"):
        require_splits(prepare(settings, tmp_path / "out"), settings)
    settings["data"]["split"]["val"] = 0
    data = prepare(settings, tmp_path / "out")
    assert data.features.table["split"].value_counts().to_dict() == {"train": 12, "test": 12}
    capsys.readouterr()
    require_splits(data, settings)
    assert "validation: none (data.split.val=0); the last epoch is kept" in capsys.readouterr().out
    settings["data"]["split"]["column"] = "usuall"
    with pytest.raises(UserError, match=r"has no usuall column.*correct data\.split\.column"):
        prepare(settings, tmp_path / "out")


def test_splits_are_of_recordings_and_their_segments_follow(settings: dict[str, Any], tmp_path: Path) -> None:
    before = prepare(settings, tmp_path / "out")
    settings["data"]["segment_s"] = 0.2
    data = prepare(settings, tmp_path / "out")
    assert (data.spec.segment_s, len(data.manifest.table)) == (0.2, 12)
    assert len(data.features.table) > 12
    assert data.features.table.groupby("recording")["split"].nunique().max() == 1
    splits = [p.manifest.table.set_index("file_name")["split"] for p in (before, data)]
    pd.testing.assert_series_equal(*splits)
    assert data.data_hash not in (before.data_hash, "")
    settings["data"]["segment_overlap_s"] = 0.2
    with pytest.raises(UserError, match=r"data: task 'digits': segments of 0.2 s cannot overlap by 0.2 s"):
        load_data(settings, tmp_path / "out")


def test_the_features_say_what_they_hold(settings: dict[str, Any], tmp_path: Path) -> None:
    data = prepare(settings, tmp_path / "out")
    facts = json.loads((data.features.path.parent / "metadata.json").read_text())
    assert (facts["clips"], facts["speakers"], facts["clips_per_speaker"]) == (12, 2, {"p0": 6, "p1": 6})
    assert facts["content_hash"] == data.data_hash
    assert facts["settings"]["front_end"] == LOGMEL
    assert facts["settings"]["split"]["method"] == "random"
    assert facts["split"].startswith("speakers leak: 2")
    assert sum(facts["clips_per_split"].values()) == 12
