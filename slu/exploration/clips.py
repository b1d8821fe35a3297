"""One clip at a time: what its file is, what its waveform measures, and how it can be recognised again."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.audio.decode import AudioFacts, AudioLimits, Waveform, decode, probe
from slu.audio.measure import Measures, measure
from slu.exploration.fingerprint import fingerprint, narrow

LONGEST_S = 60.0
"""Longer files are not utterances; they are reported, not measured."""


@dataclass(frozen=True)
class ClipFacts:
    """Measured at the file's own sample rate, channels averaged."""

    file_hash: str
    samples_hash: str
    """Of the rate and the samples as 16-bit integers: equal for one recording as WAV and as FLAC."""
    audio: AudioFacts
    measures: Measures
    fingerprint: NDArray[np.float16]


@dataclass(frozen=True)
class Unreadable:
    reason: str


def measure_clip(path: Path, file_hash: str) -> ClipFacts:
    """Raises AudioError."""
    audio, samples = load_clip(path)
    pcm = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    rate = audio.sample_rate.to_bytes(4, "little")
    return ClipFacts(
        file_hash,
        hashlib.blake2b(rate + pcm.tobytes(), digest_size=16).hexdigest(),
        audio,
        measure(samples, audio.sample_rate),
        fingerprint(narrow(samples, audio.sample_rate)),
    )


def load_clip(path: Path) -> tuple[AudioFacts, Waveform]:
    """The samples at the file's own rate. Raises AudioError."""
    audio = probe(path)
    return audio, decode(path, audio.sample_rate, AudioLimits(LONGEST_S))


def measured_table(found: Sequence[ClipFacts | Unreadable | None]) -> pd.DataFrame:
    """One row per clip: the numbers of `Measures`, `sample_rate`, `channels` and `format`, empty (NaN or "") where
    nothing could be measured; `unreadable` says why, and is empty for audio that is missing altogether."""
    numbers = [*(field.name for field in fields(Measures)), "sample_rate", "channels"]
    rows = []
    for facts in found:
        if isinstance(facts, ClipFacts):
            rows.append({**asdict(facts.measures), **asdict(facts.audio), "unreadable": ""})
        else:
            rows.append({"format": "", "unreadable": facts.reason if isinstance(facts, Unreadable) else ""})
    table = pd.DataFrame(rows, columns=[*numbers, "format", "unreadable"])
    return table.astype(dict.fromkeys(numbers, float))
