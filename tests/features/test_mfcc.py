"""Mfcc against torchaudio's own, and what it makes of short, silent and uncleaned audio."""

from typing import Any

import numpy as np
import pytest
import torch
import torchaudio

from slu.audio.clean import build_cleaner
from slu.features import Mfcc, build_front_end
from tests.conftest import RATE, tone

LEVEL = {"denoise": False, "level_db": -20.0, "pre_emphasis": 0.97}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_mfcc": 20, "n_fft": 512, "hop_length": 160, "n_mels": 40, "f_min": 60.0, "f_max": 7000.0},
        {"sample_rate": 8000, "n_fft": 256, "hop_length": 80, "n_mels": 32, "range_db": 50.0},
    ],
)
def test_equals_torchaudio(settings: dict[str, Any]) -> None:
    values = {"sample_rate": RATE, "n_fft": 2048, "hop_length": 512, "n_mels": 128} | settings
    rate, size, top_db = values.pop("sample_rate"), values.pop("n_mfcc", 13), values.pop("range_db", 80.0)
    reference = torchaudio.transforms.MFCC(
        rate, size, melkwargs={**values, "pad_mode": "constant", "mel_scale": "slaney", "norm": "slaney"}
    )
    reference.amplitude_to_DB.top_db = top_db
    front_end, wave = Mfcc(**settings), torch.from_numpy(tone(300, noise=0.001))
    features = front_end(wave)
    torch.testing.assert_close(features, reference(wave).T, atol=2e-3, rtol=1e-4)
    assert features.shape == (1 + len(wave) // values["hop_length"], size)
    assert (front_end.sample_rate, front_end.size) == (rate, size)
    assert front_end.hop_s == values["hop_length"] / rate


def test_gain_moves_the_first_coefficient_only() -> None:
    front_end, wave = Mfcc(), torch.from_numpy(tone(300))
    change = (front_end(8 * wave) - front_end(wave)).mean(0)
    assert float(change[0]) == pytest.approx(20 * np.log10(8) * np.sqrt(128), rel=1e-3)
    assert change[1:].abs().max() < 1e-2


@pytest.mark.parametrize("clean", [None, LEVEL])
@pytest.mark.parametrize("samples", [1, 100, 1600, 2048, 2049])
def test_very_short_clips(samples: int, clean: dict[str, Any] | None) -> None:
    features = Mfcc(clean=clean)(torch.from_numpy(tone(300)[:samples]).clone())
    assert features.shape == (1 + samples // 512, 13)
    assert features.isfinite().all()


@pytest.mark.parametrize("clean", [None, LEVEL])
def test_digital_silence_is_finite_and_constant(clean: dict[str, Any] | None) -> None:
    features = Mfcc(clean=clean)(torch.zeros(RATE))
    assert features.isfinite().all()
    assert float(features[:, 0].mean()) == pytest.approx(-100 * np.sqrt(128), rel=1e-4)
    assert (features == features[0]).all()


def test_cleaning_is_part_of_the_front_end() -> None:
    wave = 0.01 * tone(300)
    cleaner = build_cleaner(LEVEL, RATE)
    assert cleaner is not None
    cleaned = torch.from_numpy(cleaner(wave))
    with torch.inference_mode():
        torch.testing.assert_close(Mfcc(clean=LEVEL)(torch.from_numpy(wave)), Mfcc()(cleaned))


def test_it_cannot_be_augmented_and_stores_nothing() -> None:
    assert Mfcc().band_hz is None
    assert list(Mfcc().parameters()) == []
    assert Mfcc().state_dict() == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"hop_length": 0},
        {"hop_length": 4096},
        {"n_mfcc": 0},
        {"n_mfcc": 129},
        {"n_mels": 0},
        {"n_fft": "many"},
        {"range_db": 0.0},
        {"f_min": 9000.0},
        {"f_max": 8001.0},
        {"coefficients": 13},
        {"clean": {"level_db": 20.0}},
        {"clean": {"loudness": -20.0}},
    ],
)
def test_bad_settings_are_value_errors(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"front end|clean"):
        build_front_end({"name": "mfcc", **settings})
