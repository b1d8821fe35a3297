"""What can happen to the sound of a shop's clips between a microphone and the server.

Each keeps the level of the clip unless the level is what changes, so that nothing is found by the level alone.
"""

from collections.abc import Callable

import numpy as np
import soxr
from numpy.random import Generator

from slu.audio.decode import Waveform
from slu.audio.noise import coloured_noise, fluctuating, mix

Change = Callable[[Waveform, int, Generator], Waveform]
"""Samples, their rate, and what is drawn at random."""

_TELEPHONE_HZ = (300.0, 3400.0)
_NOISE_SNR_DB = 15.0
_OVERDRIVEN_DB = 12.0
_SILENT_SHARE = 0.3
_SILENT_DB = -62.0
_RESPONSE_DB = {60: -12.0, 150: -6.0, 400: 0.0, 1000: 2.0, 2500: 7.0, 4000: 3.0, 6000: -6.0, 8000: -14.0}
"""Of a small microphone in a plastic case, beside the flat one of the training."""


def unchanged(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    return samples


def quieter(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """By 10 dB."""
    return samples * np.float32(10 ** (-10 / 20))


def slightly_louder(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """By 1 dB: nobody would call that a change."""
    return samples * np.float32(10 ** (1 / 20))


def noisier(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """A room with a wandering pink noise, 15 dB below the clip."""
    noise = fluctuating(coloured_noise(len(samples), 3.0, rng), rate, 3.0, rng)
    return _as_loud(mix(samples, noise, _NOISE_SNR_DB), samples)


def telephone(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """From 300 to 3400 Hz."""
    low, high = _TELEPHONE_HZ
    return _filtered(samples, rate, lambda hz: np.where((hz >= low) & (hz <= high), 1.0, 0.0))


def other_microphone(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    places, decibels = np.log2(list(_RESPONSE_DB)), list(_RESPONSE_DB.values())
    return _filtered(samples, rate, lambda hz: 10 ** (np.interp(np.log2(np.maximum(hz, 20.0)), places, decibels) / 20))


def overdriven(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """12 dB of the peaks are cut off."""
    limit = float(np.abs(samples).max()) * 10 ** (-_OVERDRIVEN_DB / 20)
    return _as_loud(np.clip(samples, -limit, limit), samples)


def sometimes_silent(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """Three in ten hold nothing but the room: a button that is pressed by mistake."""
    if rng.random() >= _SILENT_SHARE:
        return samples
    return coloured_noise(len(samples), 3.0, rng) * np.float32(10 ** (_SILENT_DB / 20))


def by_another_rate(samples: Waveform, rate: int, rng: Generator) -> Waveform:
    """Recorded at 48 kHz, and resampled here."""
    return np.asarray(soxr.resample(soxr.resample(samples, rate, 48_000), 48_000, rate), np.float32)


def _filtered(samples: Waveform, rate: int, gain: Callable[[np.ndarray], np.ndarray]) -> Waveform:
    """`gain` of frequencies in Hz."""
    spectrum = np.fft.rfft(samples)
    changed = np.fft.irfft(spectrum * gain(np.fft.rfftfreq(len(samples), 1 / rate)), len(samples))
    return _as_loud(changed.astype(np.float32), samples)


def _as_loud(changed: Waveform, samples: Waveform) -> Waveform:
    level, wanted = (float(np.sqrt(np.mean(np.square(one, dtype=np.float64)))) for one in (changed, samples))
    return np.asarray(changed * (wanted / level if level > 0 else 1.0), np.float32)
