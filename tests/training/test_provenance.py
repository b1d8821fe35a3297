"""The record of what trained, by which a later test notices its own clips and people."""

import json

import pandas as pd

from slu.corpus.splits import speaker_hash
from slu.training.provenance import training_record

TABLE = pd.DataFrame(
    {
        "feature_path": [
            "/cache/c3/c3.npy",
            "/cache/a1/a1.npy",
            "/cache/b2/b2.npy",
            "/cache/a1/a1.npy",
            "/cache/d4/d4.npy",
        ],
        "speaker": ["budi", "ana", "ana", "ana", "citra"],
        "split": ["train", "train", "train", "train", "test"],
    }
)


def test_it_holds_hashes_of_what_trained_and_no_names() -> None:
    record = training_record(TABLE)
    assert record["clips"] == ["a1", "b2", "c3"]
    assert record["speakers"] == sorted([speaker_hash("ana"), speaker_hash("budi")])
    assert (record["split"], record["leaking_speakers"]) == ("speaker-disjoint", [])
    assert not {"ana", "budi", "citra"} & set(json.dumps(record).split('"'))


def test_leaking_speakers_are_named() -> None:
    record = training_record(TABLE.assign(speaker="ana"))
    assert record["split"].startswith("speakers leak: 1")
    assert record["leaking_speakers"] == ["ana"]


def test_without_speakers() -> None:
    record = training_record(TABLE.drop(columns="speaker"))
    assert (record["speakers"], record["split"]) == ([], "speakers unknown")
    unnamed = training_record(TABLE.assign(speaker=["", "", "", "", "citra"]))
    assert unnamed["speakers"] == []


def test_a_speaker_has_one_short_hash_everywhere() -> None:
    assert speaker_hash("ana") == speaker_hash("ana") != speaker_hash("Ana")
    assert len(speaker_hash("ana")) == 16


def test_clips_without_a_label_are_no_people() -> None:
    table = TABLE.assign(gender=["male", "", "female", "", "female"], speaker=["budi", "noise", "ana", "hum", "citra"])
    record = training_record(table, ["gender"])
    assert record["speakers"] == sorted([speaker_hash("ana"), speaker_hash("budi")])
    assert len(record["clips"]) == 3
