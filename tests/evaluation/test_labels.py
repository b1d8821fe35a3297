from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.corpus.labels import label_ids
from slu.evaluation.labels import read_labelled
from slu.spec import NOT_MENTIONED, Head
from tests.bundles.helpers import HEADS

CSV = "file_name,product,quantity\na.wav,tea,1\nb.wav,cola,2.0\nc.wav,cola,9\nd.wav,milk,\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "metadata.csv").write_text(CSV)
    return tmp_path / "metadata.csv"


def test_an_unknown_label_is_refused_by_line_with_the_cure(path: Path) -> None:
    with pytest.raises(UserError, match=r"metadata\.csv:3: column 'product': 'cola' .* on_unknown_label=skip"):
        read_labelled(path, HEADS, "error")


def test_skipping_leaves_out_the_label_and_counts_it(path: Path) -> None:
    manifest, unknown = read_labelled(path, HEADS, "skip")
    assert manifest.table["product"].tolist() == ["tea", "", "", "milk"]
    assert manifest.table["quantity"].tolist() == ["1", "2", "", ""]
    assert unknown == {"the model does not know product 'cola'": 2, "the model does not know quantity '9'": 1}


def test_nothing_but_unknown_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file_name,product\na.wav,cola\n")
    with pytest.raises(UserError, match="no label that the model knows"):
        read_labelled(tmp_path / "m.csv", HEADS, "skip")
    (tmp_path / "n.csv").write_text("file_name,drink\na.wav,cola\n")
    for how in ("error", "skip"):
        with pytest.raises(UserError, match="product"):
            read_labelled(tmp_path / "n.csv", HEADS, how)  # type: ignore[arg-type]


def test_an_unknown_label_is_not_taken_for_a_slot_that_was_left_out(path: Path) -> None:
    heads = (HEADS[0], Head("quantity", (NOT_MENTIONED, "1", "2")))
    manifest, unknown = read_labelled(path, heads, "skip")
    ids = label_ids(manifest.table, heads)
    assert ids["quantity"].tolist() == [1, 2, -1, 0]
    assert unknown["the model does not know quantity '9'"] == 1
