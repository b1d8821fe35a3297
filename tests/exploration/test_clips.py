"""Each clip is measured once, whatever happens to the run; what cannot be read says why."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.exploration import cache as cache_module
from slu.exploration.cache import open_cache, read_clips
from slu.exploration.clips import ClipFacts, Unreadable, measured_table
from tests.conftest import RATE
from tests.exploration.helpers import utterance


def quiet(done: int, total: int) -> None:
    pass


def write(folder: Path, count: int) -> list[Path | None]:
    for seed in range(count):
        sf.write(folder / f"{seed}.wav", utterance(seed), RATE)
    return [folder / f"{seed}.wav" for seed in range(count)]


def test_facts_of_all_kinds_of_clips(tmp_path: Path) -> None:
    time = np.arange(44_100) / 44_100
    cut_off = np.clip(2.0 * np.sin(2 * np.pi * 200 * time), -0.99, 0.99)
    sf.write(tmp_path / "cut.wav", np.stack([cut_off, cut_off], axis=1), 44_100)
    sf.write(tmp_path / "silent.flac", np.zeros(8000), 8000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF1234WAVE")
    sf.write(tmp_path / "hour.wav", np.zeros(61 * 8000), 8000)
    names = ["cut.wav", "silent.flac", "broken.wav", "hour.wav", "gone.wav"]
    with open_cache(tmp_path / "cache") as cache:
        facts = read_clips([*(tmp_path / name for name in names), None], cache, quiet)
    table = measured_table(facts)
    assert table["format"].tolist() == ["WAV PCM_16", "FLAC PCM_16", "", "", "", ""]
    assert table["sample_rate"].iloc[:2].tolist() == [44_100, 8000]
    assert table["channels"].iloc[:2].tolist() == [2, 1]
    assert table["clipped_share"].iloc[0] == pytest.approx(2 / 3, abs=0.05)
    assert table["level_db"].iloc[1] == -120
    assert table["zero_share"].iloc[1] == 1
    assert "known format" in table["unreadable"].iloc[2]
    assert table["unreadable"].iloc[3] == "it lasts 61 s, the limit is 60 s"
    assert table["unreadable"].iloc[4] == "no such file or directory"
    assert table["unreadable"].iloc[5] == ""
    assert table["duration_s"].iloc[2:].isna().all()


def test_a_run_that_was_cut_short_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write(tmp_path, 6)
    measured: list[Path] = []
    measure = cache_module.measure_clip

    def counting(path: Path, file_hash: str) -> ClipFacts:
        if len(measured) == 4:
            raise KeyboardInterrupt
        measured.append(path)
        return measure(path, file_hash)

    monkeypatch.setattr(cache_module, "measure_clip", counting)
    with pytest.raises(KeyboardInterrupt), open_cache(tmp_path / "cache") as cache:
        read_clips(paths, cache, quiet)
    measured.clear()
    with open_cache(tmp_path / "cache") as cache:
        assert all(isinstance(found, ClipFacts) for found in read_clips(paths, cache, quiet))
    assert measured == paths[4:]


def test_what_is_kept_is_what_was_measured(tmp_path: Path) -> None:
    paths = write(tmp_path, 3)
    with open_cache(tmp_path / "cache") as cache:
        first = read_clips(paths, cache, quiet)
    with open_cache(tmp_path / "cache") as cache:
        again = read_clips(paths, cache, quiet)
    for one, other in zip(first, again, strict=True):
        assert isinstance(one, ClipFacts)
        assert isinstance(other, ClipFacts)
        assert (one.samples_hash, one.audio, one.measures) == (other.samples_hash, other.audio, other.measures)
        assert np.array_equal(one.fingerprint, other.fingerprint)
    sf.write(paths[0] or tmp_path, utterance(77), RATE)
    with open_cache(tmp_path / "cache") as cache:
        changed = read_clips(paths, cache, quiet)
    assert isinstance(changed[0], ClipFacts)
    assert isinstance(first[0], ClipFacts)
    assert changed[0].samples_hash != first[0].samples_hash


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    paths = write(tmp_path, 1)
    with open_cache(tmp_path / "cache") as cache:
        read_clips(paths, cache, quiet)
    (database,) = (tmp_path / "cache").iterdir()
    database.write_bytes(b"nothing that SQLite knows " * 100)
    with open_cache(tmp_path / "cache") as cache:
        assert isinstance(read_clips(paths, cache, quiet)[0], ClipFacts)


def test_a_cache_that_fails_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cache.*cannot be read or written \(database or disk is full\)"), open_cache(
        tmp_path / "cache"
    ):  # fmt: skip
        raise sqlite3.OperationalError("database or disk is full")


def test_nothing_to_read_is_a_table_without_rows() -> None:
    assert measured_table([]).empty
    assert measured_table([Unreadable("no"), None])["unreadable"].tolist() == ["no", ""]
