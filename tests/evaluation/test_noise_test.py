"""Generated test noise: the same for every rerun, at the stated ratio, of every kind in turn."""

import numpy as np
import pytest

from slu.evaluation.noise_test import TestNoise
from tests.conftest import RATE, tone

BANK = [tone(200.0 + 50 * i, 0.2 + 0.1 * i, seed=i) for i in range(8)]


@pytest.mark.parametrize("bank", [BANK, BANK[:2], []], ids=["many", "two", "none"])
@pytest.mark.parametrize("index", range(4))
def test_every_kind_hits_the_ratio_and_repeats(bank: list[np.ndarray], index: int) -> None:
    clip = tone(700, 0.7)
    noise = TestNoise(bank, RATE)
    noisy = noise.add(clip, 5.0, index)
    assert noisy.shape == clip.shape
    ratio = 10 * np.log10(np.mean(clip.astype(np.float64) ** 2) / np.mean((noisy - clip).astype(np.float64) ** 2))
    assert ratio == pytest.approx(5.0, abs=0.1)
    np.testing.assert_array_equal(noisy, TestNoise(bank, RATE).add(clip, 5.0, index))
    assert not np.allclose(noisy, noise.add(clip, 5.0, index + 4))
    assert not np.allclose(noisy, TestNoise(bank, RATE, seed=2).add(clip, 5.0, index))


def test_the_fourth_kind_is_babble() -> None:
    clip = tone(3000, 1.0, noise=0.0)
    added = TestNoise(BANK, RATE).add(clip, 0.0, 3) - clip
    spectrum = np.abs(np.fft.rfft(added)) ** 2
    below = spectrum[: 2000 * len(added) // RATE].sum() / spectrum.sum()
    assert below > 0.9  # the voices of the bank, none above 1.7 kHz
