"""Writing files so that a reader never sees half of one, and hashing what they hold."""

import errno
import fcntl
import hashlib
import json
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from slu.common.errors import UserError

_PREFIX = 50
"""Letters of a file's name in that of its temporary file, which is longer and must still be short enough."""


@contextmanager
def atomic_write(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Yield a file that appears at `path` only when the block ends without an exception.

    The data are flushed to disk before the rename, so a power cut leaves the old file or the new one.

    Raises UserError where a folder, a device or a pipe is at `path`: the rename would put a file in its place.
    """
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise UserError(f"{path} is {kind}, and is not replaced by a file; name another place")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_PREFIX]}.")
    try:
        encoding = None if "b" in mode else "utf-8"
        newline = None if "b" in mode else ""
        with os.fdopen(handle, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes it private; outputs are meant to be shared
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """NaN and infinity, which JSON does not have, are written as null."""
    with atomic_write(path) as file:
        json.dump(_finite(value), file, ensure_ascii=False, indent=indent, allow_nan=False)
        file.write("\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a folder that appears at `path`, complete, only when the block ends without an exception.

    An existing folder at `path` is replaced; it stays in place until the new one is whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    os.chmod(temporary, 0o755)
    try:
        yield temporary
        if path.exists():
            old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
            os.replace(path, old / "replaced")
            os.replace(temporary, path)
            shutil.rmtree(old)
        else:
            os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Run the block in one process at a time: others wait for it at the same `path`, on this machine or on one that
    shares the disk. A process that dies lets the next one in. A disk without locks lets everybody in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def from_here(path: Path) -> Path:
    """As the user would type it: relative to where they stand, if it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def content_hash(path: Path) -> str:
    """BLAKE2b-128 of the file's bytes, as 32 hexadecimal digits.

    Raises OSError, also for what is no file: a pipe would be waited for, and a device has no end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def short_hash(digest: str) -> str:
    """48 of a content hash's 128 bits: enough to recognise a clip by, where thousands are listed in a small file."""
    return digest[:12]


def settings_hash(*values: Any) -> str:
    """A short hash of plain values (JSON types); equal settings give equal hashes on every machine."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
