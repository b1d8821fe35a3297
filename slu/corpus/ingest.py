"""Candidate clips become recordings of one kind: decode, accept or reject, copy as mono FLAC."""

import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile as sf
from pydantic import Field

from slu.audio.decode import MAX_RATE, MIN_RATE, AudioError, AudioLimits, Waveform, decode
from slu.corpus.audio_finder import AudioFinder, clip_stem
from slu.corpus.clips import Clip, ClipError, Label, Reason, Rejection, Source

_SURPLUS_S = 0.25  # read beyond the longest duration: enough to know that a clip is too long


@dataclass(frozen=True)
class IngestSettings:
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", coerce_numbers_to_str=True)]
    heads: Annotated[tuple[str, ...], Field(min_length=1)]
    label_maps: Mapping[str, str] | None = None
    classes: Mapping[str, tuple[Label, ...]] | None = None
    """Fixed classes, in order, of some heads; the classes of the others are the labels that occur."""
    min_duration_s: Annotated[float, Field(ge=0)] = 0.5
    max_duration_s: Annotated[float, Field(gt=0)] = 5.0
    sample_rate: Annotated[int, Field(ge=MIN_RATE, le=MAX_RATE)] = 16_000


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
class Recording:
    """A clip that was accepted. `file_name` is relative to the corpus, `file` to the source."""

    clip: Clip
    file: str
    file_name: str
    duration_s: float
    digest: str
    """Of the samples as written: equal for the same recording under two names."""


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
    """Write `target/audio/*.flac`, one clip in memory at a time; name each clip that could not be used."""
    (target / "audio").mkdir()
    names = _safe_names([item.clip.key for item in located])
    recordings: list[Recording] = []
    rejected: list[Rejection] = []
    for done, (item, name) in enumerate(zip(located, names, strict=True), start=1):
        file = item.file(audio)
        try:
            samples = _usable(item.place, settings)
        except ClipError as refusal:
            rejected.append(Rejection(item.clip.source, file, refusal.reason))
        else:
            pcm = np.round(samples * (32767 / max(1.0, float(np.abs(samples).max())))).astype(np.int16)
            encoded = io.BytesIO()  # libsndfile does not tell a full disk from other mishaps, Python does
            sf.write(encoded, pcm, settings.sample_rate, format="FLAC", subtype="PCM_16")
            (target / name).write_bytes(encoded.getbuffer())
            digest = hashlib.blake2b(pcm.tobytes(), digest_size=16).hexdigest()
            recordings.append(Recording(item.clip, file, name, len(pcm) / settings.sample_rate, digest))
        progress(done, len(located))
    repeated = _repeats(recordings)
    for recording in recordings:
        if recording.file_name in repeated:
            (target / recording.file_name).unlink()
            rejected.append(Rejection(recording.clip.source, recording.file, repeated[recording.file_name]))
    return [recording for recording in recordings if recording.file_name not in repeated], rejected


def _usable(place: Path | Reason, settings: IngestSettings) -> Waveform:
    if isinstance(place, Reason):
        raise ClipError(place.kind, place.detail)
    try:
        limits = AudioLimits(settings.max_duration_s + _SURPLUS_S, truncate=True)
        samples = decode(place, settings.sample_rate, limits)
    except AudioError as error:
        raise ClipError("unreadable", str(error)) from None
    duration_s = len(samples) / settings.sample_rate
    if duration_s < settings.min_duration_s:
        raise ClipError("duration", f"{duration_s:.2f} s is less than min_duration_s={settings.min_duration_s:g}")
    if duration_s > settings.max_duration_s:
        raise ClipError("duration", f"it lasts more than max_duration_s={settings.max_duration_s:g}")
    if not samples.any():
        raise ClipError("silent", "every sample is zero")
    return samples


def _safe_names(keys: Sequence[str]) -> list[str]:
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
        names.append(f"audio/{name}.flac")
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
