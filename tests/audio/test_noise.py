"""Noise at the level that was asked for, with the spectrum that was asked for, and rooms that decay."""

import numpy as np
import pytest

from slu.audio.noise import coloured_noise, fluctuating, mix, reverberate, room_response
from tests.conftest import RATE, tone


def power_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.5, 40.0])
def test_mix_hits_the_asked_ratio(snr_db: float) -> None:
    speech = np.pad(tone(300), 2000)
    noise = 7.0 * coloured_noise(len(speech), 3.0, np.random.default_rng(0))
    mixed = mix(speech, noise, snr_db)
    assert mixed.dtype == np.float32
    assert power_db(speech) - power_db(mixed - speech) == pytest.approx(snr_db, abs=0.1)


def test_mix_with_silence_changes_nothing() -> None:
    speech = tone(300)
    np.testing.assert_array_equal(mix(speech, np.zeros_like(speech), 0.0), speech)
    np.testing.assert_array_equal(mix(np.zeros_like(speech), speech, 0.0), np.zeros_like(speech))


@pytest.mark.parametrize("slope", [0.0, 3.0, 6.0])
def test_coloured_noise_has_its_slope_and_unit_power(slope: float) -> None:
    noise = coloured_noise(1 << 17, slope, np.random.default_rng(1))
    assert power_db(noise) == pytest.approx(0.0, abs=0.01)
    density = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [10 * np.log10(density[1 << k : 2 << k].mean()) for k in range(8, 16)]
    assert np.polyfit(np.arange(8), octaves, 1)[0] == pytest.approx(-slope, abs=0.3)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 1001])
def test_coloured_noise_of_any_length(length: int) -> None:
    noise = coloured_noise(length, 3.0, np.random.default_rng(0))
    assert noise.shape == (length,)
    assert np.isfinite(noise).all()


def test_the_seed_decides() -> None:
    def draw(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        noise = fluctuating(coloured_noise(4000, 3.0, rng), RATE, 3.0, rng)
        return reverberate(noise, room_response(RATE, 0.2, 3.0, rng))

    np.testing.assert_array_equal(draw(5), draw(5))
    assert not np.allclose(draw(5), draw(6))


def test_fluctuating_wanders_and_keeps_length() -> None:
    steady = np.ones(3 * RATE, np.float32)
    wandering = fluctuating(steady, RATE, 6.0, np.random.default_rng(0))
    assert wandering.shape == steady.shape
    assert np.std(20 * np.log10(wandering)) > 2
    np.testing.assert_array_equal(fluctuating(steady, RATE, 0.0, np.random.default_rng(0)), steady)


def test_reverberation_is_a_convolution_of_the_same_length() -> None:
    clip = tone(300)
    response = np.zeros(500, np.float32)
    response[0], response[100] = 1.0, 0.5
    wet = reverberate(clip, response)
    assert wet.shape == clip.shape
    assert wet.dtype == np.float32
    np.testing.assert_allclose(wet[:100], clip[:100], atol=1e-6)
    np.testing.assert_allclose(wet[100:], clip[100:] + 0.5 * clip[:-100], atol=1e-6)


def test_a_room_decays_by_60_db_in_its_reverberation_time() -> None:
    response = room_response(RATE, 0.4, 6.0, np.random.default_rng(0))
    assert response[0] == 1.0
    tail = response[1:].astype(np.float64)
    assert 10 * np.log10(1.0 / np.sum(tail**2)) == pytest.approx(6.0, abs=0.1)
    blocks = [10 * np.log10(np.mean(part**2)) for part in np.array_split(tail[40:], 20)]
    assert np.polyfit(np.arange(20), blocks, 1)[0] * 20 == pytest.approx(-60, abs=3)
