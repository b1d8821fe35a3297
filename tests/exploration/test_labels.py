"""Counts of what the tables say, checked against tables small enough to count by hand; leaks that were planted."""

from pathlib import Path

import pandas as pd

from slu.exploration.labels import common_sentences, count_heads, count_speakers, joint_table, other_columns
from slu.exploration.leakage import find_leaks, repeated_sentences
from tests.exploration.helpers import rows_of, tables_only

ROWS: list[dict[str, str]] = [
    {
        "file_name": "a",
        "word": "yes",
        "size": "1",
        "speaker": "ani",
        "split": "train",
        "text": "yes 1",
        "kind": "tts",
    },
    {"file_name": "b", "word": "yes", "size": "2", "speaker": "ani", "split": "test", "text": "yes 2", "kind": "tts"},
    {"file_name": "c", "word": "no", "size": "1", "speaker": "budi", "split": "train", "text": "no one", "kind": ""},
    {"file_name": "d", "word": "yes", "size": "", "speaker": "", "split": "train", "text": "yes 1", "kind": "mic"},
    {"file_name": "e", "word": "", "size": "10", "speaker": "ani", "split": "train", "text": "yes 1", "kind": "mic"},
]


def test_classes_by_split_and_speaker(tmp_path: Path) -> None:
    word, size = count_heads(tables_only(tmp_path, ROWS, ["word", "size"]))
    assert word.table.to_dict("index") == {
        "no": {"clips": 1, "train": 1, "test": 0, "speakers": 1},
        "yes": {"clips": 3, "train": 2, "test": 1, "speakers": 1},
    }
    assert (word.imbalance, word.empty, word.occurring) == (3.0, 1, 2)
    assert word.absent("test") == ["no"]
    assert word.absent("train") == []
    assert size.classes == ["1", "2", "10"]
    assert size.empty == 1


def test_one_class_has_no_balance_and_no_class_is_no_error(tmp_path: Path) -> None:
    rows = [{**row, "word": "yes", "size": ""} for row in ROWS]
    word, size = count_heads(tables_only(tmp_path, rows, ["word", "size"]))
    assert (word.imbalance, word.occurring) == (None, 1)
    assert (size.imbalance, size.occurring, size.empty) == (None, 0, 5)


def test_two_heads_together(tmp_path: Path) -> None:
    joint = joint_table(tables_only(tmp_path, ROWS, ["word", "size"]))
    assert joint is not None
    assert joint.to_dict("index") == {"no": {"1": 1, "2": 0, "10": 0}, "yes": {"1": 1, "2": 1, "10": 0}}
    assert joint_table(tables_only(tmp_path, ROWS, ["word"])) is None


def test_speakers_and_sentences(tmp_path: Path) -> None:
    dataset = tables_only(tmp_path, ROWS)
    speakers = count_speakers(dataset, pd.Series([60.0, 30.0, 6.0, 1.0, None], dtype=float))
    assert speakers.to_dict("index") == {
        "ani": {"clips": 3, "train": 2, "test": 1, "minutes": 1.5},
        "budi": {"clips": 1, "train": 1, "test": 0, "minutes": 0.1},
    }
    assert "minutes" not in count_speakers(dataset, pd.Series([None] * 5, dtype=float))
    assert common_sentences(dataset).iloc[0].to_dict() == {"clips": 3, "speakers": 1}


def test_a_column_that_tells_synthetic_from_recorded(tmp_path: Path) -> None:
    found = other_columns(tables_only(tmp_path, ROWS, ["word", "size"]))
    assert list(found) == ["kind"]
    assert found["kind"].loc["tts"].to_dict() == {"clips": 2, "train": 1, "test": 1}


def test_planted_leaks_are_named(tmp_path: Path) -> None:
    rows = rows_of(24, speakers=12, recording=[f"r{n:02d}" for n in range(24)])
    assert find_leaks(tables_only(tmp_path, rows), ["recording", "nowhere"]) == []
    rows[0]["split"], rows[1]["recording"] = "test", "r23"
    speaker, recording = find_leaks(tables_only(tmp_path, rows), ["recording", "nowhere"])
    assert speaker.sentence() == "1 of 12 speakers (s00) stands on more than one side of the split (train and test)"
    assert (speaker.values, speaker.clips) == (("s00",), 2)
    assert (recording.column, recording.values, recording.sides) == ("recording", ("r23",), ("train", "test"))


def test_no_split_and_no_speakers_leak_nothing(tmp_path: Path) -> None:
    rows = [{"file_name": row["file_name"], "word": row["word"]} for row in ROWS]
    dataset = tables_only(tmp_path, rows)
    assert find_leaks(dataset, ["recording"]) == []
    assert repeated_sentences(dataset) is None
    assert count_speakers(dataset, pd.Series([None] * 5, dtype=float)).empty


def test_sentences_that_a_speaker_says_again(tmp_path: Path) -> None:
    repeats = repeated_sentences(tables_only(tmp_path, ROWS))
    assert repeats is not None
    assert (repeats.sentences, repeats.clips, repeats.across, repeats.most) == (1, 2, 0, 2)
    rows = [{**row, "split": "test" if row["file_name"] == "e" else row["split"]} for row in ROWS]
    again = repeated_sentences(tables_only(tmp_path, rows))
    assert again is not None
    assert again.across == 1
