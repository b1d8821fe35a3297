"""The manifest: every bad row is named by file and line, and good ones are read as people mean them."""

from pathlib import Path

import pandas as pd
import pytest

from slu.common.errors import UserError
from slu.corpus.manifest import Manifest, infer_heads, normalise_label, read_manifest, write_manifest
from slu.spec import Head

HEADS = (Head("product", ("tea", "coffee")), Head("quantity", ("1", "2"), "qty"))
HEADER = "file_name,product,quantity,speaker,split\n"


def read(folder: Path, text: str | bytes, **options: bool) -> Manifest:
    path = folder / "metadata.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_manifest(path, HEADS, **options)


def test_a_good_table(tmp_path: Path) -> None:
    manifest = read(tmp_path, HEADER + 'audio/a.wav,tea,1,ana,train\n"b, c.wav",coffee,2,budi,test\n')
    assert manifest.table.to_dict("records") == [
        {"file_name": "audio/a.wav", "product": "tea", "quantity": "1", "speaker": "ana", "split": "train"},
        {"file_name": "b, c.wav", "product": "coffee", "quantity": "2", "speaker": "budi", "split": "test"},
    ]
    assert manifest.audio_path(1) == tmp_path / "b, c.wav"
    assert manifest.where(1) == f"{tmp_path}/metadata.csv:3 (b, c.wav)"


def test_what_spreadsheets_do(tmp_path: Path) -> None:
    """A byte-order mark, CRLF, 1.0 for 1, stray spaces, words like NA, and blank lines."""
    text = "\ufeff" + HEADER + "a.wav, tea ,1.0,NA,train\n\nb.wav,coffee,2.00,None,train\n\n"
    manifest = read(tmp_path, text.replace("\n", "\r\n"))
    assert manifest.table["product"].tolist() == ["tea", "coffee"]
    assert manifest.table["quantity"].tolist() == ["1", "2"]
    assert manifest.table["speaker"].tolist() == ["NA", "None"]
    assert manifest.where(1).endswith("metadata.csv:4 (b.wav)")


def test_tables_of_windows_and_of_places_with_a_decimal_comma(tmp_path: Path) -> None:
    """Backslashes between folders, `;` between fields, headings in capitals."""
    plain = read(tmp_path, HEADER + 'my clips/a/1.wav,tea,1,"ana, b",train\nb.wav,coffee,2,budi,test\n').table
    rows = "my clips\\a\\1.wav;tea;1;ana, b;train\r\nb.wav;coffee;2;budi;test\r\n"
    meant = read(tmp_path, HEADER.upper().replace(",", ";") + rows).table
    pd.testing.assert_frame_equal(meant, plain)
    with pytest.raises(UserError, match=r"row \(lines 2 and 3\)"):
        read(tmp_path, HEADER + "a/1.wav,tea,1,ana,train\na\\1.wav,tea,1,ana,train\n")


@pytest.mark.parametrize(
    ("header", "labels", "expected"),
    [
        ("FILE_NAME,PRODUCT,SPEAKER,Split", [], ["file_name", "product", "speaker", "split"]),
        ("File_Name , coffeedrink,b,c", ["coffeeDrink"], ["file_name", "coffeeDrink", "b", "c"]),
        ("file_name,PRODUCT,Speaker,Split", ["product"], ["file_name", "product", "speaker", "Split"]),
        ("file_name,Size,size,c", ["size"], ["file_name", "Size", "size", "c"]),
        ("file_name,Size,SIZE,c", ["size"], ["file_name", "Size", "SIZE", "c"]),  # either may be meant
        ("file_name,size,b,c", ["size", "Size"], ["file_name", "size", "b", "c"]),
        ("FILE_NAME,Tea,tea,c", [], ["file_name", "Tea", "tea", "c"]),
    ],
)
def test_headings_in_another_case(tmp_path: Path, header: str, labels: list[str], expected: list[str]) -> None:
    (tmp_path / "m.csv").write_text(f"{header}\na.wav,x,y,test\n")
    assert list(read_manifest(tmp_path / "m.csv", labels=labels).table.columns) == expected


def test_labels_may_be_missing(tmp_path: Path) -> None:
    manifest = read(tmp_path, "file_name,product,quantity\na.wav,,1\nb.wav,tea\n")
    assert manifest.table["product"].tolist() == ["", "tea"]
    assert manifest.table["quantity"].tolist() == ["1", ""]
    partly = read(tmp_path, "file_name,product\na.wav,tea\n", require_heads=False)
    assert list(partly.table.columns) == ["file_name", "product"]


def test_speakers_are_trimmed(tmp_path: Path) -> None:
    manifest = read(tmp_path, HEADER + "a.wav,tea,1,budi,train\nb.wav,tea,1,budi ,test\nc.wav,tea,1,  ,test\n")
    assert manifest.table["speaker"].tolist() == ["budi", "budi", ""]


def test_split_aliases(tmp_path: Path) -> None:
    names = ["train", "Training", " dev ", "VALID", "validation", "eval", "test", ""]
    rows = "".join(f"{i}.wav,tea,1,s,{name}\n" for i, name in enumerate(names))
    assert read(tmp_path, HEADER + rows).table["split"].tolist() == [
        "train", "train", "val", "val", "val", "test", "test", ""
    ]  # fmt: skip


ROW = "a.wav,tea,1,ana,train\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "metadata.csv is empty"),
        ("file_name;product;quantity\na.wav;tea;1,5\n", ":2: column 'quantity': '1,5' is not one of the classes 1, 2"),
        (HEADER, "has no rows"),
        (HEADER + "\n\n", "has no rows"),
        (b"\xff\xfe\x00\x01", "is not in UTF-8; save it as 'CSV UTF-8'"),
        (HEADER.encode() + b"a.wav,caf\xe9,1,ana,train\n", "is not in UTF-8; save it as 'CSV UTF-8'"),
        (HEADER + ROW + "b.wav,tea,1,ana,train,extra\n", "is not a CSV table: .*line 3"),
        (HEADER + "a.wav,tea,1,ana,train,extra\n", "rows with more fields than its header"),
        ("clip,size\na.wav,big\n", "has no columns 'file_name', 'product', 'quantity'; its columns are clip, size"),
        ("product,quantity\ntea,1\n", "has no column 'file_name'; its columns are product, quantity"),
        (
            "file_name,product\na.wav,tea\n",
            r"has no column 'quantity'; its columns are file_name, product, .*\(product",
        ),
        (HEADER + ROW + "b.wav,milk,1,ana,train\n", ":3: column 'product': 'milk' is not one of the classes tea, cof"),
        (HEADER + ROW + "b.wav,tea,1.5,ana,train\n", ":3: column 'quantity': '1.5' is not one of the classes 1, 2"),
        (HEADER + ROW + "\nb.wav,milk,1,ana,train\n", ":4: column 'product': 'milk'"),
        (HEADER + ROW + "b.wav,tea,1,ana,later\n", ":3: column 'split': 'later' is not one of train, val, test"),
        (HEADER + ROW + "b" + ROW + ROW, r":2: .* 'a.wav' stands in more than one row \(lines 2 and 4\)$"),
        (HEADER + ROW + ROW + ",tea,1,ana,train\n", r"row \(lines 2 and 3\) \(and 1 more bad rows\)$"),
        (HEADER + ",tea,1,ana,train\n", ":2: column 'file_name': '' is empty"),
        (HEADER + "x.wav,milk,9,ana,soon\ny.wav,milk,1,ana,train\n", r"metadata.csv:2: .*\(and 1 more bad rows\)"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/metadata.csv")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../a.wav", "audio/../../a.wav", "..", r"C:\clips\a.wav", "C:/a.wav", r"..\a.wav"]
)
def test_paths_outside_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"metadata.csv:3: .* is a path outside the manifest's folder"):
        read(tmp_path, HEADER + ROW + f"{name},tea,1,ana,train\n")


def test_names_that_only_look_like_paths_outside(tmp_path: Path) -> None:
    names = ["..a.wav", "a..b/c.wav", "ab:c.wav"]
    rows = "".join(f"{name},tea,1,ana,train\n" for name in names)
    assert read(tmp_path, HEADER + rows).table["file_name"].tolist() == names


def test_a_class_that_is_called_unique(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,kind\na.wav,other\n")
    with pytest.raises(UserError, match="'other' is not one of the classes unique, common"):
        read_manifest(tmp_path / "metadata.csv", [Head("kind", ("unique", "common"))])


@pytest.mark.parametrize("between", [",", ";"])
def test_a_heading_that_stands_there_twice(tmp_path: Path, between: str) -> None:
    """The second was read as a column of another name, and its labels as nothing."""
    text = "file_name,word,word\na.wav,ja,nein\n".replace(",", between)
    with pytest.raises(UserError, match=r"metadata\.csv has two columns 'word'"):
        read(tmp_path, text)


def test_one_file_under_two_spellings_of_its_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'audio/a\.wav' stands in more than one row"):
        read(tmp_path, "file_name,product,quantity\naudio/a.wav,tea,1\naudio/./a.wav,tea,2\n")


def test_files_that_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no manifest at .*nowhere.csv"):
        read_manifest(tmp_path / "nowhere.csv")
    with pytest.raises(UserError, match=r"is a folder; name the CSV in it"):
        read_manifest(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,size\na.wav,big\n")
    with pytest.raises(UserError, match="has no columns 'product', 'quantity'; its columns are file_name"):
        read_manifest(tmp_path / "metadata.csv", HEADS, require_heads=False)


def test_a_written_table_reads_back(tmp_path: Path) -> None:
    table = read(tmp_path, HEADER + 'a.wav,tea,1,"de, Boer",train\n').table
    write_manifest(tmp_path / "new" / "metadata.csv", table)
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "new" / "metadata.csv", HEADS).table, table)


def test_heads_are_inferred_in_natural_order(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file_name,n,word,same\na,10,tea,x\nb,9.0,Air,x\nc,-1,,x\nd,9,tea,\n")
    manifest = read_manifest(tmp_path / "m.csv")
    n, word = infer_heads(manifest, ["n", "word"], {"n": "qty"})
    assert (n.classes, n.label_map) == (("-1", "9", "10"), "qty")
    assert (word.classes, word.label_map) == (("Air", "tea"), "word")
    with pytest.raises(UserError, match="no column 'size' for the head of that name; its columns are file_name, n"):
        infer_heads(manifest, ["size"])
    with pytest.raises(UserError, match="no columns 'size', 'kind' for the heads of those names; its columns are file"):
        infer_heads(manifest, ["n", "size", "kind"])
    with pytest.raises(UserError, match=r"column 'same' needs at least two different labels, it has \['x'\]"):
        infer_heads(manifest, ["same"])
    with pytest.raises(UserError, match=r"m.csv: head 'n': its label map cannot be called '../x'"):
        infer_heads(manifest, ["n"], {"n": "../x"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.0", "1"), (" 2.00 ", "2"), ("1.5", "1.5"), ("10", "10"), ("1.0.0", "1.0.0"), ("teh 1.0", "teh 1.0"), ("", "")],
)
def test_normalise_label(value: str, expected: str) -> None:
    assert normalise_label(value) == expected
