"""Noise as the public benchmark of coffee orders mixes it (its mixer, github.com/Picovoice/speech-to-intent-benchmark).

SNR there is not a ratio of means: it is that of the loudest frames. Both signals are cut into frames of 2048 samples at
16 kHz (128 ms), the energy of the loudest frame of the speech over that of the loudest frame of the stretch of noise is
the SNR, in dB; afterwards the mixture is scaled to a peak of one half. Pauses so do not count, and 6 dB is milder there
than 6 dB over the whole clip (`slu.audio.noise`). A stretch as long as the clip is drawn from the noise for each clip.

Each draw is seeded by draw and clip and is the same at every SNR, so that curves compare the same stretches.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.audio.noise import coloured_noise
from slu.common.errors import UserError
from slu.common.files import content_hash, settings_hash
from slu.evaluation.conditions import Condition

FRAME_S = 2048 / 16_000
_LONGEST_S = 600.0
_VOICES = 12


class Noise(Protocol):
    """A kind of noise, at the rate of the recogniser's front end."""

    name: str
    identity: Any
    """JSON; differs when it sounds different."""

    def stretch(self, length: int, index: int, rng: Generator) -> Waveform:
        """`length` samples for the clip of number `index` in the test."""


class RecordedNoise:
    """One recording, or a folder of them of which one is drawn per clip; one that is too short goes round."""

    def __init__(self, name: str, paths: Sequence[Path], rate: int) -> None:
        """Raises UserError where none can be read."""
        self.name, self.clips, used = name, list[Waveform](), []
        for path in paths:
            try:
                clip = decode(path, rate, AudioLimits(max_duration_s=_LONGEST_S, truncate=True))
            except AudioError:
                continue
            if np.any(clip):
                self.clips.append(clip)
                used.append(path)
        if not self.clips:
            raise UserError(f"noise: {name} holds no audio that can be read; name another folder with noise=…")
        self.identity = [content_hash(path) for path in used]

    def stretch(self, length: int, index: int, rng: Generator) -> Waveform:
        clip = self.clips[rng.integers(len(self.clips))]
        if len(clip) > length:
            start = int(rng.integers(len(clip) - length))
            return clip[start : start + length]
        return np.resize(np.roll(clip, -int(rng.integers(len(clip)))), length)


class Babble:
    """A generated cafe, for want of a recorded one: a dozen voices of the test's other clips over pink noise."""

    name = "babble"

    def __init__(self, voices: Sequence[tuple[int, Waveform]], identity: Any) -> None:
        """`voices`: clips of the test with their numbers, so that no clip is heard in its own noise."""
        self.voices, self.identity = voices, identity

    def stretch(self, length: int, index: int, rng: Generator) -> Waveform:
        others = [clip for number, clip in self.voices if number != index and np.any(clip)]
        noise = 0.3 * _VOICES**0.5 * coloured_noise(length, 3.0, rng)
        for voice in rng.choice(len(others), min(_VOICES, len(others)), replace=False) if others else ():
            clip = others[voice]
            level = float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
            noise = noise + np.resize(np.roll(clip, -int(rng.integers(len(clip)))), length) / level
        return np.asarray(noise, dtype=np.float32)


def loudest_frame(samples: Waveform, rate: int) -> float:
    """Energy of the loudest whole frame; of all samples where there is not one frame."""
    size = round(FRAME_S * rate)
    frames = len(samples) // size
    squares = np.square(samples, dtype=np.float64)
    return float(squares[: frames * size].reshape(frames, size).sum(axis=1).max() if frames else squares.sum())


def mix_by_loudest_frames(speech: Waveform, noise: Waveform, snr_db: float, rate: int) -> Waveform:
    """Silence on either side returns the speech unchanged."""
    loud, noisy = loudest_frame(speech, rate), loudest_frame(noise, rate)
    if loud == 0 or noisy == 0:
        return speech
    mixed = speech + np.sqrt(loud / noisy / 10 ** (snr_db / 10)) * noise
    return np.asarray(mixed / (2 * np.abs(mixed).max()), dtype=np.float32)


def noisy_conditions(
    noises: Sequence[Noise], snr_db: Sequence[float], draws: int, rate: int, seed: int
) -> dict[tuple[str, float, int], Condition]:
    """By noise, SNR and draw."""

    def condition(kind: int, noise: Noise, snr: float, draw: int) -> Condition:
        def change(samples: Waveform, index: int) -> Waveform:
            rng = np.random.default_rng([seed, draw, kind, index])
            return mix_by_loudest_frames(samples, noise.stretch(len(samples), index, rng), snr, rate)

        key = settings_hash("loudest frames", noise.name, noise.identity, snr, seed, draw, kind, rate)
        return Condition(f"{noise.name} {snr:g} dB, draw {draw}", noise.name, key, change, snr)

    return {
        (noise.name, snr, draw): condition(kind, noise, snr, draw)
        for kind, noise in enumerate(noises)
        for snr in snr_db
        for draw in range(draws)
    }
