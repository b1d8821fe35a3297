"""`python -m slu.validate`, from the command line to its exit code, its files and the lines that GitHub reads."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml

from slu.spec import Head, TaskSpec
from slu.validation.findings import Finding
from slu.validation.record import github_annotations
from slu.validation.validate import FileVerdict, Validation
from tests.conftest import RATE
from tests.validation.helpers import FAULTS, Corpus, write_clean

Validate = Callable[..., tuple[int, str]]


@pytest.fixture
def validate(printed: Callable[..., tuple[int, str]]) -> Validate:
    return partial(printed, "validate")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return write_clean(tmp_path / "my")


def report(words: str) -> Path:
    found = re.search(r"^report: (.*)/report\.html", words, flags=re.MULTILINE)
    assert found, words
    return Path(found.group(1))


def test_orders_of_the_synthesiser_are_in_order(
    printed: Callable[..., tuple[int, str]], validate: Validate, tmp_path: Path
) -> None:
    small = ("synthesis.counts={train:10,val:5,test:5}", "voices.speakers={train:4,val:2,test:2}")
    assert printed("synthesize", *small)[0] == 0
    (table,) = (tmp_path / "out" / "corpus").glob("*/metadata.csv")
    code, words = validate(f"manifest={table.parent}", "menu=warung", "fail_on=warning", "annotations=github")
    assert code == 0, words
    assert "20 files: 20 ok, 0 warning, 0 error" in words
    assert "::" not in words
    assert json.loads((report(words) / "verdicts.json").read_text())["verdict"] == "ok"


def test_faults_are_named_by_file_and_line(validate: Validate, corpus: Corpus) -> None:
    for name in ("digital silence", "a row without a speaker"):
        FAULTS[name].plant(corpus)
    corpus.edit(13, word="nno")
    code, words = validate(f"manifest={corpus.table}", "heads=[word]", "annotations=github")
    assert code == 1
    assert "12 files: 11 ok, 0 warning, 1 error" in words
    folder = report(words)
    rows = {row["line"]: row for row in csv.DictReader((folder / "verdicts.csv").read_text().splitlines())}
    assert len(rows) == 12
    assert rows["3"]["kinds"] == "no speaker; silent"
    assert rows["3"]["cures"].startswith("fill the speaker column")
    assert rows["2"]["verdict"] == "ok"
    facts = json.loads((folder / "verdicts.json").read_text())
    assert facts["counts"] == {"ok": 11, "warning": 0, "error": 1}
    page = (folder / "report.html").read_text()
    assert "Validation: there are errors" in page
    assert "every sample is zero" in page
    lines = [line for line in words.splitlines() if line.startswith("::")]
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning"]
    assert lines[0].endswith(
        "line=3,title=silent::03.wav: every sample is zero; record it again: is the microphone on?"
    )
    assert "nno" not in words  # without a menu any label will do


def test_labels_are_those_of_a_spec(validate: Validate, corpus: Corpus, tmp_path: Path) -> None:
    corpus.edit(13, word="nno")
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(TaskSpec("words", (Head("word", ("yes", "no")),)).to_json()))
    code, words = validate(f"manifest={corpus.table}", f"spec={spec}")
    assert code == 1
    facts = json.loads((report(words) / "verdicts.json").read_text())
    (wrong,) = [file for file in facts["files"] if file["verdict"] == "error"]
    assert (wrong["line"], wrong["findings"][0]["detail"]) == (
        13, "word 'nno' is not one of the classes yes, no; nearest: no"
    )  # fmt: skip


@pytest.fixture
def lengths(tmp_path: Path) -> Path:
    """Four clips of 0.2, 0.4, 5 and 8 s."""
    rows = ["file_name,product,quantity,speaker"]
    for number, seconds in enumerate((0.2, 0.4, 5, 8)):
        noise = np.random.default_rng(number).normal(0, 0.1, int(seconds * RATE))
        sf.write(tmp_path / f"{number}.wav", noise, RATE)
        rows.append(f"{number}.wav,teh,{number + 1},s{number}")
    table = tmp_path / "metadata.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


@pytest.mark.parametrize(
    ("against", "limits", "short", "long"),
    [
        ((), (), [], []),
        (("heads=[product]",), (), [], []),
        (("menu=warung",), (), [2], [5]),  # as data=orders has them: 0.3 to 6 s
        (("menu=warung",), ("limits.max_duration_s=9",), [2], []),
        (("spec=spec.json",), (), [2, 3], [4, 5]),
        (("spec=spec.json",), ("limits.min_duration_s=0.3", "limits.max_duration_s=7"), [2], [5]),
    ],
)
def test_durations_are_those_of_what_is_checked_against(
    validate: Validate,
    lengths: Path,
    monkeypatch: pytest.MonkeyPatch,
    against: tuple[str, ...],
    limits: tuple[str, ...],
    short: list[int],
    long: list[int],
) -> None:
    monkeypatch.chdir(lengths.parent)
    heads = (Head("product", ("teh", "kopi")), Head("quantity", ("1", "2", "3", "4")))
    spec = TaskSpec("orders", heads, min_duration_s=0.5, max_duration_s=4.0)
    Path("spec.json").write_text(json.dumps(spec.to_json()))
    code, words = validate("manifest=metadata.csv", *against, *limits)
    assert code == (1 if short or long else 0), words
    files = json.loads((report(words) / "verdicts.json").read_text())["files"]
    found = {kind: [f["line"] for f in files if kind in (g["kind"] for g in f["findings"])] for kind in (
        "too short", "too long"
    )}  # fmt: skip
    assert found == {"too short": short, "too long": long}


def test_durations_without_a_spec_are_those_of_data_manifest() -> None:
    data = yaml.safe_load((Path(__file__).parents[1] / "conf" / "data" / "manifest.yaml").read_text())
    assert (TaskSpec.min_duration_s, TaskSpec.max_duration_s) == (data["min_duration_s"], data["max_duration_s"])


def test_of_long_recordings_a_minute_is_looked_at(validate: Validate, lengths: Path, tmp_path: Path) -> None:
    spec = TaskSpec("gender", (Head("speaker_gender", ("f", "m")),), max_duration_s=600.0, segment_s=3.0)
    (tmp_path / "spec.json").write_text(json.dumps(spec.to_json()))
    lengths.write_text(lengths.read_text().replace("product", "speaker_gender").replace("teh", "f"))
    code, words = validate(f"manifest={lengths}", f"spec={tmp_path / 'spec.json'}")
    assert code == 0, words


def test_warnings_fail_only_when_they_are_asked_to(validate: Validate, corpus: Corpus) -> None:
    FAULTS["a copy within the training"].plant(corpus)
    assert validate(f"manifest={corpus.folder}")[0] == 0
    assert validate(f"manifest={corpus.folder}", "fail_on=warning")[0] == 1


def test_the_table_is_not_one_of_the_files(validate: Validate, corpus: Corpus) -> None:
    corpus.replace("speaker", "who")
    code, words = validate(f"manifest={corpus.table}", "heads=[word]")
    assert code == 0
    assert "12 files: 12 ok, 0 warning, 0 error; of the table itself: 1 warning" in words
    page = (report(words) / "report.html").read_text()
    assert "12 files of" in page
    assert "of the table itself" in page
    code, words = validate(f"manifest={corpus.table}", "heads=[word,size]")
    assert code == 1
    assert "12 files: 12 ok, 0 warning, 0 error; of the table itself: 1 error, 1 warning" in words
    facts = json.loads((report(words) / "verdicts.json").read_text())
    assert facts["verdict"] == "error"
    assert facts["counts"] == {"ok": 12, "warning": 0, "error": 0}
    assert [f["kind"] for file in facts["files"] for f in file["findings"]] == ["no column", "no speaker"]


def test_recordings_alone(validate: Validate, corpus: Corpus) -> None:
    code, words = validate(f"audio={corpus.folder / 'audio'}")
    assert code == 0
    assert "12 files: 12 ok" in words
    assert "note:" not in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "error: name what to look at: manifest=path/metadata.csv, or audio=FOLDER"),
        (["manifest=gone.csv"], "error: there is no manifest at gone.csv"),
        (["audio=gone"], "error: there is no folder gone"),
        (["manifest=my", "menu=warung", "heads=[word]"], "error: menu= and heads= both say what the labels are"),
        (["manifest=my", "spec=my/metadata.csv"], "error: spec=my/metadata.csv is not a bundle's spec.json"),
        (["manifest=my", "limits.max_duration_s=90"], "error: settings.limits.max_duration_s: Input should be less"),
        (["manifest=my/audio"], "error: there is no metadata.csv below my/audio"),
        (["manifest=my", "annotations=gitlab"], "error: settings.annotations: Input should be 'none' or 'github'"),
    ],
)
def test_mistakes_are_one_sentence(
    validate: Validate, corpus: Corpus, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(corpus.folder.parent)
    code, printed = validate(*arguments)
    assert code == 2
    assert words in printed
    assert "Traceback" not in printed


def test_annotations_are_escaped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    table = Path("a,b/100%:x.csv")
    finding = Finding("unknown label", Path("a,b/c.wav"), "word '50%\n::warning::x' is not one of yes, no", table, 7)
    (line,) = github_annotations(Validation((FileVerdict(finding.file, table, 7, (finding,)),), (table,)))
    assert line == (
        "::error file=a%2Cb/100%25%3Ax.csv,line=7,title=unknown label::c.wav: word '50%25%0A::warning::x' is not one "
        "of yes, no; correct the label, or add the class to the menu"
    )


def test_the_same_findings_from_a_copy_elsewhere(validate: Validate, corpus: Corpus, tmp_path: Path) -> None:
    """What was measured is kept by content: a moved corpus is not measured again, and gets the same verdicts."""
    FAULTS["a training clip that is in the test"].plant(corpus)
    first = validate(f"manifest={corpus.folder}")
    shutil.move(corpus.folder, tmp_path / "moved")
    second = validate(f"manifest={tmp_path / 'moved'}")
    assert [first[0], second[0]] == [1, 1]
    kinds = [json.loads((report(words) / "verdicts.json").read_text())["kinds"] for _, words in (first, second)]
    assert kinds == [{"copy across splits": 1}] * 2
