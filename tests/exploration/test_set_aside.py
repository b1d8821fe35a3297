"""Every planted fault is named with its reason, and no clip without one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.exploration.dataset import from_manifest
from slu.exploration.durations import choose_limits
from slu.exploration.findings import Findings
from slu.exploration.record import pairs_table, write_kept, write_record
from slu.exploration.set_aside import set_aside_table
from tests.conftest import RATE
from tests.exploration.helpers import COPIES, findings_of, rows_of, utterance, write_corpus


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """60 clips, 12 speakers; the first twelve rows have a fault each, in the order of `PLANTED`."""
    folder = tmp_path_factory.mktemp("faulty")
    rows = rows_of(60)
    rows[7]["word"], rows[8]["word"] = "yes", "no"
    rows[6]["word"] = ""
    time = np.arange(RATE) / RATE
    waves = {
        "audio/000.wav": np.zeros(RATE),
        "audio/001.wav": 1e-5 * utterance(1),
        "audio/002.wav": utterance(2, 0.05),
        "audio/003.wav": utterance(3, 8.0),
        "audio/004.wav": np.clip(2 * np.sin(2 * np.pi * 150 * time), -0.99, 0.99),
        "audio/007.wav": utterance(500),
        "audio/008.wav": 0.5 * utterance(500),
        "audio/009.wav": utterance(24),
        "audio/010.wav": COPIES["all of it"](utterance(26)),
    }
    path = write_corpus(folder, rows, waves)
    (folder / "audio/005.wav").write_bytes(b"RIFF, and nothing more")
    (folder / "audio/011.wav").unlink()
    return findings_of(from_manifest(path, ["word"]), folder)


PLANTED = {
    0: ("silent", True),
    1: ("silent", False),
    2: ("too short", True),
    3: ("too long", True),
    4: ("clipped", False),
    5: ("unreadable", True),
    6: ("no label", False),
    7: ("conflicting labels", False),
    8: ("conflicting labels", False),
    9: ("duplicate", False),
    10: ("near-duplicate", False),
    11: ("missing audio", False),
}


def test_each_planted_fault_and_nothing_else(faulty: Findings) -> None:
    # 009 trains and its twin 024 too: the first stays. 010 is of the validation, so its twin in training goes.
    planted = {**PLANTED, 24: PLANTED[9], 26: PLANTED[10]}
    del planted[9], planted[10]
    assert {row: (reason.kind, reason.skipped) for row, reason in faulty.set_aside.items()} == planted


def test_reasons_can_be_acted_on(faulty: Findings) -> None:
    details = {row: reason.detail for row, reason in faulty.set_aside.items()}
    where = faulty.dataset.table["where"]
    assert details[0] == "every sample is zero"
    assert details[2] == "0.05 s, less than 0.1 s"
    assert details[3].startswith("8.00 s, more than")
    assert details[7] == f"the same recording has word 'yes' ({where[7]}) but 'no' ({where[8]})"
    assert details[26] == f"the same recording as {where[10]}"


def test_the_files_that_are_left(faulty: Findings, tmp_path: Path) -> None:
    write_record(tmp_path, faulty, ["one"], [], [])
    aside = pd.read_csv(tmp_path / "set_aside.csv", keep_default_na=False)
    assert len(aside) == len(faulty.set_aside)
    assert aside["left_out_by"].value_counts().to_dict() == {"you": 8, "data.on_bad_audio=skip": 4}
    pairs = pd.read_csv(tmp_path / "near_duplicates.csv", keep_default_na=False)
    assert pairs["kind"].tolist().count("identical") == 1
    across = pairs[pairs["across_splits"]]
    assert across[["split_first", "split_second"]].to_numpy().tolist() == [["val", "train"]]
    assert pairs["different_labels"].tolist().count("word") >= 1
    assert set_aside_table(faulty.dataset, {}).empty
    assert list(pairs_table(faulty).columns) == list(pairs.columns)


def test_the_table_without_them(faulty: Findings) -> None:
    manifest = Path(faulty.dataset.table["where"].iloc[0].partition(":")[0])
    kept = write_kept(manifest, "kept.csv", faulty)
    table = pd.read_csv(kept)
    assert len(table) == 60 - len(faulty.set_aside)
    assert not set(table["file_name"]) & {f"audio/{row:03d}.wav" for row in faulty.set_aside}
    assert list(table.columns) == list(pd.read_csv(manifest).columns)
    for name, words in (("kept.csv", "exists already"), ("up/kept.csv", "give a file name"), ("x", "give a file name")):
        with pytest.raises(UserError, match=words):
            write_kept(manifest, name, faulty)
    kept.unlink()


def test_silence_does_not_move_the_durations(tmp_path: Path) -> None:
    path = write_corpus(tmp_path, rows_of(24), {"audio/000.wav": np.zeros(30 * RATE)})
    findings = findings_of(from_manifest(path, ["word"]), tmp_path)
    assert findings.durations is not None
    assert not findings.durations.changed
    assert findings.set_aside[0].kind == "silent"


DURATIONS = np.random.default_rng(0).uniform(0.3, 0.9, 200)


def test_limits_stay_where_they_do_no_harm() -> None:
    limits = choose_limits(DURATIONS, (0.1, 10.0))
    assert limits is not None
    assert (limits.min_s, limits.max_s, limits.changed, limits.outside) == (0.1, 10.0, False, 0)


def test_limits_move_for_outliers_and_for_regular_clips() -> None:
    limits = choose_limits(np.append(DURATIONS, [7.5, 0.02]), (0.0, 10.0))
    assert limits is not None
    assert (limits.min_s, limits.max_s, limits.changed, limits.outside) == (0.3, 0.9, True, 2)
    wider = choose_limits(10 * DURATIONS, (0.1, 5.0))
    assert wider is not None
    assert (wider.min_s, wider.max_s, wider.outside) == (0.1, 9.0, 0)


def test_few_clips_have_no_outliers() -> None:
    limits = choose_limits(np.array([0.5, 0.6, 9.0]), (0.1, 10.0))
    assert limits is not None
    assert not limits.changed
    assert choose_limits(np.zeros(0), (0.1, 10.0)) is None


def test_clips_of_one_length_are_all_regular() -> None:
    limits = choose_limits(np.array([3.0] * 100 + [1.6]), (0.1, 10.0))
    assert limits is not None
    assert limits.regular_s == (1.6, 3.0)


def test_a_format_that_only_av_reads_is_named(tmp_path: Path) -> None:
    rows = rows_of(2, speakers=2)
    path = write_corpus(tmp_path, rows)
    sf.write(tmp_path / "audio/001.wav", utterance(9), RATE, format="OGG", subtype="VORBIS")
    findings = findings_of(from_manifest(path, ["word"]), tmp_path)
    assert findings.measured["format"].tolist() == ["WAV PCM_16", "OGG VORBIS"]
