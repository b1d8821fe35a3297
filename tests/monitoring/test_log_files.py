"""Rotated, compressed, half-written, broken: every whole line is read once."""

import gzip
import os
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.monitoring import log_files
from slu.monitoring.log_files import Read, log_paths, read_lines


def rotated(folder: Path) -> Path:
    """Three generations, the oldest compressed, and files that belong to others."""
    for age, (name, text) in enumerate({"access.log": "new\n", "access.log.1": "old\n"}.items()):
        (folder / name).write_text(text)
        os.utime(folder / name, (1000 - age, 1000 - age))
    with gzip.open(folder / "access.log.2.gz", "wt") as file:
        file.write("oldest\n")
    os.utime(folder / "access.log.2.gz", (900, 900))
    for name in ("access.log.bak", "access.logs", "other.log", "access.log.lock"):
        (folder / name).write_text("of others\n")
    return folder / "access.log"


def test_rotated_files_are_read_from_the_oldest(tmp_path: Path) -> None:
    read = Read()
    path = rotated(tmp_path)
    assert list(read_lines([str(path)], read)) == [b"oldest\n", b"old\n", b"new\n"]
    assert (len(read.files), read.lines) == (3, 3)


def test_dates_patterns_and_several_names(tmp_path: Path) -> None:
    for name in ("a.log", "a.log-20260131", "a.log-2026-02-28.gz", "b.log"):
        (tmp_path / name).write_text("x\n")
    assert len(log_paths([str(tmp_path / "a.log")])) == 3
    assert len(log_paths([str(tmp_path / "*.log")])) == 2
    assert len(log_paths([str(tmp_path / "*.log"), str(tmp_path / "a.log")])) == 4


def test_a_file_that_is_just_being_compressed_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "a.log.1").write_text("y\n")
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(b"y\n")[:8])
    assert sorted(read_lines([str(tmp_path / "a.log")], Read())) == [b"x\n", b"y\n"]


def test_two_names_of_one_file_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    os.link(tmp_path / "a.log", tmp_path / "a.log.1")
    assert list(read_lines([str(tmp_path / "a.log")], Read())) == [b"x\n"]


def test_a_rotation_between_listing_and_opening_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, listed = tmp_path / "a.log", log_files.log_paths
    path.write_text("first\n")
    moves = iter([True])

    def list_then_rotate(names: list[str]) -> list[Path]:
        found = listed(names)
        if next(moves, False):
            path.rename(tmp_path / "a.log.1")
            path.write_text("second\n")
        return found

    monkeypatch.setattr(log_files, "log_paths", list_then_rotate)
    assert sorted(read_lines([str(path)], Read())) == [b"first\n", b"second\n"]


def test_a_compressed_file_that_ends_too_early_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b"line %d\n" % n for n in range(2000)))
    (tmp_path / "a.log.gz").write_bytes(whole[: len(whole) // 2])
    read = Read()
    assert len(list(read_lines([str(tmp_path / "a.log.gz")], read))) > 100
    assert read.damaged == [str(tmp_path / "a.log.gz")]


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"x" * (3 << 20) + b"\nlast\n")
    pieces = list(read_lines([str(tmp_path / "a.log")], Read()))
    assert max(len(piece) for piece in pieces) == 1 << 20
    assert pieces[-1] == b"last\n"


@pytest.mark.parametrize("name", ["nothing.log", "*.nothing", "folder"])
def test_a_log_that_is_not_there_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="there is no such file"):
        list(read_lines([str(tmp_path / name)], Read()))
