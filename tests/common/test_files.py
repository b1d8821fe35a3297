"""Files and folders appear whole or not at all, and hashes are stable."""

import os
import stat
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.common.files import (
    atomic_directory,
    atomic_write,
    content_hash,
    from_here,
    read_json,
    settings_hash,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_crash_while_writing_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as file:
        file.write("old")

    def crash() -> None:
        with atomic_write(path) as file:
            file.write("half of the new")
            file.flush()
            assert path.read_text() == "old"
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        crash()
    assert path.read_text() == "old"
    assert names(path.parent) == ["a.txt"]


def test_written_files_are_readable_by_others(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.bin", "wb") as file:
        file.write(b"\x00\xff\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff\n"
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o644


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    def write(name: str) -> None:
        with atomic_write(tmp_path / name) as file:
            file.write("new")

    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    for name, kind in (("folder", "a folder"), ("pipe", "a device or a pipe"), ("null", "a device or a pipe")):
        with pytest.raises(UserError, match=f"{tmp_path / name} is {kind}, and is not replaced by a file"):
            write(name)
    assert (tmp_path / "folder").is_dir()
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "null").readlink() == Path(os.devnull)
    assert names(tmp_path) == ["folder", "null", "pipe"]
    write("n" * 255)  # the longest name there is
    assert (tmp_path / ("n" * 255)).read_text() == "new"


def test_json_keeps_order_and_letters(tmp_path: Path) -> None:
    value = {"z": "kafé", "a": [1, 2.5, None], "m": {"x": True}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert list(read_json(tmp_path / "a.json")) == ["z", "a", "m"]
    assert "kafé" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "corpus"
    with atomic_directory(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert (target / "a").read_text() == "1"
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_a_crash_keeps_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "corpus"
    with atomic_directory(target) as folder:
        (folder / "old").touch()

    def stop() -> None:
        with atomic_directory(target) as folder:
            (folder / "new").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert names(tmp_path) == ["corpus"]
    assert names(target) == ["old"]


def test_a_new_folder_replaces_the_old_one_entirely(tmp_path: Path) -> None:
    target = tmp_path / "corpus"
    for name in ("old", "new"):
        with atomic_directory(target) as folder:
            (folder / name).touch()
    assert names(tmp_path) == ["corpus"]
    assert names(target) == ["new"]


def test_content_hash_depends_on_the_bytes_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (1 << 20) + b"end")  # more than one block
    (tmp_path / "b").write_bytes(b"x" * (1 << 20) + b"end")
    (tmp_path / "c").write_bytes(b"x" * (1 << 20) + b"enD")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b")
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "c")
    assert len(content_hash(tmp_path / "a")) == 32


def test_settings_hash_is_the_same_everywhere() -> None:
    # Written down once: caches and bundles of other machines carry these digits.
    assert settings_hash({"b": 1, "a": [1, 2]}) == "7e9456cd43fd9337"
    assert settings_hash({"a": (1, 2), "b": 1}) == "7e9456cd43fd9337"
    assert settings_hash({"a": [1, 2], "b": 1.5}) != "7e9456cd43fd9337"
    assert settings_hash("a", "b") != settings_hash("ab")


def test_paths_below_the_user_are_shown_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_here(tmp_path / "outputs" / "x") == Path("outputs/x")
    assert from_here(tmp_path.parent) == tmp_path.parent


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="it is no regular file"):
            content_hash(path)
