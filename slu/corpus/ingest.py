"""Candidate clips become recordings of one kind: decode, accept or reject, cut if asked to, write as mono files."""

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.audio.segment import SILENCE_DB, Segment, cut, is_silent
from slu.corpus.audio_finder import AudioFinder, clip_stem
from slu.corpus.clips import Clip, ClipError, Reason, Rejection, Source
from slu.corpus.ingest_settings import IngestSettings

_SURPLUS_S = 0.25  # read beyond the longest duration: enough to know that a clip is too long


@dataclass(frozen=True)
class Located:
    """A clip and the file that holds its audio, or why it is out before any audio is opened."""

    clip: Clip
    place: Path | Reason

    def file(self, folder: Path) -> str:
        """For messages: relative to `folder` where possible, as the source spells it where nothing was found."""
        if isinstance(self.place, Reason):
            return self.clip.paths[0] if self.clip.paths else ""
        return str(self.place.relative_to(folder) if self.place.is_relative_to(folder) else self.place)


@dataclass(frozen=True)
class Piece:
    """A file of the corpus: the whole recording, or a segment of it."""

    file_name: str
    start_s: float
    duration_s: float


@dataclass(frozen=True)
class Recording:
    """A clip that was accepted. `file` is relative to the source, the pieces' files to the corpus."""

    clip: Clip
    file: str
    pieces: tuple[Piece, ...]
    duration_s: float
    digest: str
    """Of all samples: equal for the same recording under two names."""
    silent_segments: int = 0

    @property
    def file_name(self) -> str:
        return self.pieces[0].file_name


def locate(source: Source, settings: IngestSettings) -> list[Located]:
    """Look for the audio of every clip whose labels are in order."""
    finder = AudioFinder(source.audio)
    located = []
    for clip in source.clips:
        try:
            _check_labels(clip, settings)
            located.append(Located(clip, finder.find(clip.paths)))
        except ClipError as refusal:
            located.append(Located(clip, refusal.reason))
    return located


def _check_labels(clip: Clip, settings: IngestSettings) -> None:
    if clip.problem:
        raise ClipError(clip.problem.kind, clip.problem.detail)
    if not any(clip.labels.values()):
        raise ClipError("no label", f"nothing says its {' or '.join(clip.labels)}")
    for head, classes in (settings.classes or {}).items():
        if (label := clip.labels.get(head)) and label not in classes:
            raise ClipError("bad label", f"{head} '{label}' is not one of the classes {', '.join(classes)}")


def copy_clips(
    located: Sequence[Located],
    audio: Path,
    settings: IngestSettings,
    target: Path,
    progress: Callable[[int, int], None],
) -> tuple[list[Recording], list[Rejection]]:
    """Write `target/audio/*`, one recording in memory at a time; name each clip that could not be used."""
    names = _safe_names([item.clip.key for item in located], settings.format)
    recordings: list[Recording] = []
    rejected: list[Rejection] = []
    for done, (item, name) in enumerate(zip(located, names, strict=True), start=1):
        file = item.file(audio)
        try:
            samples = _usable(item.place, settings)
            segments, silent = _cut(samples, settings)
        except ClipError as refusal:
            rejected.append(Rejection(item.clip.source, file, refusal.reason))
        else:
            scale = np.float32(32767 / max(1.0, float(np.abs(samples).max())))
            names_of = [name] if settings.segment.settings is None else _numbered(name, len(segments))
            pieces = tuple(
                Piece(place, start_s, _write(target / place, piece, scale, settings))
                for place, (start_s, piece) in zip(names_of, segments, strict=True)
            )
            digest = hashlib.blake2b(_pcm(samples, scale).tobytes(), digest_size=16).hexdigest()
            duration_s = len(samples) / settings.sample_rate
            recordings.append(Recording(item.clip, file, pieces, duration_s, digest, silent))
        progress(done, len(located))
    repeated = _repeats(recordings)
    for recording in recordings:
        if recording.file_name in repeated:
            for piece in recording.pieces:
                (target / piece.file_name).unlink()
            rejected.append(Rejection(recording.clip.source, recording.file, repeated[recording.file_name]))
    return [recording for recording in recordings if recording.file_name not in repeated], rejected


def _pcm(samples: Waveform, scale: np.float32) -> NDArray[np.int16]:
    return np.round(samples * scale).astype(np.int16)


def _write(path: Path, samples: Waveform, scale: np.float32, settings: IngestSettings) -> float:
    """Gives the duration in seconds."""
    encoded = io.BytesIO()  # libsndfile does not tell a full disk from other mishaps, Python does
    sf.write(encoded, _pcm(samples, scale), settings.sample_rate, format=settings.format.upper(), subtype="PCM_16")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded.getbuffer())
    return len(samples) / settings.sample_rate


def _cut(samples: Waveform, settings: IngestSettings) -> tuple[list[Segment], int]:
    """The segments that are not silent, and how many are."""
    how = settings.segment.settings
    if how is None:
        return [Segment(0.0, samples)], 0
    segments = cut(samples, settings.sample_rate, how)
    if not segments:
        duration_s = len(samples) / settings.sample_rate
        raise ClipError(
            "duration", f"{duration_s:.2f} s is less than a segment of {how.length_s:g} s (segment.rest=drop)"
        )
    heard = [segment for segment in segments if not is_silent(segment.samples)]
    if not heard:
        raise ClipError("silent", f"every segment lies below {SILENCE_DB:g} dB")
    return heard, len(segments) - len(heard)


def _numbered(name: str, count: int) -> list[str]:
    """`audio/a.flac` becomes `audio/a/000.flac` and so on: no other recording's name can be one of these."""
    stem, dot, suffix = name.rpartition(".")
    return [f"{stem}/{number:03d}{dot}{suffix}" for number in range(count)]


def _usable(place: Path | Reason, settings: IngestSettings) -> Waveform:
    if isinstance(place, Reason):
        raise ClipError(place.kind, place.detail)
    try:
        limits = AudioLimits(settings.longest_s + _SURPLUS_S, truncate=True)
        samples = decode(place, settings.sample_rate, limits)
    except AudioError as error:
        raise ClipError("unreadable", str(error)) from None
    duration_s = len(samples) / settings.sample_rate
    if duration_s < settings.min_duration_s:
        raise ClipError("duration", f"{duration_s:.2f} s is less than min_duration_s={settings.min_duration_s:g}")
    if duration_s > settings.longest_s:
        setting = "max_duration_s" if settings.segment.length_s is None else "segment.max_recording_s"
        raise ClipError("duration", f"it lasts more than {setting}={settings.longest_s:g}")
    if not samples.any():
        raise ClipError("silent", "every sample is zero")
    return samples


def _safe_names(keys: Sequence[str], suffix: str) -> list[str]:
    """File names that every system can hold, distinct also where upper and lower case are one."""
    names: list[str] = []
    used: set[str] = set()
    for key in keys:
        folders = key.replace("\\", "/").rpartition("/")[0]
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{folders}/{clip_stem(key)}").strip("._-")[:100] or "clip"
        name, number = plain, 1
        while name.casefold() in used:
            number += 1
            name = f"{plain}-{number}"
        used.add(name.casefold())
        names.append(f"audio/{name}.{suffix}")
    return names


def _repeats(recordings: Sequence[Recording]) -> dict[str, Reason]:
    """Why recordings that occur more than once are out, by file name. All of them go when their labels differ,
    for nobody can tell which label is right; otherwise the first stays."""
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.digest, []).append(recording)
    reasons = {}
    for first, *others in groups.values():
        for head in first.clip.labels:
            by_label = {r.clip.labels[head]: r for r in (first, *others) if r.clip.labels[head]}
            if len(by_label) > 1:
                sides = " but ".join(f"'{label}' ({r.clip.source}: {r.file})" for label, r in by_label.items())
                reason = Reason("conflicting labels", f"the same recording has {head} {sides}")
                reasons.update({r.file_name: reason for r in (first, *others)})
        for other in others:
            reasons.setdefault(other.file_name, Reason("duplicate", f"the same recording as {first.file}"))
    return reasons
