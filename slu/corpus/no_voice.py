"""Clips that hold no voice: noise, hum, beeps, clicks and crude music, so that a model can learn to say nothing."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from slu.audio.decode import Waveform
from slu.audio.noise import coloured_noise, fluctuating, mix

SOURCE = "generated: no voice"
_DURATION_S = (0.4, 5.0)
_SEMITONE = 2 ** (1 / 12)
_CHORDS = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 5, 7), (0, 7, 12))
_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)

Signal = NDArray[np.float64]


def draw_no_voice(sample_rate: int, level_db: tuple[float, float], rng: Generator) -> tuple[str, Waveform]:
    """The name of a kind drawn at random, and a clip of it: 0.4 to 5 s, within [-1, 1], over a noise floor."""
    kind = list(_KINDS)[rng.integers(len(_KINDS))]
    samples = int(rng.uniform(*_DURATION_S) * sample_rate)
    sound = np.asarray(_KINDS[kind](samples, sample_rate, rng), dtype=np.float32)
    floor = coloured_noise(samples, rng.uniform(0.0, 6.0), rng)
    clip = mix(sound, floor, rng.uniform(15.0, 55.0))
    level = rng.uniform(-75.0, -45.0) if kind == "room tone" else rng.uniform(*level_db)
    clip *= 10 ** (level / 20) / max(float(np.sqrt(np.mean(clip**2))), 1e-9)
    return kind, clip / max(1.0, float(np.abs(clip).max()))


def _noise(samples: int, sample_rate: int, rng: Generator) -> Waveform:
    noise = coloured_noise(samples, rng.uniform(-3.0, 9.0), rng)
    return fluctuating(noise, sample_rate, rng.uniform(0.0, 8.0), rng)


def _hum(samples: int, sample_rate: int, rng: Generator) -> Signal:
    """Mains and motors: many harmonics of a low tone, whose strengths fall unevenly."""
    base = rng.choice([50.0, 60.0, rng.uniform(35.0, 180.0)])
    harmonics = np.arange(1, rng.integers(4, 24))
    strength = harmonics ** -rng.uniform(0.3, 1.5) * rng.uniform(0.0, 1.0, len(harmonics))
    time = np.arange(samples) / sample_rate
    drift = 1 + 0.01 * rng.normal() * np.sin(2 * np.pi * rng.uniform(0.05, 0.5) * time)
    return np.asarray(np.sin(2 * np.pi * base * np.outer(harmonics, time * drift)).T @ strength)


def _tone(frequency: float, samples: int, sample_rate: int, rng: Generator) -> Signal:
    """One note: a few harmonics, attack and decay."""
    time = np.arange(samples) / sample_rate
    sound = np.zeros(samples)
    for harmonic in range(1, int(rng.integers(2, 9))):
        if harmonic * frequency < sample_rate / 2:
            angle = 2 * np.pi * harmonic * frequency * time + rng.uniform(0, 2 * np.pi)
            sound += harmonic ** -rng.uniform(0.8, 2.5) * np.sin(angle)
    sound *= np.minimum(1.0, time / rng.uniform(0.002, 0.1)) * np.exp(-time * rng.uniform(0.0, 5.0))
    return sound


def _chord(samples: int, sample_rate: int, rng: Generator) -> Signal:
    root = 65.4 * _SEMITONE ** rng.integers(0, 36)
    steps = _CHORDS[rng.integers(len(_CHORDS))][: rng.integers(1, 5)]
    notes = [_tone(root * _SEMITONE**step, samples, sample_rate, rng) for step in steps]
    return np.asarray(np.sum(notes, axis=0))


def _music(samples: int, sample_rate: int, rng: Generator) -> Signal:
    """A wandering melody over held chords, with or without a drum."""
    sound, root = np.zeros(samples), 65.4 * _SEMITONE ** rng.integers(0, 12)
    beat = int(rng.uniform(0.12, 0.5) * sample_rate)
    for start in range(0, samples, beat):
        note = root * 2 ** rng.integers(1, 4) * _SEMITONE ** _SCALE[rng.integers(len(_SCALE))]
        length = min(int(beat * rng.choice([1, 1, 2])), samples - start)
        sound[start : start + length] += _tone(note, length, sample_rate, rng)
    for start in range(0, samples, 4 * beat):
        length = min(4 * beat, samples - start)
        sound[start : start + length] += 0.5 * _chord(length, sample_rate, rng)
    return sound + _bursts(samples, sample_rate, beat, rng) * float(rng.choice([0.0, 0.5, 1.0]))


def _bursts(samples: int, sample_rate: int, gap: int, rng: Generator) -> Signal:
    """A short noise that decays, every `gap` samples."""
    sound = np.zeros(samples)
    decay = rng.uniform(0.003, 0.08)
    for start in range(0, samples, gap):
        length = min(int(8 * decay * sample_rate), samples - start)
        sound[start : start + length] += rng.normal(size=length) * np.exp(-np.arange(length) / sample_rate / decay)
    return sound


def _clicks(samples: int, sample_rate: int, rng: Generator) -> Signal:
    """Knocks, keys and taps at uneven times."""
    gap = int(rng.uniform(0.05, 0.8) * sample_rate)
    return np.roll(_bursts(samples, sample_rate, gap, rng), int(rng.integers(gap)))


def _beeps(samples: int, sample_rate: int, rng: Generator) -> Signal:
    """Telephones and machines: one or two steady tones, on and off."""
    time = np.arange(samples) / sample_rate
    tones = [np.sin(2 * np.pi * rng.uniform(200, 3000) * time) for _ in range(rng.integers(1, 3))]
    period = rng.uniform(0.1, 2.0)
    return np.asarray(np.sum(tones, axis=0) * (time % period < period * rng.uniform(0.2, 0.9)))


def _sweep(samples: int, sample_rate: int, rng: Generator) -> Signal:
    """Sirens and whistles: a tone that glides up and down."""
    time = np.arange(samples) / sample_rate
    octaves = rng.uniform(0.1, 1.0) * np.sin(2 * np.pi * rng.uniform(0.2, 4.0) * time + rng.uniform(0, 2 * np.pi))
    return np.sin(2 * np.pi * np.cumsum(rng.uniform(150, 2000) * 2**octaves) / sample_rate)


_KINDS: dict[str, Callable[[int, int, Generator], Waveform | Signal]] = {
    "noise": _noise,
    "room tone": _noise,
    "hum": _hum,
    "chord": _chord,
    "music": _music,
    "beeps": _beeps,
    "clicks": _clicks,
    "sweep": _sweep,
}
