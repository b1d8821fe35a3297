"""Empty cells: not mentioned where the head has that class and the row is labelled, otherwise no label."""

from pathlib import Path

import pandas as pd
import pytest

from slu.common.errors import UserError
from slu.corpus.labels import NO_LABEL, fully_labelled, label_ids
from slu.corpus.manifest import read_manifest
from slu.spec import NOT_MENTIONED, Head

HEADS = (Head("drink", ("tea", "coffee")), Head("size", (NOT_MENTIONED, "small", "large")), Head("milk", ("", "milk")))
CSV = """file_name,drink,size,milk
0.wav,tea,,milk
1.wav,coffee,large,
2.wav,,,
3.wav,,small,
"""


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "metadata.csv").write_text(CSV)
    return read_manifest(tmp_path / "metadata.csv", HEADS).table


def test_empty_cells(table: pd.DataFrame) -> None:
    ids = {name: values.tolist() for name, values in label_ids(table, HEADS).items()}
    assert ids == {"drink": [0, 1, -1, -1], "size": [0, 2, -1, 1], "milk": [1, 0, -1, 0]}
    assert fully_labelled(table, HEADS).tolist() == [True, True, False, False]
    assert fully_labelled(table, HEADS, ["size"]).tolist() == [True, True, False, True]


def test_a_head_without_a_column_has_no_labels(table: pd.DataFrame) -> None:
    ids = label_ids(table.drop(columns=["size", "drink"]), HEADS)
    assert set(ids["size"]) == set(ids["drink"]) == {NO_LABEL}
    assert ids["milk"].tolist() == [1, -1, -1, -1]


def test_without_the_class_an_empty_cell_is_no_label(table: pd.DataFrame) -> None:
    ids = label_ids(table, (HEADS[0], Head("size", ("small", "large"))))
    assert ids["size"].tolist() == [-1, 1, -1, 0]


def test_a_wrong_label_is_told_the_classes_by_name(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text(CSV.replace("large", "huge"))
    with pytest.raises(
        UserError, match=r"metadata\.csv:3: column 'size': 'huge' is not one of the classes small, large$"
    ):
        read_manifest(tmp_path / "metadata.csv", HEADS)
