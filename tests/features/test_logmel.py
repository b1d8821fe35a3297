"""LogMel against torchaudio's own mel spectrogram, and what makes it robust."""

from typing import Any

import pytest
import torch
import torchaudio
import yaml

from slu.features import LogMel, build_front_end
from tests.conftest import RATE, ROOT, tone


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_mels": 40, "n_fft": 400, "win_length": 400, "hop_length": 200, "f_min": 0.0, "f_max": 7000.0},
        {"sample_rate": 8000, "n_mels": 32, "n_fft": 256, "win_length": 200, "hop_length": 80},
    ],
)
def test_equals_torchaudio(settings: dict[str, Any]) -> None:
    front_end = LogMel(**settings)
    values = {
        "sample_rate": 16_000, "n_mels": 64, "n_fft": 512, "win_length": 400, "hop_length": 160, "f_min": 60.0
    } | settings  # fmt: skip
    reference = torchaudio.transforms.MelSpectrogram(**values, power=2.0, pad_mode="constant", mel_scale="htk")
    wave = torch.from_numpy(tone(300, noise=0.05))
    expected = torch.log(reference(wave).T + 1e-12)
    torch.testing.assert_close(front_end(wave), expected, atol=1e-4, rtol=1e-4)
    assert front_end(wave).shape[1] == front_end.size == values["n_mels"]
    assert front_end.hop_s == values["hop_length"] / values["sample_rate"]


def test_nothing_lies_further_below_the_loudest_cell_than_the_range() -> None:
    wave = torch.from_numpy(tone(300, noise=0.0))
    wave[len(wave) // 2 :] = 0.0
    features = LogMel(range_db=50.0)(wave)
    assert float(features.max() - features.min()) == pytest.approx(50 / 10 * 2.302585, abs=1e-4)
    full = LogMel(range_db=300.0)(wave)
    loud = full > full.max() - 11.5
    torch.testing.assert_close(features[loud], full[loud])


@pytest.mark.parametrize("gain", [0.01, 0.5, 8.0])
def test_gain_only_adds_a_constant(gain: float) -> None:
    front_end = LogMel()
    wave = torch.from_numpy(tone(300))
    change = front_end(gain * wave) - front_end(wave)
    torch.testing.assert_close(change, torch.full_like(change, 2 * torch.tensor(gain).log().item()), atol=2e-3, rtol=0)


def test_a_tone_lights_the_band_that_holds_it() -> None:
    front_end = LogMel()
    centre_hz = front_end.filters.argmax(0) * RATE / front_end.n_fft
    wave = torch.sin(2 * torch.pi * 1500 * torch.arange(RATE) / RATE)
    assert abs(float(centre_hz[int(front_end(wave)[20].argmax())]) - 1500) < 100


@pytest.mark.parametrize("samples", [1, 100, 399, 400, 401])
def test_very_short_clips(samples: int) -> None:
    features = LogMel()(torch.from_numpy(tone(300)[:samples]).clone())
    assert features.shape == (1 + max(samples, 400) // 160, 64)
    assert features.isfinite().all()


def test_digital_silence_is_flat() -> None:
    features = LogMel()(torch.zeros(RATE))
    assert features.isfinite().all()
    assert float(features.max() - features.min()) == 0.0


def test_it_has_nothing_to_learn_and_nothing_to_store() -> None:
    assert list(LogMel().parameters()) == []
    assert LogMel().state_dict() == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"hop_length": 0},
        {"hop_length": 401},
        {"win_length": 513},
        {"n_fft": "many"},
        {"n_mels": 0},
        {"n_mels": 100_000},
        {"range_db": float("nan")},
        {"sample_rate": 10**12},
        {"n_mels": -3},
        {"range_db": 0.0},
        {"f_min": -1.0},
        {"f_min": 9000.0},
        {"f_max": 50.0},
        {"f_max": 8001.0},
        {"n_melz": 64},
        {"name": "mfc"},
        {"name": None},
    ],
)
def test_bad_settings_are_value_errors(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="front end"):
        build_front_end({"name": "logmel", **settings})


@pytest.mark.parametrize("path", sorted((ROOT / "conf" / "features").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_front_end_works(path: Any) -> None:
    front_end = build_front_end(yaml.safe_load(path.read_text()))
    features = front_end(torch.from_numpy(tone(300)))  # half a second at 16 kHz
    assert features.shape[1] == front_end.size
    assert features.isfinite().all()
    assert len(features) == pytest.approx(8000 / front_end.sample_rate / front_end.hop_s, abs=2)
