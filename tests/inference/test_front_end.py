"""The front ends in numpy give the features of those in torch."""

from typing import Any

import numpy as np
import pytest
import torch

from slu.features import build_front_end
from slu.inference.front_end import array_front_end


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "logmel"},
        {"name": "logmel", "n_mels": 40, "n_fft": 1024, "win_length": 512, "hop_length": 200, "f_max": 6000.0},
        {"name": "logmel", "sample_rate": 8000, "range_db": 45.0},
        {"name": "spectrum"},
    ],
)
@pytest.mark.parametrize("samples", [1, 399, 400, 16_001])
def test_they_agree(settings: dict[str, Any], samples: int) -> None:
    """On a clip that gets 80 dB louder, so that most of it is near the floor."""
    rng = np.random.default_rng(samples)
    waveform = (rng.normal(0, 0.1, samples) * np.geomspace(1e-4, 1, samples)).astype(np.float32)
    ours, theirs = array_front_end(settings), build_front_end(settings)
    assert ours is not None
    assert ours.sample_rate == theirs.sample_rate
    features = ours.features(waveform)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, theirs(torch.from_numpy(waveform)).numpy(), atol=5e-4)


def test_one_that_needs_torch_is_not_here() -> None:
    assert array_front_end({"name": "mfcc"}) is None
