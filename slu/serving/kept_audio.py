"""The sound of corrected answers, where it was asked for: in memory until a correction comes, and then a file.

A file is named after its content, and its ending is read from it: nothing that a client says becomes part of a path.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from slu.common.files import atomic_write
from slu.serving.job import Job
from slu.serving.settings import ServeSettings

FOLDER = "feedback_audio"
_ROOM = 64_000_000
"""Bytes in memory; beyond it, the sound of the oldest requests is forgotten."""
_DAY_S = 86_400.0
_ENDINGS = (
    (b"RIFF", "wav"), (b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "webm"), (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"), (b"\xff\xf3", "mp3"), (b"\xff\xf2", "mp3"), (b"\xff\xf1", "aac"), (b"\xff\xf9", "aac"),
)  # fmt: skip


@dataclass(frozen=True)
class AudioFile:
    sha256: str
    path: str
    """From the outputs on."""


class KeptAudio:
    """Does nothing unless settings say `keep_audio`, except for removing what is older than they allow."""

    def __init__(self, settings: ServeSettings, room: int = _ROOM) -> None:
        self.folder = Path(settings.outputs) / FOLDER
        self.keep, self.days, self.room = settings.keep_audio, settings.keep_audio_days, room
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()  # requests come from the event loop, corrections from threads

    def hold(self, job: Job) -> None:
        if not self.keep:
            return
        with self._lock:
            for name, data in zip(job.file_ids, job.files, strict=True):
                self._held[name] = data
                self._bytes += len(data)
            while self._bytes > self.room:
                self._bytes -= len(self._held.popitem(last=False)[1])

    def store(self, request_id: str) -> AudioFile | None:
        """On disk when it returns; None where the sound is not held. Raises OSError where it cannot be written."""
        with self._lock:
            data = self._held.get(request_id)
        if data is None:
            return None
        digest = hashlib.sha256(data).hexdigest()
        name = f"{digest}.{ending(data)}"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # voices are for nobody else on this machine
        with atomic_write(self.folder / name, "wb") as file:
            file.write(data)
        return AudioFile(digest, f"{FOLDER}/{name}")

    def sweep(self) -> None:
        """Remove what is older than its days; of a row whose file is gone, the labels stay."""
        oldest = time.time() - self.days * _DAY_S
        for file in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                if file.stat().st_mtime < oldest:
                    file.unlink()
            except OSError:  # another server was faster
                continue


def ending(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "m4a"
    return next((name for start, name in _ENDINGS if data.startswith(start)), "audio")
