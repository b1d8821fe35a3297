"""Generated noise, mixing at a stated signal-to-noise ratio, and generated rooms. Everything is seeded.

SNR here is the ratio of mean powers over the whole clip, speech pauses included, in dB.
"""

import numpy as np
from numpy.random import Generator

from slu.audio.decode import Waveform


def coloured_noise(samples: int, slope_db_per_octave: float, rng: Generator) -> Waveform:
    """Gaussian noise of unit power whose spectrum falls by `slope_db_per_octave` (0 white, 3 pink, 6 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(max(samples, 2)))
    frequency = np.arange(len(spectrum), dtype=np.float64)
    frequency[0] = 1.0
    spectrum *= frequency ** (-slope_db_per_octave / (20 * np.log10(2)))
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, max(samples, 2))[:samples]
    return np.asarray(noise / max(float(np.sqrt(np.mean(noise**2))), 1e-9), dtype=np.float32)


def fluctuating(noise: Waveform, sample_rate: int, depth_db: float, rng: Generator) -> Waveform:
    """The noise with a slowly wandering level (about 2 Hz), as of a street or a kitchen."""
    steps = max(2, int(2 * len(noise) / sample_rate) + 2)
    level = np.interp(np.linspace(0, steps - 1, len(noise)), np.arange(steps), rng.normal(0, depth_db, steps))
    return np.asarray(noise * 10 ** (level / 20), dtype=np.float32)


def mix(speech: Waveform, noise: Waveform, snr_db: float) -> Waveform:
    """`speech` plus `noise` scaled to the given SNR; silence on either side returns the speech unchanged."""
    speech_power = float(np.mean(np.square(speech, dtype=np.float64)))
    noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
    if speech_power == 0 or noise_power == 0:
        return speech
    gain = np.sqrt(speech_power / noise_power / 10 ** (snr_db / 10))
    return np.asarray(speech + gain * noise, dtype=np.float32)


def room_response(
    sample_rate: int, reverberation_s: float, direct_to_reverberant_db: float, rng: Generator
) -> Waveform:
    """An exponentially decaying noise tail behind a direct path, the usual model of a diffuse room.

    `reverberation_s` is RT60: the tail has fallen by 60 dB after it (Polack, 1988).
    """
    length = max(2, int(reverberation_s * sample_rate))
    time = np.arange(length) / sample_rate
    tail = rng.standard_normal(length) * 10 ** (-3 * time / reverberation_s)
    tail[: int(0.002 * sample_rate)] = 0.0
    energy = float(np.sum(tail**2))
    response = tail * np.sqrt(10 ** (-direct_to_reverberant_db / 10) / max(energy, 1e-12))
    response[0] = 1.0
    return np.asarray(response, dtype=np.float32)


def reverberate(samples: Waveform, response: Waveform) -> Waveform:
    """Convolution by FFT, cut to the length of the input."""
    size = 1 << (len(samples) + len(response) - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[: len(samples)]
    return np.asarray(wet, dtype=np.float32)
