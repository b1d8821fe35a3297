"""What is done to a clip before it is scored: noise, coding, pace, a room. Seeded by the clip's number, so that a
rerun gives the same figures.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import soundfile as sf
import soxr
from pydantic import Field
from scipy.signal import butter, sosfilt

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.audio.noise import mix, reverberate, room_response
from slu.common.errors import UserError
from slu.common.files import content_hash, settings_hash
from slu.evaluation.noise_test import TestNoise

Change: TypeAlias = Callable[[Waveform, int], Waveform]
"""Samples at the front end's rate and the clip's number in the test; gives samples at the same rate."""


@dataclass(frozen=True)
class ConditionSettings:
    """The `conditions` group."""

    noise_snr_db: tuple[float, ...] = ()
    """Generated noise at these SNRs; `noise_folder` is mixed in at the same ones."""
    noise_folder: str | None = None
    mp3_kbps: tuple[Annotated[int, Field(ge=8, le=160)], ...] = ()
    telephone: bool = False
    speed: tuple[Annotated[float, Field(ge=0.25, le=4)], ...] = ()
    reverberation_s: tuple[Annotated[float, Field(gt=0, le=5)], ...] = ()
    seed: Annotated[int, Field(ge=0)] = 1


@dataclass(frozen=True)
class Condition:
    name: str
    family: str
    """Conditions of one family make one curve or one group of bars."""
    key: str
    """Differs when the same clip would sound different; answers are kept by it."""
    change: Change
    level: float | None = None
    """Place on the family's axis: SNR in dB, kbit/s, pace, RT60 in seconds."""


CLEAN = Condition("clean", "clean", "clean", lambda samples, index: samples)


def build_conditions(settings: ConditionSettings, rate: int, bank: Sequence[Waveform]) -> list[Condition]:
    """Clean first, then one condition per value. `bank` are clips of the test, to make babble of.

    Raises UserError for a noise folder without usable audio.
    """
    seed = settings.seed
    conditions = [CLEAN]

    def add(name: str, family: str, level: float | None, change: Change, *identity: object) -> None:
        if any(condition.name == name for condition in conditions):  # asked for twice: counted once
            return
        conditions.append(Condition(name, family, settings_hash(name, seed, rate, *identity), change, level))

    generated = TestNoise(bank, rate, seed)
    for snr in settings.noise_snr_db:
        add(f"{snr:g} dB", "generated noise", snr, _noise(generated, snr), len(bank))
    if settings.noise_folder is not None:
        recorded = RecordedNoise(Path(settings.noise_folder), rate, seed)
        for snr in settings.noise_snr_db or (10.0,):
            add(f"{snr:g} dB recorded", "recorded noise", snr, _noise(recorded, snr), recorded.identity)
    for kbps in settings.mp3_kbps:
        add(f"MP3 {kbps} kbit/s", "coding", kbps, lambda samples, _, k=kbps: mp3(samples, rate, k))  # type: ignore[misc]
    if settings.telephone:
        add("telephone", "coding", None, lambda samples, _: telephone(samples, rate))
    for factor in settings.speed:
        add(f"speed x {factor:g}", "speed", factor, lambda samples, _, f=factor: speed(samples, rate, f))  # type: ignore[misc]
    for rt60 in settings.reverberation_s:
        add(f"reverberation {rt60:g} s", "room", rt60, _room(rate, rt60, seed))
    return conditions


def _noise(noise: "TestNoise | RecordedNoise", snr_db: float) -> Change:
    return lambda samples, index: noise.add(samples, snr_db, index)


def _room(rate: int, rt60_s: float, seed: int) -> Change:
    """As much sound from the walls as straight from the mouth: across a small shop."""
    return lambda samples, index: reverberate(
        samples, room_response(rate, rt60_s, 0.0, np.random.default_rng([seed, index]))
    )


class RecordedNoise:
    """Noise from a folder of recordings: file and place are drawn per clip."""

    def __init__(self, folder: Path, rate: int, seed: int) -> None:
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}; correct conditions.noise_folder")
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        limits = AudioLimits(max_duration_s=60.0, truncate=True)  # some minutes of noise stay in memory, not hours
        self.clips, used = [], []
        for path in files:
            try:
                clip = decode(path, rate, limits)
            except AudioError:
                continue
            if np.any(clip):
                self.clips.append(clip)
                used.append(path)
        if not self.clips:
            raise UserError(f"{folder} holds no audio that can be read; correct conditions.noise_folder")
        self.seed = seed
        self.identity = [content_hash(path) for path in used]

    def add(self, speech: Waveform, snr_db: float, index: int) -> Waveform:
        rng = np.random.default_rng([self.seed, index])
        noise = self.clips[rng.integers(len(self.clips))]
        start = int(rng.integers(len(noise)))
        return mix(speech, np.resize(np.roll(noise, -start)[: len(speech)], len(speech)), snr_db)


def mp3(samples: Waveform, rate: int, kbps: int) -> Waveform:
    """Through an MP3 encoder at a constant rate near `kbps`, and back."""
    buffer = io.BytesIO()
    # libsndfile takes 0 (best) to 1 (smallest); for MPEG-2 rates that is 160 down to 8 kbit/s.
    compression = float(np.clip((160 - kbps) / (160 - 8), 0, 0.999))
    peak = max(1.0, float(np.abs(samples).max()))
    sf.write(buffer, samples / peak, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=compression)
    decoded, _ = sf.read(io.BytesIO(buffer.getvalue()), dtype="float32")
    return np.asarray(decoded * peak, dtype=np.float32)


def telephone(samples: Waveform, rate: int) -> Waveform:
    """300 to 3400 Hz at 8 kHz in 8-bit mu-law steps (ITU-T G.711), and back to `rate`."""
    narrow = soxr.resample(samples, rate, 8000)
    narrow = sosfilt(butter(4, [300, 3400], "bandpass", fs=8000, output="sos"), narrow)
    peak = max(1.0, float(np.abs(narrow).max()))
    compressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow / peak)) / np.log(256)
    steps = np.round(compressed * 127) / 127
    expanded = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255 * peak
    return np.asarray(soxr.resample(expanded.astype(np.float32), 8000, rate), dtype=np.float32)


def speed(samples: Waveform, rate: int, factor: float) -> Waveform:
    """Faster (factor > 1) or slower, pitch and all, as speed perturbation does (Ko et al., 2015)."""
    return np.asarray(soxr.resample(samples, rate * factor, rate), dtype=np.float32)
