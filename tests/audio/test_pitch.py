"""The fundamental: of any rate, through telephones and noise; silence and noise have none."""

import numpy as np
import pytest

from slu.audio.decode import Waveform
from slu.audio.noise import coloured_noise, mix
from slu.audio.pitch import median_pitch


def voice(hertz: float, rate: int, seconds: float = 1.0, lowest_harmonic: int = 1) -> Waveform:
    time = np.arange(int(seconds * rate)) / rate
    harmonics = range(lowest_harmonic, 12)
    return np.sum([np.sin(2 * np.pi * hertz * k * time) / k for k in harmonics], axis=0).astype(np.float32)


@pytest.mark.parametrize("hertz", [72.0, 110.0, 163.5, 240.0, 390.0])
@pytest.mark.parametrize("rate", [8000, 16_000, 22_050])
def test_harmonic_tones(hertz: float, rate: int) -> None:
    assert median_pitch(voice(hertz, rate), rate) == pytest.approx(hertz, rel=0.01)
    noise = coloured_noise(rate, 0.0, np.random.default_rng(0))
    assert median_pitch(mix(voice(hertz, rate), noise, 5.0), rate) == pytest.approx(hertz, rel=0.03)


def test_a_telephone_takes_the_fundamental_away_but_not_the_pitch() -> None:
    assert median_pitch(voice(120.0, 8000, lowest_harmonic=3), 8000) == pytest.approx(120, rel=0.02)


def test_silence_noise_and_clips_too_short_have_none() -> None:
    assert median_pitch(np.zeros(16_000, np.float32), 16_000) is None
    assert median_pitch(np.zeros(0, np.float32), 16_000) is None
    assert median_pitch(coloured_noise(16_000, 0.0, np.random.default_rng(0)), 16_000) is None
    assert median_pitch(voice(120.0, 16_000, 0.05), 16_000) is None
    assert median_pitch(voice(120.0, 16_000, 0.2), 16_000) == pytest.approx(120, rel=0.02)
