"""Planted faults are found by name, on their line, and nothing beside them; clean data have none."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from slu.corpus.manifest import read_manifest
from slu.validation.findings import KINDS
from slu.validation.tables import Labels, find_tables, list_folder
from slu.validation.validate import validate
from tests.conftest import RATE
from tests.exploration.helpers import utterance
from tests.validation.helpers import FAULTS, HEADS, LIMITS, Corpus, found, riff_of_unknown_size, validated, write_clean


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_clean(tmp_path_factory.mktemp("clean") / "my")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips without a fault are measured once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def corpus(clean: Corpus, tmp_path: Path) -> Corpus:
    shutil.copytree(clean.folder, tmp_path / "my")
    return Corpus(tmp_path / "my")


def test_clean_data_have_no_fault(corpus: Corpus, cache: Path, tones: Path) -> None:
    validation = validated(corpus, cache)
    assert validation.findings == []
    assert validation.counts == {"ok": 12, "warning": 0, "error": 0}
    assert read_manifest(corpus.table, HEADS.heads).table.shape == (12, 5)
    short = validate([tones], [], Labels(names=("pitch", "length")), [], LIMITS, cache)
    assert {finding.kind for finding in short.findings} == {"near copy"}  # one speaker's tones of one pitch are alike
    assert short.verdict == "warning"


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(corpus: Corpus, cache: Path, name: str) -> None:
    FAULTS[name].plant(corpus)
    validation = validated(corpus, cache)
    assert found(validation) == FAULTS[name].kinds
    severities = {KINDS[kind].severity for kind in FAULTS[name].kinds}
    assert validation.verdict == ("error" if "error" in severities else "warning")


def test_all_faults_that_go_together_are_found_at_once(corpus: Corpus, cache: Path) -> None:
    for line, name in enumerate(("a file without a byte", "digital silence"), start=2):
        FAULTS[name].plant(_shifted(corpus, line - 3))
    corpus.edit(13, speaker="s0", word="maybe")
    assert found(validated(corpus, cache)) == {
        "empty file": (2,), "silent": (3,), "unknown label": (13,), "speaker leak": (13,)
    }  # fmt: skip


def _shifted(corpus: Corpus, lines: int) -> Corpus:
    class Shifted(Corpus):
        def clip(self, line: int) -> Path:
            return super().clip(line + lines)

    return Shifted(corpus.folder)


def test_every_kind_has_a_planted_fault() -> None:
    planted = {kind for fault in FAULTS.values() for kind in fault.kinds} | {"label spelling"}
    assert planted == set(KINDS)
    assert len(FAULTS) >= 20


def test_labels_without_classes_are_compared_with_each_other(corpus: Corpus, cache: Path) -> None:
    corpus.edit(3, word="No ")
    validation = validated(corpus, cache, Labels(names=("word",)))
    assert found(validation) == {"label spelling": (3,)}
    assert validation.findings[0].detail == "word 'No' is 'no' in 5 other rows"
    unlabelled = validated(corpus, cache, Labels())
    assert unlabelled.findings == []
    assert unlabelled.notes == ("Labels were not looked at: give menu=, spec= or heads=[…].",)


def test_lines_are_those_of_an_editor(corpus: Corpus, cache: Path) -> None:
    """Blank lines count, and so do the lines of a cell that has several."""
    corpus.replace("audio/02.wav,yes,s0,train,r2", '\naudio/02.wav,yes,s0,train,"r2\nand more"')
    corpus.replace("audio/05.wav,no", "audio/05.wav,perhaps")
    assert found(validated(corpus, cache)) == {"unknown label": (7,)}


def test_a_table_of_windows_with_semicolons_and_capitals(corpus: Corpus, cache: Path) -> None:
    header, _, rows = corpus.table.read_text().partition("\n")
    corpus.table.write_text(f"{header.upper()}\n{rows}".replace("/", "\\").replace(",", ";"))
    assert validated(corpus, cache).findings == []
    corpus.replace("audio\\05.wav;no", "audio\\05.wav;perhaps")
    corpus.replace("s0;train;r3", "s0;train;r3;more")
    assert {(f.kind, f.file, f.line) for f in validated(corpus, cache).findings} == {
        ("unknown label", corpus.clip(5), 5), ("more fields", corpus.clip(3), 3)
    }  # fmt: skip


def test_all_columns_that_are_missing_are_named_at_once(corpus: Corpus, cache: Path) -> None:
    corpus.replace("file_name,word", "clip,wort")
    (finding,) = validated(corpus, cache).findings
    assert finding.kind == "no column"
    assert finding.detail == (
        "there are no columns 'file_name', 'word'; there are clip, wort, speaker, split, recording; "
        "nearest: 'wort' for 'word'"
    )


def test_copies_are_found_between_tables(corpus: Corpus, cache: Path, tmp_path: Path) -> None:
    other = write_clean(tmp_path / "other")
    for number in range(12):
        other.write(number + 2, utterance(200 + number))
    other.write(3, corpus.wave(13))
    validation = validate([corpus.table, other.table], [], HEADS, [], LIMITS, cache)
    (finding,) = validation.findings
    assert (finding.kind, finding.table, finding.line) == ("copy across splits", other.table, 3)
    assert finding.detail == f"the same recording as {corpus.table}:13 (audio/13.wav) in test"


def test_recordings_without_a_table(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    for number in range(3):
        sf.write(folder / f"{number}.wav", utterance(number), RATE)
    (folder / "3.amr").write_bytes(b"#!AMR\n" + bytes(40))
    (folder / "notes.txt").write_text("from Ani")
    (folder / "2.wav").write_bytes(riff_of_unknown_size((folder / "2.wav").read_bytes()))
    validation = validate([], [folder], Labels(), [], LIMITS, cache)
    assert [(f.kind, f.file.name, f.place) for f in validation.findings] == [
        ("unreadable", "3.amr", (folder / "3.amr", 1))
    ]
    assert validation.counts["ok"] == 3
    assert [path.name for path in list_folder(folder).rows.audio if path] == ["0.wav", "1.wav", "2.wav", "3.amr"]


def test_tables_below_a_folder(corpus: Corpus, tmp_path: Path) -> None:
    write_clean(tmp_path / "my" / "more")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "metadata.csv").touch()
    assert find_tables(tmp_path) == [corpus.table, tmp_path / "my/more/metadata.csv"]


def test_a_level_shift_is_no_fault(corpus: Corpus, cache: Path) -> None:
    """Loud, but not cut off."""
    wave = corpus.wave(3)
    corpus.write(3, 0.99 * wave / np.abs(wave).max())
    assert validated(corpus, cache).findings == []
