"""The lines of a log that is being written to and rotated meanwhile, from the oldest file to the newest.

Every file is opened before the first is read, and then the files are listed again: where others are there by now, all
are opened anew, so that no line is read twice or missed because of a rotation.
"""

import glob
import gzip
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from slu.common.errors import UserError

_LONGEST = 1 << 20
"""Bytes of a line; a server's have some hundreds."""
_TRIES = 5
_ROTATED = re.compile(r"[.-](\d+|\d{4}-\d{2}-\d{2})")


@dataclass
class Read:
    """What was read, and what could not be."""

    files: list[str] = field(default_factory=list)
    lines: int = 0
    bytes: int = 0
    broken: int = 0
    """Lines that are no answer of a server."""
    unfinished: int = 0
    """Last lines that are being written."""
    damaged: list[str] = field(default_factory=list)
    """Compressed files that end too early."""


def log_paths(names: Sequence[str]) -> list[Path]:
    """Of paths and patterns; a plain path stands for its rotated files, too (`access.log.1`, `access.log-20260131.gz`).

    The oldest first, as far as their names and times of change tell. Raises UserError where there is none.
    """
    found: dict[Path, None] = {}
    for name in names:
        matches = glob.glob(name) if glob.has_magic(name) else None  # noqa: PTH207 (takes absolute patterns)
        own = _with_rotated(Path(name)) if matches is None else [Path(match) for match in matches]
        own = [path for path in own if path.is_file()]
        if not own:
            raise UserError(f"log={name}: there is no such file; `python -m slu.serve log=FILE` writes one")
        found |= dict.fromkeys(own)
    plain = {path for path in found if path.suffix != ".gz"}
    paths = [path for path in found if path.suffix != ".gz" or path.with_suffix("") not in plain]  # being compressed
    return sorted(paths, key=lambda path: (_changed(path), str(path)))


def read_lines(names: Sequence[str], read: Read) -> Iterator[bytes]:
    """One by one, without their ends; a broken one may come in pieces. `read` is counted up as they are read.

    Raises UserError where a file cannot be opened.
    """
    with ExitStack() as stack:
        for path, file in _opened(names, stack):
            read.files.append(str(path))
            yield from _lines(path, file, read)


def _opened(names: Sequence[str], stack: ExitStack) -> list[tuple[Path, IO[bytes]]]:
    for _ in range(_TRIES):
        files: dict[tuple[int, int], tuple[Path, IO[bytes]]] = {}
        with ExitStack() as these:
            try:
                for path in log_paths(names):
                    file = these.enter_context(path.open("rb"))
                    files.setdefault(_identity(os.fstat(file.fileno())), (path, file))
                if {_identity(path.stat()) for path in log_paths(names)} == set(files):
                    stack.push(these.pop_all())
                    return list(files.values())
            except FileNotFoundError:  # renamed between listing and opening
                continue
            except OSError as error:
                raise UserError(f"log: {error.filename} cannot be read: {error.strerror}") from None
    raise UserError("log: its files are renamed faster than they can be opened; try again")


def _identity(status: os.stat_result) -> tuple[int, int]:
    """Of a file, whatever it is called."""
    return status.st_dev, status.st_ino


def _lines(path: Path, file: IO[bytes], read: Read) -> Iterator[bytes]:
    compressed = file.peek(2)[:2] == b"\x1f\x8b" if hasattr(file, "peek") else False
    stream: IO[bytes] = gzip.GzipFile(fileobj=file) if compressed else file  # type: ignore[assignment]
    try:
        while line := stream.readline(_LONGEST):
            read.bytes += len(line)
            read.lines += 1
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error):
        read.damaged.append(str(path))


def _with_rotated(path: Path) -> list[Path]:
    own = [path] if path.is_file() else []
    if not path.parent.is_dir():
        return own
    rest = len(path.name)
    return own + [
        other
        for other in path.parent.iterdir()
        if other.name.startswith(path.name) and _ROTATED.fullmatch(other.name[rest:].removesuffix(".gz"))
    ]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
