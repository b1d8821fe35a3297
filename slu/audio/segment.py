"""Long recordings in pieces: how they are cut, and which pieces a recogniser hears.

`cut` is what makes a corpus of segments; `heard_segments` is what prediction and training do to a recording that is
longer than the task's segments, so that both hear the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from slu.audio.decode import AudioLimits, Waveform, rms_db
from slu.spec import TaskSpec

SILENCE_DB = -70.0
"""Below this level (RMS, dB full scale) there is nothing to hear; quiet speech lies around -50."""

CLIP_LIMIT_S = 30.0
"""Decoding stops here for a task that hears clips whole; one that hears segments goes as far as it accepts."""

Rest = Literal["pad", "drop", "keep"]


@dataclass(frozen=True)
class SegmentSettings:
    length_s: float = 3.0
    overlap_s: float = 0.0
    """Each segment starts this long before the end of the one before it."""
    rest: Rest = "pad"
    """The last part, shorter than a segment: padded with silence at its end, dropped, or kept as short as it is."""
    min_rest_s: float = 0.5
    """A rest that adds less than this to the whole segments before it is dropped."""

    def __post_init__(self) -> None:
        if not self.length_s > 0 or not 0 <= self.overlap_s < self.length_s or not self.min_rest_s >= 0:
            raise ValueError(
                "segments need length_s above 0, overlap_s from 0 to below it, and min_rest_s of at least 0, "
                f"got {self.length_s:g}, {self.overlap_s:g} and {self.min_rest_s:g}"
            )


class Segment(NamedTuple):
    start_s: float
    samples: Waveform


def cut(samples: Waveform, rate: int, settings: SegmentSettings) -> list[Segment]:
    """In order of time; each is a view of `samples` except a padded rest.

    A recording shorter than one segment is all rest, whatever `min_rest_s`: padded, kept, or (with "drop") nothing.
    """
    length, total = max(1, round(settings.length_s * rate)), len(samples)
    hop = max(1, length - round(settings.overlap_s * rate))
    starts = list(range(0, total - length + 1, hop))
    segments = [Segment(start / rate, samples[start : start + length]) for start in starts]
    start = starts[-1] + hop if starts else 0
    added = total - (starts[-1] + length if starts else 0)
    if settings.rest == "drop" or added <= 0 or (starts and added < settings.min_rest_s * rate):
        return segments
    rest = samples[start:]
    if settings.rest == "pad":
        rest = np.pad(rest, (0, length - len(rest)))
    return [*segments, Segment(start / rate, rest)]


def heard_segments(samples: Waveform, rate: int, spec: TaskSpec) -> list[Segment]:
    """Equal parts that come nearest to the task's segments in length; a clip of up to one and a half is one part.

    Equal, because a short rest, mostly the silence after the last word, would have as much of a vote as a whole part.
    """
    if not spec.segment_s:
        return [Segment(0.0, samples)]
    overlap, total = round(spec.segment_overlap_s * rate), len(samples)
    parts = max(1, round((total - overlap) / max(1, round(spec.segment_s * rate) - overlap)))
    length = (total + (parts - 1) * overlap) / parts
    starts = [round(part * (length - overlap)) for part in range(parts)]
    return [Segment(start / rate, samples[start : min(total, start + round(length))]) for start in starts]


def is_silent(samples: Waveform) -> bool:
    return rms_db(samples) < SILENCE_DB


def voiced(segments: Sequence[Segment]) -> list[Segment]:
    """Those that have a vote: not the silent ones, unless there are no others."""
    return [segment for segment in segments if not is_silent(segment.samples)] or list(segments)


def decoding_limits(spec: TaskSpec, least_s: float = CLIP_LIMIT_S) -> AudioLimits:
    """How far to decode a clip for this task: `least_s`, or as long as a task that hears segments accepts."""
    return AudioLimits(max_duration_s=max(least_s, spec.max_duration_s) if spec.segment_s else least_s)
