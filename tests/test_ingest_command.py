"""`python -m slu.ingest`, from the command line to the files and the words it ends with."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

Ingest = Callable[..., tuple[int, str]]

OWNERS = Path(__file__).parents[1].parent / "shared" / "data" / "retail_sources"


@pytest.fixture
def ingest(printed: Callable[..., tuple[int, str]]) -> Ingest:
    return partial(printed, "ingest")


@pytest.fixture
def retail(tmp_path: Path) -> Path:
    folder = tmp_path / "retail"
    folder.mkdir()
    rows = [f"s_{n}.wav,catat {1 + n % 2} {('teh', 'kopi')[n // 2]},a,{('train', 'val')[n % 2]}" for n in range(4)]
    (folder / "metadata-google-tts-split.csv").write_text(
        "\n".join(["source_file,kalimat,speaker,split", *rows, "s_9.wav,catat 1 teh,a,train", ""])
    )
    return folder


def speak(folder: Path, count: int = 4) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        sf.write(folder / f"s_{number}.mp3", 0.1 * np.sin(np.arange(16000) / (3 + number)), 16000)


def test_retail_from_start_to_end(ingest: Ingest, retail: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "out" / "ingest" / "retail" / "metadata.csv"
    code, words = ingest("source=retail", f"source.folder={retail}")
    assert code == 2
    assert words.count("\n") == 1
    assert words.startswith(f"error: none of the 5 clips has usable audio (5 missing audio), looked in {retail};")
    assert "source.audio=FOLDER" in words
    assert "retail-labels-only" in words
    assert not manifest.exists()

    speak(tmp_path / "audio")
    arguments = ("source=retail", f"source.folder={retail}", f"source.audio={tmp_path / 'audio'}")
    code, words = ingest(*arguments)
    assert code == 0
    assert "4 clips accepted" in words
    assert "1 rejected: missing audio 1" in words
    assert "warning: 1 of 1 speakers stand on more than one side" in words
    assert words.rstrip().endswith(f"train on it: python -m slu.train data=manifest data.manifest={manifest}")

    assert ingest(*arguments)[1].startswith("up to date (force=true runs again): 4 clips accepted")
    assert not ingest(*arguments, "force=true")[1].startswith("up to date")
    before = manifest.read_bytes()
    assert ingest("source=retail", f"source.folder={retail}")[0] == 2
    assert manifest.read_bytes() == before


def test_class_folders_name_the_head_for_training(ingest: Ingest, tmp_path: Path) -> None:
    speak(tmp_path / "cewe", 2)
    speak(tmp_path / "cowo", 4)
    for number in range(2):
        (tmp_path / "cowo" / f"s_{number}.mp3").unlink()
    arguments = (
        f"source.folder={tmp_path}",
        "source.classes={cewe: female, cowo: male}",
        "source.speaker_pattern=null",
    )
    code, words = ingest("source=folders", *arguments)
    assert code == 0
    assert "gender: female 2, male 2" in words
    assert words.rstrip().endswith("'data.heads=[gender]' data.task=gender")
    manifest = tmp_path / "out" / "ingest" / "gender" / "metadata.csv"
    code, words = ingest(f"source.path={manifest}", "heads=[gender]", "classes={gender: [male, female]}", "name=again")
    assert code == 0
    assert "gender: female 2, male 2" in words


def test_long_recordings_are_cut_and_the_training_command_keeps_them_whole(ingest: Ingest, tmp_path: Path) -> None:
    for number, name in enumerate(("cewe/a1", "cewe/a2", "cowo/b1", "cowo/b2")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        sf.write(tmp_path / f"{name}.wav", 0.1 * np.sin(np.arange(7 * 16000) / (3 + number)), 16000)
    arguments = ("source=folders", f"source.folder={tmp_path}", "source.classes={cewe: female, cowo: male}")
    code, words = ingest(*arguments, "segment.length_s=3")
    assert code == 0
    assert "warning: no file name fits source.speaker_pattern '^([^_]+)_': speakers are unknown" in words
    assert "4 clips accepted" in words
    assert "cut into 12 segments" in words
    assert words.rstrip().endswith("'data.heads=[gender]' data.task=gender data.split.method=recording")
    assert (tmp_path / "out" / "ingest" / "gender" / "metadata.json").is_file()
    assert (
        ingest(*arguments, "segment.length_s=12")[1]
        .rstrip()
        .endswith("data.max_duration_s=12 data.split.method=recording")
    )
    code, words = ingest(*arguments, "segment.length_s=3", "segment.overlap_s=3")
    assert code == 2
    assert "error: ingest.segment: " in words
    assert "overlap_s from 0 to below it" in words
    assert words.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "error: source.path is not set; give it on the command line as source.path=..."),
        (["source.path=nowhere.csv"], "error: there is no manifest at"),
        (["source.path=x", "name=../up"], "name: String should match pattern"),
        (["source=folders", "source.folder=nowhere"], "error: there is no folder"),
        (
            ["source=folders", "source.folder=.", "source.kind=web"],
            "source.kind must be one of manifest, retail, folders",
        ),
        (["source=retail", "source.folder=."], "holds none of"),
    ],
)
def test_mistakes_are_one_sentence(ingest: Ingest, arguments: list[str], words: str) -> None:
    code, printed = ingest(*arguments)
    assert code == 2
    assert words in printed
    assert printed.count("\n") == 1


@pytest.mark.skipif(not OWNERS.is_dir(), reason=f"the owners' tables are not at {OWNERS}")
def test_the_owners_tables_without_their_audio(ingest: Ingest, tmp_path: Path) -> None:
    code, printed = ingest("source=retail", f"source.folder={OWNERS}")
    assert code == 2
    assert "none of the 1000 clips has usable audio (1000 missing audio)" in printed
    merged = tmp_path / "out" / "ingest" / "retail-labels-only" / "merged.csv"
    assert len(merged.read_text().splitlines()) == 1001
