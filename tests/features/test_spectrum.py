"""The linear spectrum: where a tone lies, how quiet the floor is, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch

from slu.features import Spectrum, build_front_end


@pytest.mark.parametrize("hz", [125.0, 1000.0, 3000.0])
def test_a_tone_is_loudest_in_its_own_bin(hz: float) -> None:
    front_end = Spectrum()
    features = front_end(torch.sin(2 * torch.pi * hz * torch.arange(4000) / 8000))
    assert features.shape == (26, 257)
    assert float(front_end.band_hz[features[12].argmax()]) == pytest.approx(hz, abs=8)


def test_power_follows_the_level_and_ends_at_the_floor() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=8000).astype(np.float32))
    loud, quiet = Spectrum()(noise), Spectrum()(0.1 * noise)
    torch.testing.assert_close(loud - quiet, torch.full_like(loud, 2 * np.log(10)), atol=1e-3, rtol=0)
    click = torch.zeros(8000)
    click[4000] = 1.0
    features = Spectrum(range_db=50)(click)
    assert float(features.max() - features.min()) == pytest.approx(5 * np.log(10), abs=1e-3)


@pytest.mark.parametrize("samples", [1, 80, 511, 512, 513])
def test_very_short_clips_and_silence(samples: int) -> None:
    features = Spectrum()(torch.zeros(samples))
    assert features.isfinite().all()
    assert len(features) >= 1
    assert len(features.unique()) == 1


@pytest.mark.parametrize("settings", [{"hop_length": 0}, {"hop_length": 513}, {"range_db": 0}, {"n_mels": 3}])
def test_bad_settings_are_value_errors(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="front end 'spectrum'"):
        build_front_end({"name": "spectrum", **settings})
