"""Manifests and sources are taken as they are: gaps are findings, mistakes are sentences."""

from pathlib import Path

import pandas as pd
import pytest

from slu.common.errors import UserError
from slu.corpus.clips import Clip, Reason, Rejection, Source
from slu.corpus.splits import SplitSettings
from slu.eda import load_dataset
from slu.exploration.dataset import from_manifest, from_spoken, with_spoken
from slu.exploration.sources import from_source
from slu.spec import NOT_MENTIONED, Head
from slu.training.settings import DataSettings
from tests.exploration.helpers import rows_of, tables_only, write_corpus


def manifest(folder: Path, text: str) -> Path:
    (folder / "metadata.csv").write_text(text)
    return folder / "metadata.csv"


def test_rows_heads_and_audio(tmp_path: Path) -> None:
    path = write_corpus(tmp_path, rows_of(12))
    (tmp_path / "audio" / "003.wav").unlink()
    dataset = from_manifest(path, ["word"])
    assert dataset.heads == {"word": ("yes",)} or dataset.heads == {"word": ("no", "yes")}
    assert [audio is None for audio in dataset.audio] == [row == 3 for row in range(12)]
    assert dataset.table["problem"].iloc[3] == f"missing audio: there is no {tmp_path / 'audio/003.wav'}"
    assert dataset.table["where"].iloc[4] == f"{path}:6 (audio/004.wav)"
    assert dataset.sides == ["train", "val", "test"]
    assert dataset.split_origin == "the column 'split'"
    assert len(dataset.speakers) == 12


@pytest.mark.parametrize(
    ("heads", "split", "words"),
    [
        (["nobody"], SplitSettings(), "has no column 'nobody'; its columns are file_name, word, speaker, split, fold"),
        ([], SplitSettings(), "no head is named; add data.heads="),
        (["speaker"], SplitSettings(), "'speaker' cannot be a head"),
        (["word"], SplitSettings(method="column", column="gone"), "has no column 'gone' for the split"),
        (
            ["word"],
            SplitSettings(method="column", column="fold"),
            "csv:3: column 'fold': '2' is not one of",
        ),
    ],
)
def test_mistakes_name_the_column_and_the_cure(
    tmp_path: Path, heads: list[str], split: SplitSettings, words: str
) -> None:
    path = write_corpus(tmp_path, rows_of(4, fold=("train", "2")))
    with pytest.raises(UserError, match=words):
        from_manifest(path, heads, split)


def test_the_short_form_is_not_ignored_where_nothing_spells_it_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="manifest= is for the command line"):
        load_dataset({"manifest": "x.csv"}, DataSettings("t", None, True, 0.1, 10.0, "error"), tmp_path)


def test_splits_of_their_own_by_any_column_and_drawn(tmp_path: Path) -> None:
    path = write_corpus(tmp_path, rows_of(24, own=("Training", "dev", "")))
    named = from_manifest(path, ["word"], SplitSettings(method="column", column="own"))
    assert named.sides == ["train", "val"]
    assert named.split_origin == "the column 'own'"
    assert named.split_problem.startswith("8 of 24 rows have no own: fill the column")
    drawn = from_manifest(path, ["word"], SplitSettings(method="speaker", seed=3))
    assert drawn.split_origin == "drawn by speaker (seed 3)"
    assert drawn.table.groupby("speaker")["split"].nunique().max() == 1


def test_without_split_and_too_few_speakers_there_is_none(tmp_path: Path) -> None:
    path = manifest(tmp_path, "file_name,word,speaker\na.wav,yes,ani\nb.wav,no,budi\n")
    dataset = from_manifest(path, ["word"])
    assert dataset.sides == []
    assert dataset.split_origin == ""
    assert "2 speakers, too few" in dataset.split_problem
    unknown = from_manifest(manifest(tmp_path, "file_name,word\na.wav,yes\nb.wav,no\n"), ["word"])
    assert (unknown.split_origin, unknown.split_problem, unknown.speakers) == ("", "", [])


def test_columns_of_the_table_never_hide_ours(tmp_path: Path) -> None:
    path = manifest(tmp_path, "file_name,word,where,problem\na.wav,1.0,kitchen,none\nb.wav,2,hall,none\n")
    dataset = from_manifest(path, ["word"])
    assert dataset.heads == {"word": ("1", "2")}
    assert dataset.table["where"].iloc[0] == f"{path}:2 (a.wav)"
    assert dataset.table["problem"].iloc[0].startswith("missing audio")


def test_one_label_and_no_label_are_taken(tmp_path: Path) -> None:
    dataset = from_manifest(manifest(tmp_path, "file_name,word,other\na.wav,yes,\nb.wav,yes,\n"), ["word", "other"])
    assert dataset.heads == {"word": ("yes",), "other": ()}


def test_synthetic_voices_train_along(tmp_path: Path) -> None:
    (tmp_path / "spoken").mkdir()
    recorded = tables_only(tmp_path, rows_of(4))
    spoken = tables_only(tmp_path / "spoken", rows_of(24))
    both = with_spoken(recorded, spoken)
    assert len(both.table) == 4 + 20
    assert len(both.audio) == len(both.table)
    assert len(both.people) == 4
    assert both.speakers == ["s00", "s01", "s02", "s03"]
    assert both.notes == ("20 clips are synthetic voices that train along (data.synthetic_speech=true).",)


def test_a_source_says_what_its_tables_give_away(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    (tmp_path / "one.wav").write_bytes(b"")
    problem = Reason("conflicting labels", "word is 'yes' (a.csv:4) but 'no' (b.csv:4)")
    clips = (
        Clip("one", {"word": "yes"}, "a.csv:2; b.csv:2", ("one.wav",), speaker="ani", split="train"),
        Clip("two", {"word": "no"}, "a.csv:3; a.csv:9", ("sub\\two.mp3",)),
        Clip("three", {"word": ""}, "a.csv:4; b.csv:4", ("three.wav",), problem=problem),
    )
    rejected = (Rejection("a.csv:5", "", Reason("bad row", "2 fields, the header has 9")),)
    dataset = from_source(Source(clips, tmp_path, (table, tmp_path / "b.csv"), 7, rejected), "shop", ["word"])
    assert [audio is not None for audio in dataset.audio] == [True, False, False]
    assert dataset.table["problem"].tolist() == ["", dataset.table["problem"].iloc[1], str(problem)]
    assert dataset.table["problem"].iloc[1].startswith("missing audio: no two")
    assert dataset.notes == (
        "7 rows of 2 tables describe 3 clips (3 clips in 2 rows); they were merged by clip.",
        "1 clip stands more than once in one and the same table.",
        "1 row is no clip, the first is a.csv:5: bad row: 2 fields, the header has 9.",
    )
    assert dataset.audio_cure == "source.audio=FOLDER"
    with pytest.raises(UserError, match="lists no clips"):
        from_source(Source((), tmp_path, (table,), 0), "shop", ["word"])


def test_a_spreadsheet_row_is_counted_from_its_file(tmp_path: Path) -> None:
    path = write_corpus(tmp_path, rows_of(3))
    table = pd.read_csv(path, dtype=str)
    path.write_text(table.to_csv(index=False).replace("\naudio/001", "\n,,,\naudio/001"))
    assert from_manifest(path, ["word"]).table["where"].iloc[1] == f"{path}:4 (audio/001.wav)"


def test_slots_that_were_left_out_are_a_class_and_no_gap(tmp_path: Path) -> None:
    heads = (Head("drink", ("tea", "coffee")), Head("size", (NOT_MENTIONED, "small", "large")))
    path = manifest(tmp_path, "file_name,drink,size\n0.wav,tea,\n1.wav,coffee,large\n2.wav,,\n")
    for dataset in (from_spoken(path, "drinks", heads), from_manifest(path, ["drink", "size"], menu=heads)):
        assert dataset.table["size"].tolist() == ["not mentioned", "large", ""]
    assert from_spoken(path, "drinks", heads).heads["size"] == ("not mentioned", "small", "large")
