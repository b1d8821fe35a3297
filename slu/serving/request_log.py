"""One JSON line per request: what was answered and how long it took; nothing of the sound, and nothing of who asked."""

import json
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from slu.common.errors import UserError


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
        if self._file is None:
            self._file = sys.stdout if self.name == "-" else Path(self.name).open("a", encoding="utf-8")  # noqa: SIM115
        facts: dict[str, Any] = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "status": status}
        facts |= {"ms": round(ms, 1)} | _told(document)
        if "results" in document:
            facts["results"] = [_told(one) for one in document["results"]]
        self._file.write(json.dumps(facts, ensure_ascii=False) + "\n")  # at once: others write there, too
        self._file.flush()


_TOLD = ("request_id", "detail", "error", "labels", "confidence", "understood", "reason", "duration_s", "level_db",
         "frames", "mel_mean", "mel_std", "model_version", "timings_ms")  # fmt: skip


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in _TOLD if name in document}
