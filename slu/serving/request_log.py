"""One JSON line per request: what was answered and how long it took; nothing of the sound, and nothing of who asked."""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from slu.common.errors import UserError
from slu.serving.facts import NAMES


class RequestLog:
    """`name` is of a file, or `-` for standard output."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._file: TextIO | None = None

    def require_writable(self) -> None:
        """Raises UserError, before anybody asks."""
        if self.name != "-":
            try:
                Path(self.name).open("a").close()
            except OSError as error:
                raise UserError(f"log={self.name}: {error.strerror}") from None

    def write(self, status: int, document: Mapping[str, Any], ms: float) -> None:
        with suppress(OSError):  # of a full disk, or a pipe that nobody reads: the answer is worth more than its line
            self._write(status, document, ms)

    def _write(self, status: int, document: Mapping[str, Any], ms: float) -> None:
        file = self._open()
        facts: dict[str, Any] = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "status": status}
        facts |= {"ms": round(ms, 1)} | _told(document)
        if "results" in document:
            facts["results"] = [_told(one) for one in document["results"]]
        file.write(json.dumps(facts, ensure_ascii=False) + "\n")  # at once: others write there, too
        file.flush()

    def _open(self) -> TextIO:
        """Another file once that of this name is not the one that was opened: a log is rotated by renaming it."""
        if self.name == "-":
            return sys.stdout
        if self._file is not None and not self._is_there(self._file):
            with suppress(OSError):
                self._file.close()
            self._file = None
        if self._file is None:
            self._file = Path(self.name).open("a", encoding="utf-8")  # noqa: SIM115
        return self._file

    def _is_there(self, file: TextIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), Path(self.name).stat())
        except OSError:
            return False


_TOLD = ("request_id", "detail", "error", "labels", "confidence", "understood", "reason", *NAMES, "model_version",
         "timings_ms")  # fmt: skip


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in _TOLD if name in document}
