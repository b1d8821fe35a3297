"""Features as one `.npy` per part of a clip, for those who want to open them with other tools.

Beside them a text file per clip: duration, level and silent segments, then start, length and level of each segment. Two
files are made and flushed for each clip, which takes longer than computing what is in them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from slu.common.files import atomic_write
from slu.training.feature_records import PART, WHOLE, Add, ClipFeatures, Digests, Parts, joined, stems


class NpyStore:
    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, digests: Digests) -> Parts:
        tables = []
        for digest in np.unique(digests[digests != b""]).tolist():
            try:
                tables.append(_load(self.root, digest))
            except (OSError, ValueError, EOFError):  # not there, or cut short by a crash of the machine
                continue
        return joined(tables)

    @contextmanager
    def writer(self) -> Iterator[Add]:
        yield self._write

    def references(self, parts: Parts) -> list[str]:
        root = self.root.resolve()
        return [f"{root}/{stem[:2]}/{stem}.npy" for stem in stems(parts)]

    def forget(self, digest: str) -> int:
        removed = 0
        for file in self.root.glob(f"{digest[:2]}/*{digest}*"):  # with what a killed writer left of it
            file.unlink(missing_ok=True)
            removed += 1
        return removed

    def _write(self, clip: ClipFeatures) -> None:
        for stem, values in zip(stems(clip.records), clip.values, strict=True):
            with atomic_write(self.root / stem[:2] / f"{stem}.npy", "wb") as file:
                np.save(file, values)
        first = clip.records[0]
        lines = [f"{first['duration_s']:.6f} {first['rms_db']:.2f} {first['silent']}"]
        if first["number"] != WHOLE:
            lines += [f"{part['start_s']:.6f} {part['part_s']:.6f} {part['part_db']:.2f}" for part in clip.records]
        # Last, for it is what says that the clip is here.
        stem = first["digest"].decode()
        with atomic_write(self.root / stem[:2] / f"{stem}.txt") as text:
            text.write("\n".join([*lines, ""]))


def _load(root: Path, digest: bytes) -> Parts:
    """Raises OSError, ValueError or EOFError when a part is not there or not whole."""
    stem = digest.decode()
    text = (root / stem[:2] / f"{stem}.txt").read_text()
    first, *lines = text.splitlines() or [""]
    duration_s, level, *silent = map(float, first.split())
    parts = np.zeros(max(1, len(lines)), PART)
    for name, value in (("digest", digest), ("duration_s", duration_s), ("rms_db", level)):
        parts[name] = value
    parts["silent"] = silent[0] if silent else 0
    if lines:
        parts["number"] = np.arange(len(lines))
        for place, line in enumerate(lines):
            parts["start_s"][place], parts["part_s"][place], parts["part_db"][place] = map(float, line.split())
    else:
        parts["number"], parts["part_s"], parts["part_db"] = WHOLE, duration_s, level
    for place, name in enumerate(stems(parts)):
        parts["frames"][place], parts["size"][place] = _shape(root / stem[:2] / f"{name}.npy")
    return parts


def _shape(path: Path) -> tuple[int, int]:
    """From the header; a memory map, which NumPy offers for this, costs three times as much."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"version {version}")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        frames, size = shape
        if os.fstat(file.fileno()).st_size != file.tell() + frames * size * dtype.itemsize:
            raise ValueError("the file is not whole")
    return frames, size
