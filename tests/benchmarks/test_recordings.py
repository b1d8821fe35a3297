"""Public recordings in their owners' layouts, and folds of what sounds alike."""

from pathlib import Path

import pandas as pd
import pytest
import soundfile as sf

from slu.benchmarks.folds import group_folds
from slu.benchmarks.recordings import BARISTA, DIGITS_ID, FSDD, open_recordings
from slu.common.errors import UserError
from slu.corpus.manifest import read_manifest
from tests.benchmarks.helpers import coffee_orders
from tests.conftest import RATE, tone


def test_the_coffee_orders_as_their_owners_lay_them_out(tmp_path: Path) -> None:
    folder = coffee_orders(tmp_path / "repository")
    found = open_recordings(BARISTA, str(folder), tmp_path / "work")
    manifest = read_manifest(found.manifest)
    assert manifest.table["coffeeDrink"].tolist() == ["latte", "mocha", "latte", "tea"], "whoever has label and audio"
    assert manifest.table["milkAmount"].tolist() == ["", "", "milk", ""], "an absent slot is an empty cell"
    assert [path.stem for path in found.noises] == ["cafe", "kitchen"]
    assert manifest.audio_path(0).is_file()
    assert open_recordings(BARISTA, str(folder / "data"), tmp_path / "work").manifest == found.manifest
    assert sorted(path.name for path in folder.iterdir()) == ["data"], "nothing is written beside the recordings"


def test_the_free_digits_as_their_owners_lay_them_out(tmp_path: Path) -> None:
    (tmp_path / "fsdd" / "recordings").mkdir(parents=True)
    for name in ("7_theo_3", "0_george_12", "notes"):
        sf.write(tmp_path / "fsdd" / "recordings" / f"{name}.wav", tone(300), RATE)
    table = read_manifest(open_recordings(FSDD, str(tmp_path / "fsdd"), tmp_path / "work").manifest).table
    assert table[["digit", "speaker", "source_split"]].values.tolist() == [
        ["0", "george", "train"],
        ["7", "theo", "test"],
    ]


def test_what_is_missing_is_said_with_where_to_get_it(tmp_path: Path) -> None:
    for data, problem in ((None, "needs recordings of people"), (str(tmp_path), "holds no recordings of barista")):
        with pytest.raises(UserError, match=f"{problem}.*speech-to-intent-benchmark.*Apache-2.0"):
            open_recordings(BARISTA, data, tmp_path / "work")
    with pytest.raises(UserError, match="holds no recordings of digits_id; make a folder"):
        open_recordings(DIGITS_ID, str(tmp_path), tmp_path / "work")
    (tmp_path / "metadata.csv").write_text("file_name,word\na.wav,satu\n")
    with pytest.raises(UserError, match="no column 'digit'; digits_id is scored by digit"):
        open_recordings(DIGITS_ID, str(tmp_path), tmp_path / "work")
    folder = coffee_orders(tmp_path / "repository")
    (folder / "data" / "label" / "label.json").write_text('["not labels"]')
    with pytest.raises(UserError, match="is not the label file of the benchmark"):
        open_recordings(BARISTA, str(folder), tmp_path / "work")


def test_folds_keep_a_group_on_one_side() -> None:
    groups = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"] * 2 + ["e", "f"]
    table = pd.DataFrame({"file_name": [f"{i}.wav" for i in range(16)], "acoustic_group": groups})
    folds = group_folds(table, 3, "here")
    tested = [set(fold.loc[fold["split"] == "test", "acoustic_group"]) for fold in folds]
    assert sorted(name for names in tested for name in names) == list("abcdef"), "each is tested once"
    assert [int((fold["split"] == "test").sum()) for fold in folds] == [6, 5, 5]
    for fold in folds:
        assert (fold.groupby("acoustic_group")["split"].nunique() == 1).all()
        assert set(fold["split"]) == {"train", "test"}
    assert group_folds(table, 3, "here")[1].equals(folds[1])
    with pytest.raises(UserError, match="has 6 acoustic groups, too few for 6 folds"):
        group_folds(table, 6, "here")
    with pytest.raises(UserError, match="no full column 'acoustic_group'"):
        group_folds(table.drop(columns="acoustic_group"), 3, "here")
