"""What every model takes off its features first, and that padding counts for nothing in it."""

import pytest
import torch
from torch import Tensor, nn

from slu.models.layers import MaskedNorm, UtteranceNorm, frame_mask

BANDS = 16


def test_masked_norm_counts_real_frames_only() -> None:
    norm, plain = MaskedNorm(BANDS), nn.BatchNorm1d(BANDS)
    mask = frame_mask(torch.tensor([20, 5]), 20)
    x = torch.randn(2, 20, BANDS) * 4 + 1
    x[1, 5:] = 1e4
    out = norm(x, mask)
    torch.testing.assert_close(out[mask], plain(x[mask]))
    assert (out[~mask] == 0).all()
    torch.testing.assert_close(norm.norm.running_var, plain.running_var)
    torch.testing.assert_close(norm.eval()(x, mask)[mask], plain.eval()(x[mask]), atol=1e-5, rtol=1e-5)


def test_what_counts_as_channel_is_taken_away() -> None:
    x, mask = torch.randn(2, 30, BANDS), frame_mask(torch.tensor([30, 12]), 30)
    level, tilt = torch.full((BANDS,), 4.0), torch.linspace(-3, 3, BANDS)
    curve = torch.randn(BANDS)

    def change(baseline: str, channel: Tensor) -> float:
        norm = UtteranceNorm(BANDS, baseline)
        return float((norm(x + channel, mask) - norm(x, mask)).abs().max())

    ignored = {"bands": [level, tilt, curve], "tilt": [level, tilt], "level": [level]}
    for baseline, channels in ignored.items():
        for channel in (level, tilt, curve):
            heard = not any(channel is other for other in channels)
            assert (change(baseline, channel) > 0.1) == heard, baseline
            assert heard or change(baseline, channel) < 1e-4


@pytest.mark.parametrize("baseline", ["bands", "tilt", "level"])
def test_utterance_norm_scales_speech_and_leaves_silence_flat(baseline: str) -> None:
    mask = frame_mask(torch.tensor([30, 12]), 30)
    out = UtteranceNorm(BANDS, baseline)(50 * torch.randn(2, 30, BANDS) - 80, mask)
    assert (out[~mask] == 0).all()
    for clip, length in enumerate((30, 12)):
        assert out[clip, :length].square().mean() == pytest.approx(1.0, abs=0.01)
    assert UtteranceNorm(BANDS, baseline)(torch.full((2, 30, BANDS), -27.0), mask).abs().max() < 1e-2


def test_features_can_be_left_as_they_are() -> None:
    x, mask = 50 * torch.randn(2, 30, BANDS) - 80, frame_mask(torch.tensor([30, 12]), 30)
    out = UtteranceNorm(BANDS, "none")(x, mask)
    assert torch.equal(out[mask], x[mask])
    assert (out[~mask] == 0).all()
