"""How a clip sounds, in a few numbers that need no recogniser: for a log that keeps nothing of the sound itself.

Each is cheap, all of them together about as much as the features of the clip, and each moves with another kind of
change: of the room, of the microphone, of the line, of who speaks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slu.audio.decode import Waveform, rms_db
from slu.audio.measure import measure
from slu.audio.pitch import median_pitch

Floats = NDArray[np.float64]

_FRAME_S, _HOP_S = 0.032, 0.016
_LOUD_DB = 30.0
"""Frames within so much of the loudest one count as speech."""
_DIP_DB = 3.0
"""Between two syllables, at least."""
_TILT_HZ = (200.0, 6000.0)
_ROLLOFF = 0.95
_PITCH_S = 0.4
"""The loudest stretch, where the pitch is looked for: all of a clip would take longer than its features."""
_EVERY = 2
"""Of the loud frames, one in so many goes into the spectrum."""
_LEAST = 1e-14


@dataclass(frozen=True)
class Shape:
    noise_db: float
    """Level of the quietest tenth of the frames, dB full scale: what is there when nobody speaks."""
    snr_db: float
    """As in slu.audio.measure."""
    crest_db: float
    """Peak over RMS; falls when tops are cut off, also where resampling has rounded them since."""
    clipped_share: float
    """As in slu.audio.measure."""
    speech_s: float
    """From the first loud frame to the last."""
    pace_hz: float
    """Syllables a second of it: peaks of the level with a dip between them (after de Jong and Wempe, 2009)."""
    rolloff_hz: float
    """Below it lies 95 % of the power of the loud frames' first difference: where the band ends."""
    tilt_db: float
    """Slope of the loud frames' mean spectrum from 200 Hz to 6 kHz, dB per octave: dull below, sharp above."""
    pitch_hz: float | None
    """Median of the loudest 0.4 s; None without a voice."""


def shape(samples: Waveform, sample_rate: int) -> Shape:
    """`samples` is mono in about [-1, 1], not empty."""
    frames = _frames(samples, sample_rate)
    power = np.maximum(np.mean(frames**2, axis=1), _LEAST)
    levels = 10 * np.log10(power)
    loud = np.flatnonzero(levels > levels.max() - _LOUD_DB)
    speech_s = (int(loud[-1]) - int(loud[0])) * _HOP_S + _FRAME_S
    rolloff_hz, tilt_db = _spectrum(frames[loud[::_EVERY]], sample_rate)
    known = measure(samples, sample_rate)
    return Shape(
        noise_db=float(np.percentile(levels, 10)),
        snr_db=known.snr_db,
        crest_db=known.peak_db - rms_db(samples),
        clipped_share=known.clipped_share,
        speech_s=speech_s,
        pace_hz=_syllables(levels[loud[0] : loud[-1] + 1]) / speech_s,
        rolloff_hz=rolloff_hz,
        tilt_db=tilt_db,
        pitch_hz=median_pitch(_loudest(samples, power, sample_rate), sample_rate),
    )


def _frames(samples: Waveform, sample_rate: int) -> NDArray[np.float32]:
    """(frames, size), overlapping by half; a view where the clip has more than one."""
    size, hop = max(2, round(_FRAME_S * sample_rate)), max(1, round(_HOP_S * sample_rate))
    padded = samples if len(samples) >= size else np.pad(samples, (0, size - len(samples)))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]


def _loudest(samples: Waveform, power: Floats, sample_rate: int) -> Waveform:
    """The stretch of `_PITCH_S` with the most power; `power` is of the frames."""
    count = min(len(power), round(_PITCH_S / _HOP_S))
    sums = np.convolve(power, np.ones(count), mode="valid")
    start = int(np.argmax(sums)) * max(1, round(_HOP_S * sample_rate))
    return samples[start : start + round(_PITCH_S * sample_rate)]


def _spectrum(frames: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Roll-off in Hz and tilt in dB per octave."""
    size = frames.shape[1]
    spectrum = np.fft.rfft(frames * np.hanning(size).astype(np.float32))
    power = np.asarray(np.mean(spectrum.real**2 + spectrum.imag**2, axis=0, dtype=np.float64))
    frequency = np.arange(len(power)) * sample_rate / size
    difference = np.cumsum(power * np.sin(np.pi * frequency / sample_rate) ** 2)
    end = int(np.searchsorted(difference, _ROLLOFF * difference[-1]))
    band = (frequency >= _TILT_HZ[0]) & (frequency <= min(_TILT_HZ[1], 0.45 * sample_rate))
    octaves, decibels = np.log2(frequency[band]), 10 * np.log10(np.maximum(power[band], _LEAST))
    weights = 1 / frequency[band]  # every octave counts the same
    octaves = octaves - np.average(octaves, weights=weights)
    slope = np.sum(weights * octaves * decibels) / np.sum(weights * octaves**2)
    return float(frequency[min(end, len(frequency) - 1)]), float(slope)


def _syllables(levels: Floats) -> int:
    """Peaks of the smoothed level, each at least `_DIP_DB` above the dips on both of its sides."""
    smooth = np.convolve(np.pad(levels, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    count, low, high, rising = 0, float(smooth[0]), float(smooth[0]), True
    for level in smooth.tolist():
        if rising:
            high = max(high, level)
            if level < high - _DIP_DB:
                count, rising, low = count + 1, False, level
        else:
            low = min(low, level)
            if level > low + _DIP_DB:
                rising, high = True, level
    return count + rising  # the last peak may last to the end
