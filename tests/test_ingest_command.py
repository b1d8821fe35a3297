"""`python -m slu.ingest`, from the command line to the files and the words it ends with."""

import shlex
from collections.abc import Callable, Sequence
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
    assert words.rstrip().endswith("'data.heads=[gender]' data.task=gender data.split.method=random")
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
    assert "warning: no file name fits source.speaker_pattern '^([^_]+)_', for example a1.wav: speakers are" in words
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


def recordings(folder: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        sf.write(folder / name, 0.1 * np.sin(np.arange(16000) / (3 + number)), 16000)


def test_the_training_command_works_where_nobody_is_named(
    ingest: Ingest, printed: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """And the pattern that the warning offers, as it stands there, finds the speakers."""
    recordings(tmp_path / "my", [f"{'ya' if n % 2 else 'no'}/take {n} {'abcdef'[n // 2]}.wav" for n in range(12)])
    arguments = ("source=folders", f"source.folder={tmp_path / 'my'}", "source.head=word")
    code, words = ingest(*arguments)
    assert code == 0
    warning = next(line for line in words.splitlines() if line.startswith("warning: "))
    assert "for example take 0 a.wav: speakers are unknown; name the files as in budi_01.wav, or" in warning
    last = words.splitlines()[-1]
    assert last.startswith("train on it (no speaker is known, so clips are split at random: figures will be too good")
    command = shlex.split(last.split("): ")[1])
    assert command[:3] == ["python", "-m", "slu.train"]
    assert command[-1] == "data.split.method=random"
    code, words_of_preprocess = printed("preprocess", *command[3:])
    assert code == 0, words_of_preprocess
    code, words_of_preprocess = printed("preprocess", *command[3:-1])
    assert code == 2, "without it, the split is refused"

    pattern = next(word for word in shlex.split(warning.partition("as in budi_01.wav")[2]) if "speaker_pattern" in word)
    code, words = ingest(*arguments, pattern)
    assert code == 0
    assert "speakers: a 2, b 2, c 2, d 2, e 2, f 2" in words
    assert "warning" not in words
    assert words.splitlines()[-1].startswith("train on it: python -m slu.train data=manifest")


@pytest.mark.parametrize(
    ("cells", "why", "method"),
    [
        ("speaker\na\na\nb\nb\nb\nb\n", "2 speakers are too few to keep each on one side", "random"),
        ("speaker\na\nb\nc\nd\ne\n\n", "not every clip has a speaker", "random"),
        ("recording\na\nb\nc\nd\ne\ne\n", "no speaker is known, so whole recordings are split", "recording"),
        ("speaker,split\na,test\nb,val\nc,\nd,\ne,\nf,\n", "the split has gaps", "speaker"),
        ("speaker,split\na,test\na,val\na,train\na,train\na,train\na,train\n", "", ""),
    ],
)
def test_the_split_is_one_that_the_table_allows(
    ingest: Ingest, tmp_path: Path, cells: str, why: str, method: str
) -> None:
    recordings(tmp_path / "my", [f"{number}.wav" for number in range(6)])
    header, *rows = cells.splitlines()
    table = [f"file_name,word,{header}", *(f"{n}.wav,{('ya', 'no')[n % 2]},{row}" for n, row in enumerate(rows))]
    (tmp_path / "my" / "metadata.csv").write_text("\n".join(table) + "\n")
    code, words = ingest(f"source.path={tmp_path / 'my' / 'metadata.csv'}", "heads=[word]")
    assert code == 0
    last = words.splitlines()[-1]
    assert last.startswith(f"train on it ({why}" if why else "train on it: ")
    assert last.endswith(f" data.split.method={method}" if method else "data.task=word")


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
