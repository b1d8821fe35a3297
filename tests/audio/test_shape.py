"""Each number moves with its own kind of change."""

import numpy as np
import pytest

from slu.audio.noise import coloured_noise
from slu.audio.shape import shape
from tests.conftest import RATE, tone


def noise(slope: float = 0.0, seconds: float = 1.0) -> np.ndarray:
    return 0.05 * coloured_noise(round(seconds * RATE), slope, np.random.default_rng(0))


def beats(rate_hz: float, seconds: float = 2.0) -> np.ndarray:
    """A tone whose level goes up and down like syllables."""
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.1 * np.sin(2 * np.pi * 300 * time) * np.sin(np.pi * rate_hz * time) ** 2 + 1e-4).astype(np.float32)


@pytest.mark.parametrize("slope", [0.0, 3.0, 6.0])
def test_the_tilt_is_that_of_the_spectrum(slope: float) -> None:
    assert shape(noise(slope, 4.0), RATE).tilt_db == pytest.approx(-slope, abs=0.3)


def test_the_band_ends_where_it_is_cut_off() -> None:
    spectrum = np.fft.rfft(noise())
    spectrum[np.fft.rfftfreq(RATE, 1 / RATE) > 3400] = 0
    narrow = np.fft.irfft(spectrum).astype(np.float32)
    assert shape(narrow, RATE).rolloff_hz == pytest.approx(3300, abs=150)
    assert shape(noise(), RATE).rolloff_hz > 7000


@pytest.mark.parametrize("rate_hz", [3.0, 6.0])
def test_the_pace_counts_syllables(rate_hz: float) -> None:
    assert shape(beats(rate_hz), RATE).pace_hz == pytest.approx(rate_hz, abs=0.7)


def test_noise_is_heard_in_the_pauses() -> None:
    clip = np.concatenate([tone(200, 0.5, noise=0.0), np.zeros(RATE, np.float32)])
    floor = (0.001 * np.random.default_rng(0).standard_normal(len(clip))).astype(np.float32)
    clean, noisy = shape(clip + floor, RATE), shape(clip + 10 * floor, RATE)
    assert clean.noise_db == pytest.approx(-60, abs=1)
    assert noisy.noise_db - clean.noise_db == pytest.approx(20, abs=1)
    assert clean.snr_db - noisy.snr_db == pytest.approx(20, abs=1)
    assert clean.speech_s == pytest.approx(0.5, abs=0.05)


def test_what_is_cut_off_has_a_low_crest() -> None:
    wave = noise()
    limit = 0.3 * np.abs(wave).max()
    cut = np.clip(wave, -limit, limit)
    assert shape(wave, RATE).crest_db - shape(cut, RATE).crest_db > 5
    loud = (cut / limit).astype(np.float32)
    assert shape(loud, RATE).clipped_share > 0.01
    assert shape(wave, RATE).clipped_share == 0


def test_the_pitch_is_that_of_a_voice_and_noise_has_none() -> None:
    assert shape(tone(180, 1.0), RATE).pitch_hz == pytest.approx(180, rel=0.02)
    assert shape(noise(), RATE).pitch_hz is None


@pytest.mark.parametrize("samples", [1, 100, 600])
def test_silence_and_snippets_have_finite_numbers(samples: int) -> None:
    for wave in (np.zeros(samples, np.float32), np.full(samples, 0.1, np.float32)):
        found = shape(wave, RATE)
        assert all(np.isfinite(value) for value in vars(found).values() if value is not None)
        assert found.pitch_hz is None
