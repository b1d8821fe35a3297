"""The sound of corrections, where it was asked for: in memory until a correction comes, and then a file.

Of every request there is a hash of its sound, by which two corrections of one clip are recognised.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from pathlib import Path

from slu.common.files import content_hash
from slu.feedback.audio import FOLDER, AudioFile, keep_audio
from slu.serving.job import Job
from slu.serving.settings import ServeSettings

_ROOM = 64_000_000
"""Bytes in memory; beyond it, the sound of the oldest requests is forgotten."""
_HASHES = 2000
"""More than answers that can still be corrected."""
_DAY_S = 86_400.0


class KeptAudio:
    """Keeps nothing but hashes unless settings say `keep_audio`; removes what is older than they allow."""

    def __init__(self, settings: ServeSettings, room: int = _ROOM) -> None:
        self.outputs = Path(settings.outputs)
        self.folder = self.outputs / FOLDER
        self.keep, self.days, self.room = settings.keep_audio, settings.keep_audio_days, room
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._hashes: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()  # requests come from the event loop, corrections from threads

    def hold(self, job: Job) -> None:
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in zip(job.file_ids, job.files, strict=True)}
        with self._lock:
            self._hashes |= hashes
            while len(self._hashes) > _HASHES:
                self._hashes.popitem(last=False)
            if not self.keep:
                return
            for name, data in zip(job.file_ids, job.files, strict=True):
                self._held[name] = data
                self._bytes += len(data)
            while self._bytes > self.room:
                self._bytes -= len(self._held.popitem(last=False)[1])

    def store(self, request_id: str) -> AudioFile | None:
        """On disk when it returns, or only a hash where the sound is not held; none where that is forgotten, too.
        Raises OSError where it cannot be written."""
        with self._lock:
            data, known = self._held.get(request_id), self._hashes.get(request_id)
        if data is not None:
            return keep_audio(data, self.outputs)
        return AudioFile(known, None) if known else None

    def sweep(self) -> None:
        """Remove what is older than its days, and features of it; of a row whose file is gone, the labels stay."""
        oldest = time.time() - self.days * _DAY_S
        for file in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                if file.stat().st_mtime < oldest:
                    from slu.training.feature_store import forget_features  # imports numpy

                    forget_features(self.outputs, content_hash(file))
                    file.unlink()
            except OSError:  # another server was faster
                continue
