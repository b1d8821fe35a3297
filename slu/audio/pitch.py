"""The fundamental frequency of a voice, by autocorrelation."""

import numpy as np
from numpy.typing import NDArray

from slu.audio.decode import Waveform

_RATE = 8000
_FRAME, _HOP = 400, 160  # 50 ms every 20 ms
_BAND_HZ = (50.0, 1000.0)
"""Where the autocorrelation listens: the first few harmonics, above the hum and below most of the hiss."""
_PERIODIC = 0.6
"""Share of a frame's power that must repeat after one period for the frame to count as voiced."""
_QUIET_DB = 25.0
_MIN_VOICED = 3


def median_pitch(
    samples: Waveform, sample_rate: int, lowest_hz: float = 60.0, highest_hz: float = 420.0
) -> float | None:
    """Median over the voiced frames in Hz, or None where fewer than three frames are voiced."""
    pitch = voiced_pitch(samples, sample_rate, lowest_hz, highest_hz)
    return float(np.median(pitch)) if len(pitch) else None


def voiced_pitch(
    samples: Waveform, sample_rate: int, lowest_hz: float = 60.0, highest_hz: float = 420.0
) -> NDArray[np.float64]:
    """Of each voiced frame in Hz, in order of time; none at all where fewer than three frames are voiced.

    Of peaks about equally high the one with the shortest lag is taken: a period repeats after two periods as well.
    """
    nothing = np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(_band(samples, sample_rate), _FRAME)[::_HOP]
    power = np.mean(frames**2, axis=1)
    loud = power > power.max() * 10 ** (-_QUIET_DB / 10)
    if loud.sum() < _MIN_VOICED:
        return nothing
    window = np.hanning(_FRAME)
    correlation = _autocorrelation(frames[loud] * window) / _autocorrelation(window)
    shortest, longest = int(_RATE / highest_hz), min(int(_RATE / lowest_hz) + 1, _FRAME // 2)
    before, middle, after = (correlation[:, shortest + d : longest + 1 + d] for d in (-1, 0, 1))
    peaks = np.where((middle > before) & (middle >= after), middle, 0.0)
    best = peaks.max(axis=1)
    voiced = np.flatnonzero(best > _PERIODIC)
    if len(voiced) < _MIN_VOICED:
        return nothing
    place = np.argmax(peaks >= 0.85 * best[:, None], axis=1)[voiced]
    left, top, right = (part[voiced, place] for part in (before, middle, after))
    lags = shortest + place + 0.5 * (left - right) / (left - 2 * top + right)  # the vertex of a parabola
    return np.asarray(_RATE / lags)


def _band(samples: Waveform, sample_rate: int) -> NDArray[np.float64]:
    """The band at `_RATE`, at least one frame long; by way of its spectrum, padded so that its end does not wrap."""
    count = max(_FRAME, round(len(samples) * _RATE / sample_rate))
    seconds = 2.0 ** np.ceil(np.log2(count / _RATE + 0.05))
    spectrum = np.fft.rfft(samples, round(seconds * sample_rate))
    frequency = np.arange(len(spectrum)) / seconds
    spectrum[(frequency < _BAND_HZ[0]) | (frequency > _BAND_HZ[1])] = 0
    size = round(seconds * _RATE)
    return np.asarray(np.fft.irfft(spectrum[: size // 2 + 1], size)[:count])


def _autocorrelation(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along the last axis, 1 at lag 0, up to lags of half a frame and one more."""
    spectrum = np.fft.rfft(frames, 1024)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 1024)[..., : _FRAME // 2 + 2]
    return np.asarray(correlation / np.maximum(correlation[..., :1], 1e-20))
