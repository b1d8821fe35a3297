"""Folders of recordings as sources: with a table, or with one sub-folder per class."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.corpus.folders import read_class_folders, read_table
from slu.corpus.ingest_settings import IngestSettings
from slu.corpus.ingested import ensure_ingested
from slu.corpus.manifest import read_manifest


def tone(path: Path, hz: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(4800) / 8000), 8000)


def test_a_table_keeps_its_columns(tmp_path: Path) -> None:
    for number in (1, 2):
        tone(tmp_path / "in" / f"good{number}.wav", hz=400 * number)
    (tmp_path / "in" / "metadata.csv").write_text(
        "file_name,product,quantity,speaker,split,room\ngood1.wav,teh,1.0,a,dev,hall\ngood2.wav,kopi,2,b,train,\n"
    )
    source = read_table({"path": tmp_path / "in" / "metadata.csv"}, ("product", "quantity"))
    corpus, _ = ensure_ingested(source, IngestSettings("shop", ("product", "quantity")), tmp_path / "out")
    table = read_manifest(corpus / "metadata.csv").table
    assert table["quantity"].tolist() == ["1", "2"]
    assert table["split"].tolist() == ["val", "train"]
    assert table["room"].tolist() == ["hall", ""]
    assert table["source"].tolist() == ["metadata.csv:2", "metadata.csv:3"]


def test_tables_that_cannot_be_used(tmp_path: Path) -> None:
    table = tmp_path / "metadata.csv"
    table.write_text("file_name,product\na.wav,teh\n/etc/b.wav,kopi\n")
    with pytest.raises(UserError, match=r"metadata.csv:3: .* outside the manifest's folder"):
        read_table({"path": table}, ("product",))
    table.write_text("file_name,product\na.wav,teh\n")
    with pytest.raises(UserError, match=r"no column 'quantity'; its columns are file_name, product; set heads="):
        read_table({"path": table}, ("product", "quantity"))


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for number, name in enumerate(
        ("cewe/ana_1.wav", "cewe/sub/ana_2.mp3", "cowo/budi_1.wav", "cowo/budi.wav", "x.wav")
    ):
        tone(folder / name, hz=300 + 40 * number)
    (folder / "cewe" / "._ana_1.wav").touch()
    (folder / "cewe" / "notes.txt").touch()
    return folder


def test_class_folders(tmp_path: Path, voices: Path) -> None:
    values = {"folder": voices, "head": "gender", "classes": {"cewe": "female"}, "speaker_pattern": "^([^_]+)_"}
    corpus, _ = ensure_ingested(
        read_class_folders(values, ["gender"]), IngestSettings("voices", ("gender",)), tmp_path / "out"
    )
    table = read_manifest(corpus / "metadata.csv").table
    assert table["gender"].tolist() == ["female", "female", "cowo"]
    assert table["speaker"].tolist() == ["ana", "ana", "budi"]
    with (corpus / "rejected.csv").open(newline="") as file:
        reasons = {row["file"]: row["reason"].partition(":")[0] for row in csv.DictReader(file)}
    assert reasons == {"cowo/budi.wav": "no speaker", "x.wav": "no label"}


def test_unknown_speakers_have_no_column(tmp_path: Path, voices: Path) -> None:
    source = read_class_folders({"folder": voices, "head": "gender", "speaker_pattern": None}, ["gender"])
    corpus, _ = ensure_ingested(source, IngestSettings("voices", ("gender",)), tmp_path / "out")
    table = read_manifest(corpus / "metadata.csv").table
    assert list(table.columns) == ["file_name", "gender", "source"]
    assert len(table) == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": {"pria": "male"}}, r"names 'pria', but .* \(it has cewe, cowo\)"),
        ({"speaker_pattern": "("}, "is not a regular expression"),
        ({"speaker_pattern": "^a"}, "needs a group"),
        ({"head": "age"}, "name it with source.head"),
    ],
)
def test_folder_settings_that_do_not_fit(voices: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_class_folders({"folder": voices, "head": "gender", **changes}, ["gender"])
