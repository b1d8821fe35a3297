"""Features of up to 64 clips per file: few files, few flushes to the disk, and a clip is one read of a known place.

A shard is the table of its parts, as `np.save` writes it, and then their frames one after the other, as float32. Its
name is the hash of what it holds, so that two runs which compute the same clips write the same file.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slu.common.files import atomic_write
from slu.training.feature_records import PART, Add, ClipFeatures, Digests, Parts, joined, no_parts, stems

SUFFIX = ".shard"
CLIPS = 64
_BYTES = 16 << 20
"""A shard is written when it holds so much: a writer's memory does not grow with the length of recordings."""
_VALUE = np.dtype("<f4")
_NOBODY = b"erased"
"""In place of a digest; no digest is so short, and an empty one stands for a file that cannot be read."""
_OLD_S = 600.0
"""No writer takes so long for one file."""


class ShardStore:
    def __init__(self, root: Path) -> None:
        self.root, self.files = root, list[str]()

    def find(self, digests: Digests) -> Parts:
        self.files = sorted(str(path) for path in self.root.glob(f"??/*{SUFFIX}"))
        wanted = np.unique(digests)
        if not len(wanted):
            return no_parts()
        tables = []
        for number, path in enumerate(self.files):
            table = _whole_index(path)
            if table is not None:
                table["file"] = number
                place = np.searchsorted(wanted, table["digest"]).clip(max=len(wanted) - 1)
                tables.append(table[wanted[place] == table["digest"]])
        found = joined(tables)
        found = found[np.lexsort((found["number"], found["file"], found["digest"]))]
        # A clip that two runs computed at once stands in two shards: all its parts are taken from the first.
        _, first, clip = np.unique(found["digest"], return_index=True, return_inverse=True)
        return found[found["file"] == found["file"][first][clip]] if len(found) else found

    @contextmanager
    def writer(self) -> Iterator[Add]:
        held: list[ClipFeatures] = []
        size = 0

        def add(clip: ClipFeatures) -> None:
            nonlocal size
            held.append(clip)
            size += sum(values.nbytes for values in clip.values)
            if size >= _BYTES or len(held) >= CLIPS:
                self._write(held)
                held.clear()
                size = 0

        yield add
        if held:
            self._write(held)

    def references(self, parts: Parts) -> list[str]:
        files = [str(Path(path).resolve()) for path in self.files]
        rows = zip(*(parts[name].tolist() for name in ("file", "offset", "frames", "size")), stems(parts), strict=True)
        return [f"{files[file]}/{offset}+{frames}x{size}/{stem}.f4" for file, offset, frames, size, stem in rows]

    def forget(self, digest: str) -> int:
        """Its frames become zeros and its records nobody's, in place: what a training has open of the other clips stays
        where it is, and nothing has to be computed again."""
        forgotten = 0
        for path in (str(path) for path in self.root.glob(f"??/*{SUFFIX}")):
            table = _whole_index(path)
            rows = np.flatnonzero(table["digest"] == digest.encode()) if table is not None else ()
            if table is not None and len(rows):
                _blank(path, table, rows)
                forgotten += len(rows)
        before = time.time() - _OLD_S
        for rest in self.root.glob(f"??/.*{SUFFIX}.*"):  # of killed writers, with whatever clips they had
            with suppress(FileNotFoundError):
                if rest.stat().st_mtime < before:
                    rest.unlink()
        return forgotten

    def _write(self, clips: list[ClipFeatures]) -> None:
        records = np.concatenate([clip.records for clip in clips])
        values = [part.astype(_VALUE, copy=False) for clip in clips for part in clip.values]
        records["offset"] = np.cumsum([0, *(part.nbytes for part in values)])[:-1]  # from the end of the table
        name = hashlib.blake2b("\n".join(stems(records)).encode(), digest_size=16).hexdigest()
        with atomic_write(self.root / name[:2] / f"{name}{SUFFIX}", "wb") as file:
            np.save(file, records)
            for part in values:
                file.write(np.ascontiguousarray(part).data)


def _whole_index(path: str) -> Parts | None:
    """The table of a shard, its offsets from the start of the file; None for one that is damaged or gone."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            table: Parts = np.load(file)
            start, length = file.tell(), os.fstat(file.fileno()).st_size
            values = int((table["frames"].astype(np.int64) * table["size"]).sum()) * _VALUE.itemsize
            table["offset"] += start
    except (OSError, ValueError, EOFError, IndexError, TypeError):
        return None
    return table if length == start + values else None


def _blank(path: str, table: Parts, rows: Iterable[int]) -> None:
    """Frames first: a record that still names its clip is found again, should this be cut short."""
    values = int((table["frames"].astype(np.int64) * table["size"]).sum()) * _VALUE.itemsize
    with open(path, "r+b") as file:  # noqa: PTH123
        records = os.fstat(file.fileno()).st_size - values - table.nbytes
        for row in rows:
            file.seek(int(table["offset"][row]))
            file.write(bytes(int(table["frames"][row]) * int(table["size"][row]) * _VALUE.itemsize))
        file.flush()
        os.fsync(file.fileno())
        for row in rows:
            file.seek(records + int(row) * PART.itemsize)  # the digest is a record's first field
            file.write(_NOBODY.ljust(PART["digest"].itemsize, b"\0"))
        file.flush()
        os.fsync(file.fileno())


def read_part(reference: str) -> NDArray[np.float32]:
    """(frames, size). Raises OSError when the shard is gone, ValueError when it is shorter than it was."""
    path, place, _ = reference.rsplit("/", 2)
    offset, shape = place.split("+")
    frames, size = map(int, shape.split("x"))
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        file.seek(int(offset))
        values = np.fromfile(file, _VALUE, frames * size)
    return values.reshape(frames, size)
