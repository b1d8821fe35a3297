"""Arrays kept on disk, chunk by chunk and condition by condition, so that an interrupted evaluation goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from slu.common.files import atomic_write
from slu.evaluation.conditions import Condition


class KeptArrays:
    """One `.npz` file per chunk, under a folder named after everything that they depend on; without one, nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def read(self, condition: Condition, start: int) -> dict[str, Any] | None:
        """None when the chunk is not there, or was cut short by a crash of the machine."""
        if self.folder is None:
            return None
        try:
            with np.load(self._path(self.folder, condition, start), allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile):
            return None

    def write(self, condition: Condition, start: int, arrays: Mapping[str, Any]) -> None:
        if self.folder is not None:
            with atomic_write(self._path(self.folder, condition, start), "wb") as file:
                np.savez(file, **arrays)

    def clear(self) -> None:
        """Forget what was answered before."""
        if self.folder is not None and self.folder.is_dir():
            for path in self.folder.rglob("*.npz"):
                path.unlink()

    def _path(self, folder: Path, condition: Condition, start: int) -> Path:
        return folder / condition.key / f"{start:08d}.npz"
