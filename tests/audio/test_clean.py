import tempfile
from pathlib import Path

import numpy as np
import pytest

from slu.audio.clean import AudioCleaner, CleanSettings, build_cleaner
from slu.audio.decode import Waveform, rms_db
from tests.conftest import RATE, tone

ALL = {"denoise": True, "level_db": -20.0, "pre_emphasis": 0.97}


def cleaner(**settings: object) -> AudioCleaner:
    built = build_cleaner({"denoise": False, "level_db": None, "pre_emphasis": None, **settings}, RATE)
    assert built is not None
    return built


def words(noise: float) -> Waveform:
    """One burst of loud sound in two seconds of hiss: what fills a third of a clip would itself pass for noise."""
    generator = np.random.default_rng(0)
    hiss = noise * generator.standard_normal(2 * RATE).astype(np.float32)
    hiss[int(0.9 * RATE) : int(1.1 * RATE)] += 0.1 * generator.standard_normal(int(0.2 * RATE)).astype(np.float32)
    return hiss


def test_denoising_takes_the_hiss_around_a_word_and_leaves_the_word() -> None:
    noisy = words(noise=0.01)
    cleaned = cleaner(denoise=True)(noisy)
    pause, word = slice(int(0.55 * RATE), int(0.75 * RATE)), slice(int(0.92 * RATE), int(1.08 * RATE))
    assert rms_db(cleaned[pause]) < rms_db(noisy[pause]) - 15
    assert rms_db(cleaned[word]) == pytest.approx(rms_db(noisy[word]), abs=3)


@pytest.mark.parametrize("gain_db", [-45, -20, 0])
def test_every_clip_gets_the_same_level_and_peaks_are_not_cut(gain_db: int) -> None:
    spiky = np.zeros(RATE, np.float32)
    spiky[:: RATE // 10] = 10 ** (gain_db / 20)
    loud = cleaner(level_db=-20)(spiky)
    assert rms_db(loud) == pytest.approx(-20, abs=0.01)
    assert np.abs(loud).max() == pytest.approx(4.0, rel=0.01)


def test_pre_emphasis_is_the_textbook_filter() -> None:
    samples = np.array([0.5, 0.5, -0.25], np.float32)
    assert cleaner(pre_emphasis=0.97)(samples) == pytest.approx([0.5, 0.015, -0.735])


def test_silence_stays_silence() -> None:
    clean = cleaner(**ALL)
    assert not clean(np.zeros(RATE, np.float32)).any()
    dither = 1e-5 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    assert rms_db(clean(dither)) < -80
    # Hiss alone: the gate closes, and what leaks through is not lifted to the level of a voice.
    hiss = 1e-3 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    assert rms_db(clean(hiss)) < -80


@pytest.mark.parametrize("samples", [0, 1, 300, 1023, 1024, 1600])
@pytest.mark.parametrize("rate", [4_000, 8_000, 16_000, 48_000])
def test_the_shortest_clips_keep_their_length_and_hold_no_nan(samples: int, rate: int) -> None:
    cleaned = AudioCleaner(CleanSettings(), rate)(tone(220, 0.2)[:samples])
    assert cleaned.shape == (samples,)
    assert cleaned.dtype == np.float32
    assert np.isfinite(cleaned).all()


def test_cleaning_repeats_exactly_prints_nothing_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = np.tile(words(noise=0.01), 23)  # more than a block and more than the library's chunk
    before = long.copy()
    first, second = cleaner(**ALL)(long), cleaner(**ALL)(long)
    assert first.shape == long.shape
    assert np.array_equal(first, second)
    assert np.array_equal(long, before)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_without_anything_to_do_there_is_no_cleaner() -> None:
    assert build_cleaner(None, RATE) is None
    assert build_cleaner({"denoise": False, "level_db": None, "pre_emphasis": 0}, RATE) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"denoisee": True}, "clean.denoisee: there is no such setting; known are denoise, level_db, pre_emphasis"),
        ({"denoise": "loud"}, "clean.denoise: .*valid boolean"),
        ({"level_db": 3}, "level_db lies above -80 and at most at 0, got 3"),
        ({"level_db": float("nan")}, "level_db lies above -80"),
        ({"pre_emphasis": 1.0}, "pre_emphasis is at least 0 and below 1, got 1"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_cleaner(settings, RATE)
