"""A recording is recognised after whatever storing and sending does to it, and another take is not taken for it."""

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.exploration.duplicates import SAME_RECORDING
from slu.exploration.fingerprint import RATE as NARROW_RATE
from slu.exploration.fingerprint import SIZE, correlation, fingerprint, narrow
from tests.conftest import RATE, SHARED
from tests.exploration.helpers import COPIES, utterance

FSDD = SHARED / "data" / "fsdd"


@pytest.mark.parametrize("change", COPIES)
@pytest.mark.parametrize("duration_s", [0.4, 1.5])
def test_a_changed_copy_is_the_same_recording(change: str, duration_s: float) -> None:
    for seed in range(8):
        wave = utterance(seed, duration_s)
        first, second = narrow(wave, RATE), narrow(COPIES[change](wave).astype(np.float32), RATE)
        assert correlation(first, second) >= SAME_RECORDING
        assert float(fingerprint(first).astype(float) @ fingerprint(second).astype(float)) >= 0.85


def test_other_recordings_are_not() -> None:
    waves = [narrow(utterance(seed, 0.4), RATE) for seed in range(30)]
    assert max(correlation(a, b) for i, a in enumerate(waves) for b in waves[:i]) < 0.8


def test_the_correlation_is_the_textbook_one() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 4000)).astype(np.float32)
    mixed = (0.6 * first + 0.8 * second).astype(np.float32)
    assert correlation(first, first) == pytest.approx(1.0, abs=1e-6)
    assert correlation(first, -3 * first) == pytest.approx(1.0, abs=1e-6)
    assert correlation(first, mixed) == pytest.approx(0.6, abs=0.03)
    assert correlation(first, np.roll(np.pad(mixed, 500), 77)) == pytest.approx(0.6, abs=0.03)


def test_half_a_clip_is_no_copy_although_all_of_it_matches() -> None:
    wave = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    assert correlation(wave, wave[:3000]) == 0.0


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(8000), np.ones(3)])
def test_silence_and_scraps_are_like_nothing(samples: np.ndarray) -> None:
    wave = narrow(samples.astype(np.float32), RATE)
    assert fingerprint(wave).shape == (SIZE,)
    assert np.isfinite(fingerprint(wave)).all()
    assert np.isfinite(correlation(wave, narrow(utterance(0), RATE)))


def test_of_a_long_clip_the_six_seconds_with_the_speech_are_compared() -> None:
    speech = narrow(utterance(0, 2.0), RATE)
    long = narrow(np.pad(utterance(0, 2.0), (20 * RATE, RATE)), RATE)
    assert len(long) == 6 * NARROW_RATE
    assert correlation(speech, long) >= SAME_RECORDING


@pytest.mark.skipif(not FSDD.is_dir(), reason=f"the Free Spoken Digit Dataset is not at {FSDD}")
def test_separation_on_spoken_digits() -> None:
    """The figures that `slu.exploration.duplicates` quotes: takes of one digit by one speaker, and their copies."""
    table = pd.read_csv(FSDD / "metadata.csv", dtype=str)
    takes = table[(table["digit"] == "4") & (table["speaker"] == "george")]["file_name"].head(25)
    waves = [sf.read(FSDD / name, dtype="float32") for name in takes]
    narrowed = [narrow(wave, rate) for wave, rate in waves]
    nearest = max(correlation(a, b) for i, a in enumerate(narrowed) for b in narrowed[:i])
    assert 0.9 < nearest < 0.965
    for (wave, rate), original in zip(waves[:10], narrowed, strict=False):
        for name in ("gain", "padded", "noise floor"):
            assert correlation(narrow(COPIES[name](wave).astype(np.float32), rate), original) >= 0.98
