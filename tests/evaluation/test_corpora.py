"""Several corpora at once: the real command on tiny ones, and what its table says."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.evaluation.corpora import Cell, CorporaTable, corpus_names, csv_rows
from slu.spec import Head
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone

Run = Callable[..., subprocess.CompletedProcess[str]]
HEAD = Head("gender", ("female", "male"), display={"male": "Laki-laki"})
RULE = "reference=pitch172"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three corpora of tones (the second of men only, the third with a split), and three bundles."""
    folder = tmp_path_factory.mktemp("world")
    tiny_bundle(folder / "one", heads=(HEAD,))
    tiny_bundle(folder / "two", heads=(HEAD,), seed=5)
    tiny_bundle(folder / "drinks")
    for corpus, classes in (("both", ("female", "male")), ("men", ("male",)), ("with space", ("female", "male"))):
        (folder / corpus).mkdir()
        rows = []
        for i in range(12):
            gender = classes[i % len(classes)]
            sf.write(folder / corpus / f"{i}.wav", tone((230 if gender == "female" else 110) + i, seed=i), RATE)
            rows.append({"file_name": f"{i}.wav", "gender": gender, "speaker": f"{gender}-{i // 4}"})
        table = pd.DataFrame(rows)
        table.loc[0, "gender"] = ""
        if corpus == "with space":
            table["split"] = ["train", "train", "test", "test"] * 3
        table.to_csv(folder / corpus / "metadata.csv", index=False)
    table.assign(gender="").to_csv(folder / "both" / "unlabelled.csv", index=False)
    table.drop(columns="gender").to_csv(folder / "both" / "other.csv", index=False)
    return folder


def manifests(world: Path, *names: str) -> str:
    return f"manifest=[{','.join(f'{world}/{name}' for name in names)}]"


def test_bundles_and_the_rule_on_corpora(
    run_here: Run, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slu.evaluation.report.clip_cards", lambda *_: [])  # players are looked at elsewhere
    corpora = manifests(world, "men/metadata.csv", "with space/metadata.csv")
    arguments = [f"bundle=[{world}/one,{world}/two]", corpora, "conditions=telephone", RULE, "split=test"]
    result = run_here("evaluate", *arguments)
    assert result.returncode == 0, result.stderr
    (run,) = (tmp_path / "outputs" / "runs" / "evaluate").iterdir()
    document = json.loads((run / "corpora.json").read_text())
    assert document["bundles"] == {"A (M1)": "one", "B (M1)": "two"}
    assert [c["split"] for c in document["corpora"].values()] == [None, "test"]
    clean = document["conditions"]["clean"]["rows"]
    assert list(clean) == ["A (M1)", "B (M1)", "172 Hz rule"]
    assert {c: cell["value"] for c, cell in clean["172 Hz rule"]["corpora"].items()} == {
        "men": 1.0, "with space": 1.0
    }  # fmt: skip
    assert [cell["one_class"] for cell in clean["A (M1)"]["corpora"].values()] == ["Laki-laki", ""]
    single = json.loads((run / "one" / "men" / "metrics.json").read_text())
    assert single["heads"]["gender"]["classes"]["male"]["recall"] == clean["A (M1)"]["corpora"]["men"]["value"]
    assert single["conditions"]["telephone"]["reference"]["name"] == "172 Hz rule"
    table = pd.read_csv(run / "corpora.csv").set_index(["condition", "recogniser"])
    assert list(table.columns) == ["figure", "men", "with space", "mean", "worst"]
    assert table.loc[("clean", "A (M1)"), "mean"] == pytest.approx(clean["A (M1)"]["mean"])
    assert ("telephone", "172 Hz rule") in table.index
    page = (run / "report.html").read_text()
    assert 'href="two/with%20space/report.html"' in page
    assert (run / "two" / "with space" / "report.html").is_file()
    said = " ".join(result.stdout.split())
    assert "one class only (men Laki-laki): its recall" in said
    assert "worse than the 172 Hz rule on" in said  # nobody trained these bundles
    # Two bundles and one rule, which hears each clip once for both, on two corpora under two conditions.
    assert len(list((tmp_path / "outputs/answers").rglob("*.npz"))) == 3 * 2 * 2


@pytest.mark.parametrize(
    ("bundles", "corpora", "more", "said"),
    [
        ("one", "both/metadata.csv both/../both/metadata.csv", (), "manifest names one table twice"),
        ("one", "both/metadata.csv both/other.csv", (), "other.csv has no column 'gender'"),
        ("one", "both/metadata.csv both/unlabelled.csv", (), "unlabelled.csv has no labels of gender to score by"),
        ("one,drinks", "both/metadata.csv men/metadata.csv", (), "drinks product (3 classes), quantity (2 classes)"),
        ("one", "both/metadata.csv men/metadata.csv", ("split=test",), "none of the tables has a column 'split'"),
        ("one", "both/metadata.csv nowhere/metadata.csv", (), "there is no manifest at"),
        ("one", "", (), "manifest=[] names none"),
        ("one", "both/metadata.csv men/metadata.csv", ("fail_if_worse=true",), "compare on the clips of one table"),
        ("drinks", "both/metadata.csv men/metadata.csv", (RULE,), "the task has no head 'gender' but product"),
    ],
)
def test_mistakes_get_one_sentence(
    run_here: Run, world: Path, bundles: str, corpora: str, more: tuple[str, ...], said: str
) -> None:
    names = ",".join(f"{world}/{name}" for name in bundles.split(","))
    result = run_here("evaluate", f"bundle=[{names}]", manifests(world, *corpora.split()), "conditions=clean", *more)
    assert result.returncode == 2, result.stdout
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_one_manifest_in_a_list_is_one_manifest(
    run_here: Run, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slu.evaluation.report.clip_cards", lambda *_: [])
    arguments = [f"bundle={world}/one", manifests(world, "men/metadata.csv"), "conditions=clean", RULE]
    result = run_here("evaluate", *arguments)
    assert result.returncode == 0, result.stderr
    (run,) = (tmp_path / "outputs" / "runs" / "evaluate").iterdir()
    assert (run / "predictions.csv").is_file()
    assert not (run / "corpora.json").exists()
    assert "172 Hz rule" in result.stdout
    assert run_here("evaluate", *arguments, "reference=none").returncode == 0
    last = max((tmp_path / "outputs" / "runs" / "evaluate").iterdir())
    assert "reference" not in json.loads((last / "metrics.json").read_text())


def test_corpora_are_named_by_folder_and_told_apart(tmp_path: Path) -> None:
    def names(*paths: str) -> list[str]:
        return corpus_names([tmp_path / path for path in paths])

    assert names("a/metadata.csv", "b/metadata.csv") == ["a", "b"]
    assert names("a/data/metadata.csv", "b/data/metadata.csv", "c/metadata.csv") == ["a-data", "b-data", "c"]
    assert names("a/train.csv", "a/test.csv", "b/test.csv") == ["a-train", "a-test", "b"]
    with pytest.raises(UserError, match="one table twice"):
        names("a/metadata.csv", "b/../a/metadata.csv")


def test_every_corpus_weighs_the_same_and_a_missing_figure_makes_no_mean() -> None:
    rows = {
        "A": {"x": Cell(1.0, None, 1000), "y": Cell(0.5, None, 10)},
        "B": {"x": Cell(0.9, None, 1000), "y": Cell(None, None, 0)},
    }
    table = CorporaTable("clean", "balanced accuracy", rows)
    assert (table.mean("A"), table.worst("A")) == (0.75, ("y", 0.5))
    assert (table.mean("B"), table.worst("B")) == (None, ("x", 0.9))
    assert [row["worst"] for row in csv_rows([table])] == [0.5, 0.9]
