"""The owners' tables: every way in which they disagree about one clip."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from slu.common.errors import UserError
from slu.corpus.clips import Clip, Source
from slu.corpus.indonesian import parse_order, read_number
from slu.corpus.retail_tables import read_retail

ROOT = Path(__file__).parents[2]
OWNERS = ROOT.parent / "shared" / "data" / "retail_sources"
HEADS = ("product", "quantity")
BY_HAND, GOOGLE, SPLIT = "label_final_revisi-manual.csv", "metadata-google-tts.csv", "metadata-google-tts-split.csv"


def read(folder: Path, **changes: Any) -> Source:
    settings = yaml.safe_load((ROOT / "conf" / "source" / "retail.yaml").read_text())["source"]
    del settings["kind"]
    return read_retail({**settings, "folder": folder, **changes}, HEADS)


def only(source: Source) -> Clip:
    assert len(source.clips) == 1
    assert not source.rejected
    return source.clips[0]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """One clip, described in three ways that agree."""
    (tmp_path / BY_HAND).write_text(
        "\ufefffile_audio,kalimat,tipe\nsynt_001.wav,catat lima air mineral,synt\n", "utf-8"
    )
    (tmp_path / GOOGLE).write_text(
        "file_audio,source_file,kalimat,produk,quantity,tipe,speaker\n"
        "TTS Google/synt_001.mp3,synt_001.wav,catat 5 air mineral,Air Mineral,5,synt,tts_google\n"
    )
    (tmp_path / SPLIT).write_text(
        "file_path,source_file,kalimat,product_id,quantity,speaker,file_path_abs,duration,split\n"
        r"TTS Google\synt_001.mp3,SYNT_001.wav,catat 5 air mineral,air_mineral,5.0,tts_google,M:\P\synt_001.mp3,,val"
        "\n"
    )
    return tmp_path


def test_three_tables_give_one_clip(tables: Path) -> None:
    source = read(tables)
    clip = only(source)
    assert clip.problem is None
    assert clip.labels == {"product": "air mineral", "quantity": "5"}
    assert (clip.speaker, clip.split, clip.text) == ("tts_google", "val", "catat 5 air mineral")
    assert clip.source == f"{SPLIT}:2; {GOOGLE}:2; {BY_HAND}:2"
    assert clip.paths[0] == r"TTS Google\synt_001.mp3"
    assert {"TTS Google/synt_001.mp3", "synt_001.wav", r"M:\P\synt_001.mp3"} < set(clip.paths)
    assert clip.extra == {"tipe": "synt"}
    assert (source.rows, [table.name for table in source.tables]) == (3, [SPLIT, GOOGLE, BY_HAND])


@pytest.mark.parametrize("kept", [BY_HAND, GOOGLE, SPLIT])
def test_any_single_table_is_enough(tables: Path, kept: str) -> None:
    for name in {BY_HAND, GOOGLE, SPLIT} - {kept}:
        (tables / name).unlink()
    assert only(read(tables)).labels == {"product": "air mineral", "quantity": "5"}


def test_no_table_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"holds none of {SPLIT}"):
        read(tmp_path)
    with pytest.raises(UserError, match=r"there is no folder .*correct source\.folder"):
        read(tmp_path / "nowhere")


def test_files_in_conflict_are_named_with_their_rows(tables: Path) -> None:
    (tables / BY_HAND).write_text("file_audio,kalimat\n\nsynt_001.wav,catat 5 telur\n")
    problem = only(read(tables)).problem
    assert str(problem) == (
        f"conflicting labels: product is 'air mineral' ({SPLIT}:2 product_id) but 'telur' ({BY_HAND}:3 kalimat "
        "'catat 5 telur')"
    )


def test_column_in_conflict_with_its_own_sentence(tmp_path: Path) -> None:
    (tmp_path / GOOGLE).write_text("source_file,kalimat,produk,quantity\na.wav,catat 2 teh,teh,3\n")
    problem = only(read(tmp_path)).problem
    assert problem is not None
    assert problem.kind == "conflicting labels"
    assert f"'3' ({GOOGLE}:2 quantity) but '2' ({GOOGLE}:2 kalimat" in problem.detail


@pytest.mark.parametrize(
    ("cells", "kind", "words"),
    [
        ("a.wav,teh,many,s,train", "bad label", "quantity 'many'"),
        ("a.wav,teh,2,s,holdout", "bad label", "split 'holdout'"),
        ("a.wav,teh,2,s,train\na.mp3,teh,2,t,train", "conflicting labels", "speaker is 's'"),
    ],
)
def test_values_that_cannot_be_used(tmp_path: Path, cells: str, kind: str, words: str) -> None:
    (tmp_path / SPLIT).write_text(f"source_file,product_id,quantity,speaker,split\n{cells}\n")
    problem = only(read(tmp_path)).problem
    assert problem is not None
    assert problem.kind == kind
    assert words in problem.detail
    assert f"{SPLIT}:2" in problem.detail


def test_repeated_rows_and_rows_without_a_clip(tmp_path: Path) -> None:
    (tmp_path / GOOGLE).write_text("source_file,produk,quantity\nb.wav,teh,1\nb.wav,teh,1\n,kopi,2\nc.wav,kopi,1,2\n")
    source = read(tmp_path)
    assert [clip.key for clip in source.clips] == ["b"]
    assert [(r.source, r.reason.kind) for r in source.rejected] == [
        (f"{GOOGLE}:4", "bad row"),
        (f"{GOOGLE}:5", "bad row"),
    ]


def test_clips_come_in_natural_order(tmp_path: Path) -> None:
    (tmp_path / GOOGLE).write_text("source_file,produk,quantity\ns_10.wav,teh,1\ns_9.wav,teh,1\n")
    assert [clip.key for clip in read(tmp_path).clips] == ["s_9", "s_10"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,kalimat\nx,catat 1 teh\n", "csv:1: no column names the clips"),
        (b"source_file;kalimat\nx;catat 1 teh\n", "comma-separated"),
        (b"source_file,kalimat\nx,\xff\n", "is not in UTF-8"),
        (b'source_file,kalimat\nx,"catat 1 teh\n', r"csv:\d: unexpected end"),
    ],
)
def test_files_that_are_no_such_table(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / GOOGLE).write_bytes(content)
    with pytest.raises(UserError, match=words):
        read(tmp_path)


def test_heads_need_columns(tables: Path) -> None:
    with pytest.raises(UserError, match=r"no columns for the head 'quantity'"):
        read(tables, label_columns={"product": ["produk"]})


@pytest.mark.parametrize(
    ("sentence", "product", "quantity"),
    [
        ("catat 5 telur", "telur", "5"),
        ("Catat DUA air  mineral.", "air mineral", "2"),
        ("catat telur satu", "telur", "1"),
        ("catat telur", "telur", ""),
        ("catat 2 atau 3 telur", "", ""),
        ("", "", ""),
    ],
)
def test_sentences(sentence: str, product: str, quantity: str) -> None:
    assert parse_order(sentence, ["catat"]) == {"product": product, "quantity": quantity}


def test_numbers() -> None:
    assert [read_number(text) for text in ("5", "5.0", "05", "Lima", "0", "5.5", "telur", "")] == [
        *("5", "5", "5", "5", "0"),
        *("", "", ""),
    ]


@pytest.mark.skipif(not OWNERS.is_dir(), reason=f"the owners' tables are not at {OWNERS}")
def test_the_owners_tables() -> None:
    source = read(OWNERS)
    assert (source.rows, len(source.clips), len(source.rejected)) == (3000, 1000, 0)
    assert not [clip for clip in source.clips if clip.problem]
    assert {clip.labels["quantity"] for clip in source.clips} == {"1", "2", "3", "4", "5"}
    assert len({clip.labels["product"] for clip in source.clips}) == 10
    assert all(clip.speaker and clip.split and clip.text for clip in source.clips)
