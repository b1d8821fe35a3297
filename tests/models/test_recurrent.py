"""Recurrent encoders beside those of torch."""

import pytest
import torch
from torch import nn

from slu.models.recurrent import Recurrent

BANDS = 16


@pytest.mark.parametrize("bidirectional", [False, True])
@torch.no_grad()
def test_what_is_pooled_over_a_clip(bidirectional: bool) -> None:
    """Against packed sequences, torch's own way of leaving padding out."""
    clip, lengths = torch.randn(3, 9, BANDS), torch.tensor([9, 4, 1])
    for pooling in ("mean", "max", "last"):
        torch.manual_seed(0)
        settings = {"bidirectional": bidirectional, "pooling": pooling, "input_norm": "none"}
        encoder = Recurrent(BANDS, cell="gru", hidden=5, **settings).eval()
        reference = nn.GRU(BANDS, 5, batch_first=True, bidirectional=bidirectional)
        layer = encoder.layers[0]
        for suffix, cell in (("", layer.forwards), ("_reverse", layer.backwards)):
            for name, value in [] if cell is None else cell.named_parameters():
                reference.get_parameter(name + suffix).copy_(value)
        packed = nn.utils.rnn.pack_padded_sequence(clip, lengths, batch_first=True)
        states, final = reference(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        expected = {
            "mean": torch.stack([s[:n].mean(0) for s, n in zip(states, lengths, strict=True)]),
            "max": torch.stack([s[:n].amax(0) for s, n in zip(states, lengths, strict=True)]),
            "last": torch.cat(list(final), dim=1),
        }
        vector, frames = encoder(clip, lengths)
        torch.testing.assert_close(vector[:, 0], encoder.dense(encoder.pooled_norm(expected[pooling])).relu())
        assert frames.tolist() == [1, 1, 1]
