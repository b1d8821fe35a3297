"""`python -m slu.eda`, from the command line to the page, the files beside it and the words it ends with."""

import json
import re
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from tests.conftest import ROOT
from tests.exploration.helpers import rows_of, utterance, write_corpus

Eda = Callable[..., tuple[int, str]]


@pytest.fixture
def eda(printed: Callable[..., tuple[int, str]]) -> Eda:
    return partial(printed, "eda")


def report(words: str) -> Path:
    """The folder that the command says it wrote into."""
    found = re.search(r"^report: (.*)/report\.html", words, flags=re.MULTILINE)
    assert found, words
    return Path(found.group(1))


def on(path: Path, *more: str) -> tuple[str, ...]:
    return ("data=manifest", f"data.manifest={path}", "data.heads=[word]", *more)


def trains_with(command: str) -> None:
    """The command composes with today's configuration."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "slu.train"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        compose("train", overrides=words[3:])


def test_a_manifest_from_start_to_end(eda: Eda, tmp_path: Path) -> None:
    rows = rows_of(40, speakers=4, fold=("train", "test", "val"))
    path = write_corpus(tmp_path / "my", rows, {"audio/024.wav": 0.3 * utterance(0)})
    (tmp_path / "my/audio/003.wav").write_bytes(b"no audio")
    code, words = eda(*on(path, "split_column=fold", "kept=kept.csv"))
    assert code == 0
    assert "my: 40 clips" in words
    assert "warning: Leak: 4 of 4 speakers (s00, s01, s02, s03) stand on more than one side of the split" in words
    assert f"warning: 1 clip cannot be read, the first is {path}:5 (audio/003.wav): it is not audio" in words

    folder = report(words)
    assert {"report.html", "eda.json", "set_aside.csv", "near_duplicates.csv"} <= {p.name for p in folder.iterdir()}
    facts = json.loads((folder / "eda.json").read_text())
    assert facts["leaks"][0]["values"] == ["s00", "s01", "s02", "s03"]
    assert facts["warnings"][1].startswith("Leak: ")
    assert facts["copies"] == {"identical": 0, "near": 1, "across_splits": 0, "same_recording_from": 0.97}
    assert pd.read_csv(folder / "set_aside.csv")["reason"].tolist() == ["unreadable", "near-duplicate"]
    assert len(pd.read_csv(tmp_path / "my/kept.csv")) == 38

    command = words.rstrip().splitlines()[-1].removeprefix("next: ")
    assert command == facts["commands"][-1]
    for setting in (
        "data.split.column=fold", "data.task=word", "cross_validation=leave_one_speaker_out",
        f"data.manifest={tmp_path / 'my/kept.csv'}", "data.on_bad_audio=skip",
    ):  # fmt: skip
        assert setting in shlex.split(command)
    assert "kept=kept.csv" not in command
    trains_with(command)


def test_what_only_a_person_can_take_out_is_taken_out_first(eda: Eda, tmp_path: Path) -> None:
    rows = [{**row, "word": ("yes", "no")[n % 2]} for n, row in enumerate(rows_of(40, speakers=4))]
    path = write_corpus(tmp_path / "my", rows, {"audio/003.wav": utterance(0)})
    (tmp_path / "my/kept.csv").touch()
    code, words = eda(f"manifest={path}", "data.heads=[word]")
    assert code == 0
    assert "1 pair of copies have different labels" in words
    first, then = words.rstrip().splitlines()[-2:]
    assert first.startswith(f"next: python -m slu.eda outputs={tmp_path / 'out'} data=manifest data.manifest={path}")
    assert first.endswith("kept=kept2.csv")
    assert f"data.manifest={tmp_path / 'my/kept2.csv'}" in then
    trains_with(then.removeprefix("then: "))
    code, words = eda(*shlex.split(first)[5:])
    assert code == 0
    assert len(pd.read_csv(tmp_path / "my/kept2.csv")) == 38
    assert words.rstrip().splitlines()[-1].startswith("next: python -m slu.train")


def test_no_command_is_given_that_would_fail(eda: Eda, tmp_path: Path) -> None:
    rows = [{"file_name": r["file_name"], "word": r["word"], "speaker": r["speaker"][2:]} for r in rows_of(24, 3)]
    rows[3]["speaker"] = ""
    code, words = eda(f"manifest={write_corpus(tmp_path / 'my', rows)}", "data.heads=[word]")
    assert code == 0
    assert "warning: 1 of 24 clips has no speaker" in words
    assert "slu.train" not in words


def test_the_embedded_corpus_is_spoken_first(eda: Eda) -> None:
    small = ("synthesis.counts={train:20,val:10,test:10}", "voices.speakers={train:4,val:2,test:2}")
    code, words = eda(*small, "limits.clips_per_class=1", "limits.speakers_per_class=1")
    assert code == 0
    first, second, *_ = words.splitlines()
    assert re.match(r"corpus: \d+ clips of the menu orders are not there yet and are spoken now; menu=NAME ", first)
    assert second.startswith("corpus: spoken now, ")
    assert "orders: 40 clips" in words
    assert "warning: Leak" not in words
    facts = json.loads((report(words) / "eda.json").read_text())
    assert facts["leaks"] == []
    assert facts["copies"]["identical"] == facts["copies"]["near"] == 0
    assert list(facts["heads"]) == ["product", "quantity"]
    command = words.rstrip().splitlines()[-1].removeprefix("next: ")
    assert "limits." not in command
    trains_with(command)
    along = eda(*small, "data.manifest=nowhere.csv")
    assert along == (2, along[1])
    assert along[1].splitlines()[-1] == "error: there is no manifest at nowhere.csv"


def test_label_tables_without_their_audio_and_with_it(eda: Eda, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    lines = ["source_file,kalimat,speaker,split"]
    for number in range(12):
        text = f"catat {1 + number % 2} {('teh', 'kopi')[number // 2 % 2]}"
        lines.append(f"s_{number}.wav,{text},{('ani', 'budi', 'citra')[number % 3]},{('train', 'test')[number % 2]}")
    (folder / "metadata-google-tts-split.csv").write_text("\n".join(lines) + "\n")
    code, words = eda("source=retail", f"source.folder={folder}")
    assert code == 0
    assert "retail: 12 clips, no audio, 3 speakers, 2 classes of product, 2 classes of quantity" in words
    assert "warning: The audio of all 12 clips is missing" in words
    assert "warning: Leak: 3 of 3 speakers (ani, budi, citra)" in words
    ingest, train = words.rstrip().splitlines()[-2:]
    assert ingest.endswith(f"source=retail source.folder={folder} source.audio=FOLDER")
    assert train.startswith("then: python -m slu.train data=manifest data.manifest=")
    trains_with(train.removeprefix("then: "))

    rows = [{"file_name": f"s_{number}.wav"} for number in range(12)]
    write_corpus(tmp_path / "audio", rows)
    code, words = eda("source=retail", f"source.folder={folder}", f"source.audio={tmp_path / 'audio'}")
    assert code == 0
    assert "0.2 minutes" in words
    assert "missing" not in words


def test_class_folders(eda: Eda, tmp_path: Path) -> None:
    rows = [{"file_name": f"{word}/{who}_{n}.wav"} for word in ("yes", "no") for who in ("ani", "budi") for n in (0, 1)]
    write_corpus(tmp_path / "words", rows)
    (tmp_path / "words/metadata.csv").unlink()
    code, words = eda("source=folders", f"source.folder={tmp_path / 'words'}", "source.head=word")
    assert code == 0
    assert "word: 8 clips, 0.1 minutes, 2 speakers, 2 classes of word" in words
    assert "data.heads=[word]" in words.splitlines()[-1]


@pytest.mark.parametrize(
    ("table", "arguments", "words"),
    [
        (None, ["data=manifest"], "error: data=manifest needs a table: add data.manifest=path/metadata.csv"),
        (None, ["manifest=gone.csv"], "error: there is no manifest at gone.csv"),
        (None, ["+manifest=gone.csv"], "error: there is no manifest at gone.csv"),
        (None, ["table=x.csv"], "error: there is no setting table; slu.eda knows data, experiment, group_columns, "),
        (None, ["+table=x.csv"], "error: there is no setting table; slu.eda knows data, "),
        (None, ["source=retail"], "error: source.folder is not set; give it on the command line as source.folder=..."),
        (None, ["kept=x.csv"], "error: kept= writes a manifest anew, so it needs data=manifest"),
        (None, ["limits.few_speakers=1"], "error: limits.few_speakers: Input should be greater than or equal to 2"),
        ("file_name,word\n", [], "has no rows"),
        ("word\nyes\n", [], "has no column 'file_name'"),
        ("file_name,word\na.wav,yes\n", ["data.heads=[size]"], "has no column 'size'; its columns are file_name, word"),
        ("file_name,word\na.wav,yes\n", ["split_column=fold"], "has no column 'fold' for the split"),
        ("file_name,word\nbroken.wav,yes\n", [], "error: not one of 1 audio files can be read, the first is "),
        ("file_name,word\na.wav,yes\n", ["limits.nothing=1"], "there is no setting limits.nothing"),
    ],
)
def test_mistakes_are_one_sentence(
    eda: Eda, tmp_path: Path, table: str | None, arguments: list[str], words: str
) -> None:
    if table is not None:
        (tmp_path / "metadata.csv").write_text(table)
        (tmp_path / "broken.wav").write_bytes(b"RIFF")
        arguments = [*on(tmp_path / "metadata.csv"), *arguments]
    code, printed = eda(*arguments)
    assert code != 0
    assert words in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("file_name,word\na.wav,yes\n", "warning: Every label of word is 'yes': there is nothing to tell apart."),
        ("file_name,word\na.wav,\nb.wav,\n", "warning: No clip has a label for word"),
        ("file_name,word\na.wav,yes\nb.wav,no\n", "warning: Nothing says who speaks"),
        ("file_name,word\ngone.wav,yes\naway.wav,no\n", "warning: The audio of all 2 clips is missing"),
        ("file_name,word,speaker\na.wav,yes,ani\nb.wav,no,\n", "Fill the speaker column."),
        ("file_name,word,speaker\na.wav,yes,ani\nb.wav,no,ani\n", "warning: There is one speaker"),
    ],
)
def test_poor_data_make_a_report_that_says_so(eda: Eda, tmp_path: Path, table: str, words: str) -> None:
    write_corpus(tmp_path, [{"file_name": "a.wav"}, {"file_name": "b.wav"}])
    (tmp_path / "metadata.csv").write_text(table)
    code, printed = eda(*on(tmp_path / "metadata.csv"))
    assert code == 0
    assert words in printed
    assert (report(printed) / "report.html").is_file()
