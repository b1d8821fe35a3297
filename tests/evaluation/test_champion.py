"""A new recogniser beside the one that answers: what a pull request is told, and when that stops it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import soundfile as sf

from slu.bundles import save_bundle
from slu.common.errors import UserError
from slu.corpus.splits import SplitSettings, assign_splits
from slu.evaluation.champion import NAMES, champion_at, is_worse, markdown
from slu.evaluation.clip_choice import trained_beside
from slu.evaluation.compare_report import compare_bundles, short_names
from slu.features import build_front_end
from slu.models import build_recogniser
from tests.adaptation.helpers import CONFIG, SPEC, train_bundle
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone
from tests.evaluation.test_compare_report import scored
from tests.studies.helpers import M1
from tests.training.test_preprocessing import LOGMEL


@pytest.mark.parametrize(("new", "champion", "worse"), [(60, 10, True), (11, 10, False), (10, 60, False)])
def test_worse_is_more_than_chance(tmp_path: Path, new: int, champion: int, worse: bool) -> None:
    results = {"new": scored(tmp_path, "a", new), "champion": scored(tmp_path, "b", champion)}
    assert is_worse(compare_bundles(results)) is worse


def test_noise_alone_stops_nobody(tmp_path: Path) -> None:
    results = {
        name: {"clean": scored(tmp_path, name, 10)["clean"], "0 dB": scored(tmp_path, f"{name}0", wrong)["clean"]}
        for name, wrong in (("new", 60), ("champion", 10))
    }
    pairs = compare_bundles(results)
    assert pairs["0 dB"][0].winner == "champion"
    assert not is_worse(pairs)
    text = markdown(results, pairs, ["LEAK: 1 | 2"])
    assert "| clean | 0.950 (" in text
    assert ", champion is better |" in text
    assert "> LEAK: 1 | 2" in text


def test_the_table_is_one_for_github(tmp_path: Path) -> None:
    results = {"new (M1)": scored(tmp_path, "a", 10), "champion": scored(tmp_path, "b", 11)}
    results["new (M1)"] = {"a|b": results["new (M1)"]["clean"]}
    results["champion"] = {"a|b": replace(results["champion"]["clean"])}
    lines = markdown(results, compare_bundles(results), []).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert rows[1] == "| --- | ---: | ---: | ---: |"
    assert rows[2].startswith("| a\\|b | 0.950 (")
    assert {row.replace("\\|", "").count("|") for row in rows} == {5}


def test_names_take_the_place_of_letters(tmp_path: Path) -> None:
    bundles = [scored(tmp_path, name, 1)["clean"].predictor.bundle for name in ("one", "two", "three")]
    assert list(short_names(bundles, NAMES).values()) == ["new (M1)", "champion (M1)", "C (M1)"]


@pytest.mark.slow
def test_the_command_compares_where_there_is_a_champion(
    printed: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    table = tmp_path / "metadata.csv"
    for i in range(12):
        sf.write(tmp_path / f"{i}.wav", tone(200 + 30 * i, 0.3, seed=i), RATE)
    labels = [{"product": ("tea", "coffee", "milk")[i % 3], "quantity": str(1 + i % 2)} for i in range(12)]
    rows = [{"file_name": f"{i}.wav", **row, "speaker": f"s{i % 4}"} for i, row in enumerate(labels)]
    pd.DataFrame(rows).to_csv(table, index=False)
    tiny_bundle(tmp_path / "new")
    settings = (
        f"bundle={tmp_path / 'new'}", f"manifest={table}", "conditions=clean", f"hydra.run.dir={tmp_path / 'run'}",
        f"champion={tmp_path / 'orders' / 'live'}", "fail_if_worse=true",
    )  # fmt: skip
    code, words = printed("evaluate", *settings)
    assert code == 0, words
    assert f"no champion at {tmp_path / 'orders' / 'live'}" in words
    assert "| all labels right | new (M1) |" in (tmp_path / "run" / "summary.md").read_text()

    tiny_bundle(tmp_path / "orders" / "20260101-000000-00000000", seed=5)
    (tmp_path / "orders" / "latest").symlink_to("20260101-000000-00000000")
    code, words = printed("evaluate", *settings)
    assert code == 0, words
    summary = (tmp_path / "run" / "summary.md").read_text()
    assert "champion (M1): `20260101-000000-00000000`" in summary
    assert (tmp_path / "run" / "comparison.json").is_file()


def test_worse_ends_with_1_and_other_heads_with_nothing_to_compare(
    tones: Path, printed: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    champion = train_bundle(tones, tmp_path)
    spoilt = tmp_path / "new"
    network = build_recogniser(M1, build_front_end(LOGMEL).size, SPEC)
    spoilt.mkdir()
    save_bundle(spoilt, network.eval(), SPEC, CONFIG, {"manifest": str(tones)}, {"clips": [], "speakers": []})
    settings = ("conditions=clean", f"hydra.run.dir={tmp_path / 'run'}", f"bundle={spoilt}", "fail_if_worse=true")
    code, words = printed("evaluate", *settings, f"champion={champion}", f"manifest={tones}", "split=null")
    assert code == 1, words
    assert "the champion is better on clean clips by more than chance" in words
    assert ", champion (M1) is better |" in (tmp_path / "run" / "summary.md").read_text()
    tiny_bundle(tmp_path / "drinks")
    code, words = printed("evaluate", *settings, f"champion={tmp_path / 'drinks'}", f"manifest={tones}")
    assert code == 0, words
    assert "the champion answers product, quantity and the new one length, pitch" in words


def test_the_side_is_the_one_that_the_training_drew(tones: Path, tmp_path: Path) -> None:
    table = pd.read_csv(tones, dtype=str).drop(columns="split")
    (tmp_path / "audio").symlink_to(tones.parent / "audio")
    table.to_csv(tmp_path / "metadata.csv", index=False)
    data = {"manifest": str(tmp_path / "metadata.csv"), "split": {"method": "speaker", "seed": 1}}
    chosen = trained_beside(tmp_path / "metadata.csv", SPEC.heads, data, split="test")
    drawn = assign_splits(table, SplitSettings(method="speaker", seed=1), "here")
    assert sorted(chosen.clips.table["file_name"]) == sorted(drawn["file_name"][drawn["split"] == "test"])
    with pytest.raises(UserError, match="has no column 'split'"):
        trained_beside(tmp_path / "metadata.csv", SPEC.heads, {}, split="test")


def test_a_champion_stands_beside_one_bundle() -> None:
    with pytest.raises(UserError, match="champion= stands beside one bundle"):
        champion_at("orders/live", ["a", "b"], Path("registry"))
    assert champion_at(None, ["a", "b"], Path("registry")) is None
