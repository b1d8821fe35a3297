"""Several channels become one: their mean, or the louder where they cancel."""

from collections.abc import Callable

import numpy as np
import pytest

from slu.audio.decode import AudioLimits, decode, rms_db
from tests.audio.test_decode import encoded, is_the_sine, muxed, refusal, sine
from tests.conftest import RATE


def test_stereo_becomes_the_mean_of_its_channels() -> None:
    stereo = np.stack([sine(RATE), np.zeros(RATE, np.float32)], axis=1)
    np.testing.assert_allclose(decode(encoded(stereo, RATE, "WAV", "FLOAT"), RATE), sine(RATE) / 2, atol=1e-7)


@pytest.mark.parametrize("gain", [-1.0, -0.9])
@pytest.mark.parametrize(
    "make",
    [
        lambda gains: encoded(np.outer(sine(RATE), np.array(gains, np.float32)), RATE, "WAV", "PCM_16"),
        lambda gains: encoded(np.outer(sine(44_100), np.array(gains, np.float32)), 44_100, "MP3"),
        lambda gains: muxed("ipod", "aac", gains=gains),
        lambda gains: muxed("matroska", "pcm_s16le", gains=gains),
    ],
    ids=["wav", "mp3", "m4a", "mkv"],
)
def test_of_channels_that_cancel_the_louder_is_heard(make: Callable[[tuple[float, ...]], bytes], gain: float) -> None:
    is_the_sine(decode(make((1.0, gain)), RATE))
    is_the_sine(decode(make((gain, 1.0)), RATE))


def test_channels_that_cancel_only_in_part_are_averaged() -> None:
    stereo = np.stack([sine(RATE), -0.5 * sine(RATE)], axis=1)
    np.testing.assert_allclose(decode(encoded(stereo, RATE, "WAV", "FLOAT"), RATE), sine(RATE) / 4, atol=1e-7)
    quiet = muxed("matroska", "pcm_s16le", gains=(1.0, -0.5))
    assert rms_db(decode(quiet, RATE)) < rms_db(sine(RATE)) - 9


def test_one_of_eight_channels_is_averaged_with_the_silent_ones() -> None:
    eight = np.zeros((RATE, 8), np.float32)
    eight[:, 3] = sine(RATE)
    np.testing.assert_allclose(decode(encoded(eight, RATE, "WAV", "FLOAT"), RATE), sine(RATE) / 8, atol=1e-7)


def test_the_limit_holds_for_channels_that_cancel() -> None:
    for data in (
        encoded(np.outer(sine(RATE, 2), [1, -1]).astype(np.float32), RATE, "WAV"),
        muxed("ipod", "aac", duration_s=2, gains=(1.0, -1.0)),
    ):
        is_the_sine(decode(data, RATE, AudioLimits(max_duration_s=0.5, truncate=True)), 0.5)
        assert "the limit" in refusal(data, AudioLimits(max_duration_s=1.9))
