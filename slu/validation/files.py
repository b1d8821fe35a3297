"""What is wrong with a recording by itself: its file first, then what it holds."""

import struct
from collections.abc import Iterator
from pathlib import Path

import soundfile as sf

from slu.corpus.audio_finder import AUDIO_SUFFIXES
from slu.exploration.clips import LONGEST_S, ClipFacts, Unreadable
from slu.validation.settings import Limits

_CONTAINERS = {
    ".wav": ("WAV", "RF64"),
    ".flac": ("FLAC", "flac"),
    ".mp3": ("MP3", "MPEG", "mp3"),
    ".ogg": ("OGG", "ogg"),
    ".opus": ("OGG", "ogg"),
    ".m4a": ("mov",),
    ".webm": ("matroska",),
}
"""What a file of a suffix begins its format with, as `slu.audio.decode.probe` names it."""
_POINTER = b"version https://git-lfs.github.com/spec/"
_LOST_SHARE, _LOST_S = 0.05, 0.1
"""Of a file's length by its header: what MP3's own estimate may be wrong by."""
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""Of a RIFF chunk that was written to a pipe."""


def check_file(path: Path, facts: ClipFacts | Unreadable, limits: Limits) -> Iterator[tuple[str, str]]:
    """Kinds of findings, each with its detail."""
    start = _start(path)
    if not start:
        yield "empty file", "it holds no byte"
    elif start.startswith(_POINTER):
        yield "pointer", "it is a pointer of Git LFS, not the recording"
    elif isinstance(facts, Unreadable):
        yield _why_unreadable(path, start, facts)
    else:
        yield from _check_content(path, start, facts, limits)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _why_unreadable(path: Path, start: bytes, facts: Unreadable) -> tuple[str, str]:
    if (duration_s := _duration_by_header(path)) is not None and duration_s > LONGEST_S:
        return "too long", f"{duration_s:.0f} s, more than {LONGEST_S:g} s"
    if start.startswith(b"fLaC"):
        return "cut short", "it begins as FLAC, and cannot be read to its end"
    return "unreadable", facts.reason


def _check_content(path: Path, start: bytes, facts: ClipFacts, limits: Limits) -> Iterator[tuple[str, str]]:
    measures, audio = facts.measures, facts.audio
    if lost := _lost(path, start, measures.duration_s):
        yield "cut short", lost
    suffix = path.suffix.lower()
    if not audio.format.startswith(_CONTAINERS.get(suffix, ())):
        known = "" if suffix in AUDIO_SUFFIXES else f"; known are {' '.join(AUDIO_SUFFIXES)}"
        yield "wrong suffix", f"it is called {suffix or 'nothing'} and holds {audio.format}{known}"
    if audio.sample_rate < limits.sample_rate:
        yield "low rate", f"{audio.sample_rate} Hz, less than {limits.sample_rate} Hz"
    if measures.duration_s < limits.min_duration_s:
        yield "too short", f"{measures.duration_s:.2f} s, less than {limits.min_duration_s:g} s"
    elif measures.duration_s > limits.max_duration_s:
        yield "too long", f"{measures.duration_s:.2f} s, more than {limits.max_duration_s:g} s"
    if measures.level_db < limits.silent_db:
        yield "silent", "every sample is zero" if measures.level_db <= -120 else f"RMS {measures.level_db:.0f} dB"
        return
    if measures.level_db < limits.quiet_db:
        yield "quiet", f"RMS {measures.level_db:.0f} dB, less than {limits.quiet_db:g} dB"
    if measures.silent_share > limits.silent_share:
        yield "mostly silence", f"{measures.silent_share:.0%} of it lies 40 dB below its loudest part"
    if measures.clipped_share > limits.clipped_share:
        yield "clipped", f"{measures.clipped_share:.1%} of the samples are cut off flat"


def _lost(path: Path, start: bytes, duration_s: float) -> str:
    """What the header announces and the file has not; empty when all of it is there."""
    if start.startswith(b"RIFF"):
        size = struct.unpack("<I", start[4:8].ljust(4, b"\0"))[0]
        missing = size + 8 - path.stat().st_size
        return f"{missing} of {size + 8} bytes are missing" if size not in _UNKNOWN_SIZES and missing > 1 else ""
    announced_s = _duration_by_header(path)
    if announced_s is None or announced_s - duration_s <= max(_LOST_S, _LOST_SHARE * announced_s):
        return ""
    return f"it announces {announced_s:.1f} s and holds {duration_s:.1f} s"


def _duration_by_header(path: Path) -> float | None:
    try:
        with path.open("rb") as file, sf.SoundFile(file) as handle:
            return None if handle.frames >= 2**62 else handle.frames / handle.samplerate
    except (sf.LibsndfileError, OSError):
        return None
