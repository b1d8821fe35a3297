"""The kept sound of corrections: where it lies, which side of the hold-out it is on, and what can be measured of it.

A file is named after its content, and its ending is read from it: nothing that a client says becomes part of a path.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from slu.common.files import atomic_write, content_hash
from slu.feedback.schema import HOLDOUT, TRAIN

FOLDER = "feedback_audio"
HOLDOUT_SHARE = 0.2
LONGEST_S = 300.0
"""That is decoded for measuring."""
_RATE = 16_000
_ENDINGS = (
    (b"RIFF", "wav"), (b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "webm"), (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"), (b"\xff\xf3", "mp3"), (b"\xff\xf2", "mp3"), (b"\xff\xf1", "aac"), (b"\xff\xf9", "aac"),
)  # fmt: skip


@dataclass(frozen=True)
class AudioFile:
    sha256: str
    path: str | None
    """From the outputs on; none where only the hash is kept."""
    digest: str | None = None
    """By which features of it are cached (slu.common.files.content_hash)."""


@dataclass(frozen=True)
class Sound:
    duration_s: float
    level_db: float
    snr_db: float
    """As slu.audio.measure estimates them."""


def split_of(audio_sha256: str) -> str:
    """`train` or `holdout`, drawn by the content: the same clip is on one side whenever and wherever it arrives."""
    drawn = int.from_bytes(hashlib.sha256(f"slu feedback split {audio_sha256}".encode()).digest()[:4], "big")
    return HOLDOUT if drawn < HOLDOUT_SHARE * 2**32 else TRAIN


def place_of(data: bytes) -> str:
    """Where the bytes of a file are kept, from the outputs on."""
    return f"{FOLDER}/{hashlib.sha256(data).hexdigest()}.{ending(data)}"


def keep_audio(data: bytes, outputs: Path) -> AudioFile:
    """On disk when it returns. Raises OSError where it cannot be written."""
    place = place_of(data)
    path = outputs / place
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # voices are for nobody else on this machine
    with atomic_write(path, "wb") as file:
        file.write(data)
    return AudioFile(path.stem, place, content_hash(path))


def measure_sound(source: Path | bytes) -> Sound:
    """Raises slu.audio.decode.AudioError for what is not usable audio."""
    from slu.audio.decode import AudioLimits, decode  # the process that speaks HTTP does without
    from slu.audio.measure import measure

    known = measure(decode(source, _RATE, AudioLimits(LONGEST_S, truncate=True)), _RATE)
    return Sound(round(known.duration_s, 3), round(known.level_db, 2), round(known.snr_db, 2))


def ending(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "m4a"
    return next((name for start, name in _ENDINGS if data.startswith(start)), "audio")
