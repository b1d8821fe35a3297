import io

import numpy as np
import pytest
import soundfile as sf

from slu.audio.encode import encode_flac
from tests.conftest import RATE, tone


def test_a_clip_comes_back_to_16_bits() -> None:
    clip = tone(440)
    heard, rate = sf.read(io.BytesIO(encode_flac(clip, RATE)), dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(heard, clip, atol=1 / 32768)


def test_a_clip_beyond_full_scale_is_turned_down_not_cut() -> None:
    clip = 20 * tone(440)
    heard, _ = sf.read(io.BytesIO(encode_flac(clip, RATE)), dtype="float32")
    assert np.abs(heard).max() == pytest.approx(1.0, abs=0.001)
    assert np.corrcoef(heard, clip)[0, 1] > 0.9999
