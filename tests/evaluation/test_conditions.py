"""Every condition does what its name says, the same in every rerun."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.evaluation.conditions import CLEAN, ConditionSettings, build_conditions, mp3, speed, telephone
from tests.conftest import RATE, tone

CLIP = tone(700, 0.7)
BANK = [tone(200.0 + 50 * i, 0.3, seed=i) for i in range(6)]
ALL = ConditionSettings(noise_snr_db=(10, 0), mp3_kbps=(16,), telephone=True, speed=(0.8, 1.2), reverberation_s=(0.5,))


def share_between(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[(frequency >= low_hz) & (frequency <= high_hz)].sum() / power.sum())


def test_names_come_in_order_and_clean_is_first() -> None:
    names = [c.name for c in build_conditions(ALL, RATE, BANK)]
    assert names == [
        "clean", "10 dB", "0 dB", "MP3 16 kbit/s", "telephone", "speed x 0.8", "speed x 1.2", "reverberation 0.5 s"
    ]  # fmt: skip
    assert CLEAN.change(CLIP, 0) is CLIP


@pytest.mark.parametrize("place", range(8))
def test_a_rerun_hears_the_same_and_another_clip_something_else(place: int) -> None:
    first, again = build_conditions(ALL, RATE, BANK)[place], build_conditions(ALL, RATE, BANK)[place]
    heard = first.change(CLIP, 3)
    np.testing.assert_array_equal(heard, again.change(CLIP, 3))
    assert np.isfinite(heard).all()
    assert heard.dtype == np.float32
    assert first.key == again.key
    if first.family in ("generated noise", "room"):
        assert not np.allclose(heard, first.change(CLIP, 4))


def test_keys_differ_with_everything_that_changes_the_sound(tmp_path: Path) -> None:
    def keys(settings: ConditionSettings, bank: list[np.ndarray] = BANK) -> set[str]:
        return {c.key for c in build_conditions(settings, RATE, bank)} - {"clean"}

    ten = ConditionSettings(noise_snr_db=(10,))
    assert not keys(ten) & keys(ConditionSettings(noise_snr_db=(10,), seed=2))
    assert not keys(ten) & keys(ten, BANK[:3])
    sf.write(tmp_path / "a.wav", tone(100), RATE)
    recorded = ConditionSettings(noise_snr_db=(10,), noise_folder=str(tmp_path))
    before = keys(recorded)
    sf.write(tmp_path / "a.wav", tone(120), RATE)
    assert len(before & keys(recorded)) == 1  # the generated noise stayed


def test_the_telephone_keeps_only_its_band() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(RATE).astype(np.float32) * 0.1
    heard = telephone(noise, RATE)
    assert len(heard) == len(noise)
    assert share_between(heard, 250, 3600) > 0.97
    assert np.corrcoef(telephone(CLIP, RATE), CLIP)[0, 1] > 0.5


def test_mp3_loses_little_of_a_tone_and_takes_loud_clips() -> None:
    heard = mp3(5 * CLIP, RATE, 64)
    assert abs(len(heard) - len(CLIP)) < 0.1 * RATE
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(5 * np.sqrt(np.mean(CLIP**2)), rel=0.15)
    assert len(mp3(CLIP[:50], RATE, 16)) > 0


def test_speed_changes_length_and_pitch() -> None:
    pure = tone(1000, 1.0, noise=0.0)
    slow = speed(pure, RATE, 0.8)
    assert len(slow) == pytest.approx(1.25 * RATE, rel=0.01)
    assert share_between(slow, 790, 810) > 0.5


def test_recorded_noise_is_mixed_at_the_ratio_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    sf.write(tmp_path / "hum.wav", tone(50, 2.0), RATE)
    sf.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    (tmp_path / "notes.txt").write_text("not audio")
    settings = ConditionSettings(noise_snr_db=(5,), noise_folder=str(tmp_path))
    condition = next(c for c in build_conditions(settings, RATE, []) if c.name == "5 dB recorded")
    long = tone(700, 3.0)  # longer than the noise
    added = (condition.change(long, 0) - long).astype(np.float64)
    assert 10 * np.log10(np.mean(long.astype(np.float64) ** 2) / np.mean(added**2)) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("make", [False, True])
def test_a_noise_folder_without_audio_is_refused(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "noise"
    if make:
        folder.mkdir()
    with pytest.raises(UserError, match=r"conditions\.noise_folder"):
        build_conditions(ConditionSettings(noise_snr_db=(5,), noise_folder=str(folder)), RATE, [])


def test_a_value_given_twice_is_one_condition() -> None:
    settings = ConditionSettings(noise_snr_db=(10, 10.0), speed=(0.8, 0.8))
    assert [c.name for c in build_conditions(settings, RATE, BANK)] == ["clean", "10 dB", "speed x 0.8"]
