"""Whether two clips hold the same recording: a fingerprint to find candidates, a correlation to decide.

Both look at 100 to 4000 Hz, where every recording has its speech. The fingerprint is a small log-mel picture,
laid over the centre of the clip's energy: it survives a change of gain, padding, a noise floor, MP3. The
correlation then asks for the same waveform, which two takes of a word never share, however alike they sound.
"""

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from slu.audio.decode import Waveform

RATE = 8_000
SIZE = 16 * 24
"""Numbers in a fingerprint: bands times cells in time."""

_LOWEST_HZ = 100.0
_BANDS, _CELLS = 16, 24
_FRAME, _HOP = 256, 64
_RANGE_DB = 25.0
_REACH = 2.0
"""The picture covers so many standard deviations of the energy in time, on both sides of its centre."""
_EXCERPT_S = 6.0
_SHARED_ENERGY = 0.7
_FINER = 4
_WORTH_REFINING = 0.85
"""Copies that lie half a sample apart have lost no more than this by it."""


def narrow(samples: Waveform, sample_rate: int) -> Waveform:
    """The clip from 100 to 4000 Hz, at 8 kHz; of a long one, the six seconds around the centre of its energy."""
    wave = samples if sample_rate == RATE else soxr.resample(samples, sample_rate, RATE)
    if len(wave) < 2:
        return np.zeros(2, np.float32)
    spectrum = np.fft.rfft(wave)
    spectrum[: int(_LOWEST_HZ * len(wave) / RATE) + 1] = 0.0
    wave = np.fft.irfft(spectrum, len(wave)).astype(np.float32)
    longest = int(_EXCERPT_S * RATE)
    if len(wave) <= longest:
        return wave
    energy = np.square(wave, dtype=np.float64)
    centre = int((energy * np.arange(len(wave))).sum() / max(energy.sum(), 1e-12))
    start = min(max(0, centre - longest // 2), len(wave) - longest)
    return wave[start : start + longest]


def fingerprint(wave: Waveform) -> NDArray[np.float16]:
    """(384,) of unit length, from `narrow`'s output; all zeros for silence. Their dot product is the similarity."""
    padded = np.pad(wave, (_FRAME, _FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1))) @ _filters()
    energy = power.sum(axis=1)
    weight = np.maximum(energy - np.percentile(energy, 10), 0.0)
    if weight.sum() <= 1e-9:
        return np.zeros(SIZE, np.float16)
    weight /= weight.sum()
    time = np.arange(len(energy))
    centre = float((weight * time).sum())
    spread = float(np.sqrt((weight * (time - centre) ** 2).sum())) + 1.0
    level = 10 * np.log10(power + 1e-12)
    level = np.maximum(level - level.max(), -_RANGE_DB) + _RANGE_DB
    # Means over cells, by differences of the running sum; outside of the clip there is only floor.
    edges = np.linspace(centre - _REACH * spread, centre + _REACH * spread, _CELLS + 1) + 0.5
    running = np.concatenate([np.zeros((1, _BANDS)), np.cumsum(level, axis=0)])
    sums = np.stack([np.interp(edges, np.arange(len(running)), running[:, band]) for band in range(_BANDS)])
    picture = np.diff(sums, axis=1).ravel()
    picture -= picture.mean()
    return (picture / max(float(np.linalg.norm(picture)), 1e-9)).astype(np.float16)


@cache
def _filters() -> NDArray[np.float64]:
    """(bins, bands): triangles, evenly spaced in mel (HTK)."""
    mel = np.linspace(2595 * np.log10(1 + _LOWEST_HZ / 700), 2595 * np.log10(1 + RATE / 2 / 700), _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hz = np.fft.rfftfreq(_FRAME, 1 / RATE)[:, None]
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall))


def correlation(first: Waveform, second: Waveform) -> float:
    """Normalised cross-correlation at the best lag, 0 to 1, of two `narrow` clips.

    Only lags at which the clips share 70 % of the energy of both count: a few matching samples prove nothing.
    Lags are whole samples, and quarters of one where that may matter.
    """
    size = 1 << (len(first) + len(second) - 1).bit_length()
    cross = np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size))
    lags = np.arange(1 - len(second), len(first))
    start, end = np.maximum(lags, 0), np.minimum(len(first), len(second) + lags)
    energy_first, energy_second = _running_energy(first), _running_energy(second)
    shared_first = energy_first[end] - energy_first[start]
    shared_second = energy_second[end - lags] - energy_second[start - lags]
    enough = (shared_first > _SHARED_ENERGY * energy_first[-1]) & (shared_second > _SHARED_ENERGY * energy_second[-1])
    if not enough.any():
        return 0.0
    places, scale = lags[enough] % size, np.sqrt(shared_first * shared_second)[enough]
    best = float((np.abs(np.fft.irfft(cross, size))[places] / scale).max())
    if best > _WORTH_REFINING:
        finer = _FINER * np.fft.irfft(cross, _FINER * size).reshape(size, _FINER)
        best = float((np.abs(finer).max(axis=1)[places] / scale).max())
    return min(1.0, best)


def _running_energy(wave: Waveform) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
