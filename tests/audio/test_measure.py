import numpy as np
import pytest

from slu.audio.measure import measure
from tests.conftest import RATE, tone


def test_levels_of_a_sine_are_the_textbook_ones() -> None:
    time = np.arange(RATE) / RATE
    measured = measure((0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), RATE)
    assert measured.duration_s == pytest.approx(1.0)
    assert measured.peak_db == pytest.approx(-6.02, abs=0.05)
    assert measured.level_db == pytest.approx(-9.03, abs=0.05)


@pytest.mark.parametrize("pitch_hz", [60, 440, 2000])
def test_a_loud_tone_is_not_clipped_and_a_cut_one_is(pitch_hz: float) -> None:
    time = np.arange(RATE) / RATE
    wave = np.sin(2 * np.pi * pitch_hz * time).astype(np.float32)
    assert measure(0.99 * wave, RATE).clipped_share < 0.001
    cut = np.clip(2.0 * wave, -0.999, 0.999)
    # Two thirds of a sine of twice the range lie above the rail: |sin x| > 1/2.
    assert measure(cut, RATE).clipped_share == pytest.approx(2 / 3, abs=0.1)


def test_silence_at_the_edges_and_the_noise_under_speech_are_seen() -> None:
    speech = tone(440, 1.0, noise=0.0)
    noise = np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    floor = float(np.sqrt(np.mean(speech**2))) / 10 ** (20 / 20)
    noisy = np.pad(speech, (RATE // 2, RATE // 2)) + floor * noise
    assert measure(noisy.astype(np.float32), RATE).snr_db == pytest.approx(20, abs=2)
    quiet = measure(np.pad(speech, (RATE // 2, RATE // 2)), RATE)
    assert quiet.silent_share == pytest.approx(0.5, abs=0.05)


def test_digital_silence_and_a_single_sample_have_measures_too() -> None:
    silence = measure(np.zeros(RATE, np.float32), RATE)
    assert silence.level_db == -120
    assert silence.clipped_share == 0
    assert measure(np.ones(1, np.float32), RATE).duration_s == pytest.approx(1 / RATE)


def test_stretches_of_zeros_are_told_from_a_quiet_room() -> None:
    speech = tone(440, 1.0)
    assert measure(np.pad(speech, (RATE // 2, RATE // 2)), RATE).zero_share == pytest.approx(0.5, abs=0.03)
    assert measure(speech, RATE).zero_share == 0
    assert measure(np.zeros(RATE, np.float32), RATE).zero_share == 1
