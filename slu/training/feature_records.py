"""What is known of features on disk: a record per part of a clip, which is the whole clip or one of its segments."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WHOLE = -1
"""The number of the only part of a clip that is heard whole; segments count from 0."""

PART = np.dtype(
    [
        ("digest", "S32"),  # content hash of the audio
        ("number", "i4"),
        ("duration_s", "f8"),  # of the clip, and its level
        ("rms_db", "f8"),
        ("silent", "i4"),  # segments of the clip that are left out
        ("start_s", "f8"),  # of the part, and so on
        ("part_s", "f8"),
        ("part_db", "f8"),
        ("frames", "i4"),
        ("size", "i4"),
        ("file", "i4"),  # of those that the store found, and where in it
        ("offset", "i8"),
    ]
)
"""A table of parts, not a list of objects: a hundred bytes per part, however many clips a corpus has."""

Parts = NDArray[np.void]
Digests = NDArray[np.bytes_]


@dataclass(frozen=True)
class ClipFeatures:
    """The parts of one clip, in order; file and offset are for the store to say."""

    records: Parts
    values: list[NDArray[np.float32]]
    """(frames, size) of each part."""


class Add(Protocol):
    def __call__(self, clip: ClipFeatures) -> None: ...


class FeatureStore(Protocol):
    """Features under one folder, which stands for the settings of the front end that they were computed with.

    Whatever it finds was computed from audio of just that content. Processes may write to one store at the same time;
    what a killed one had not finished is not found, and nothing else is lost.
    """

    def __init__(self, root: Path) -> None: ...

    def find(self, digests: Digests) -> Parts:
        """All parts of those clips that are here and whole, sorted by digest and number, no clip twice."""
        ...

    def writer(self) -> AbstractContextManager[Add]:
        """What is added is on disk at the latest when the block ends."""
        ...

    def references(self, parts: Parts) -> list[str]:
        """What `read_features` takes, of parts found here; ends in `/<digest>` or `/<digest>-<number>` and a suffix."""
        ...

    def forget(self, digest: str) -> int:
        """Remove what is here of one clip, for a recording that has to be erased; how many parts or files."""
        ...


def stems(parts: Parts) -> list[str]:
    pairs = zip(parts["digest"].tolist(), parts["number"].tolist(), strict=True)
    return [d.decode() if n == WHOLE else f"{d.decode()}-{n:04d}" for d, n in pairs]


def no_parts() -> Parts:
    return np.zeros(0, PART)


def joined(tables: list[Any]) -> Parts:
    return np.concatenate([no_parts(), *tables])
