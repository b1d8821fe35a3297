"""What is said of audio without decoding it."""

import numpy as np
import pytest

from slu.audio.decode import AudioError, AudioFacts, probe
from tests.audio.test_decode import encoded, muxed, sine


@pytest.mark.parametrize(
    ("content", "rate", "channels", "name"),
    [
        (encoded(sine(8000), 8000, "WAV", "PCM_16"), 8000, 1, "WAV PCM_16"),
        (encoded(np.stack([sine(44_100)] * 2, axis=1), 44_100, "FLAC", "PCM_24"), 44_100, 2, "FLAC PCM_24"),
        (muxed("mp4", "aac"), 48_000, 1, "mov,mp4,m4a,3gp,3g2,mj2 aac"),
    ],
)
def test_the_header_says_rate_channels_and_format(content: bytes, rate: int, channels: int, name: str) -> None:
    assert probe(content) == AudioFacts(rate, channels, name)


@pytest.mark.parametrize("content", [b"", b"no audio at all", encoded(sine(2000), 2000, "WAV", "PCM_16")])
def test_a_header_that_cannot_be_used_is_refused(content: bytes) -> None:
    with pytest.raises(AudioError):
        probe(content)
