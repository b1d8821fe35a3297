"""M1 with two-dimensional convolutions: the shape of the first retail system, kept for comparison."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.layers import SinusoidalPositions, TransformerLayers, frame_mask


class M1Conv2d(nn.Module):
    """(batch, frames, features), lengths -> (batch, frames // time pools, d_model), lengths.

    Each block is a 3x3 convolution, batch norm, GELU and max pooling over (frames, bands).
    """

    def __init__(
        self,
        n_features: int,
        *,
        channels: Sequence[int] = (64, 128, 256),
        pools: Sequence[Sequence[int]] = ((2, 2), (1, 2), (1, 2)),
        d_model: int = 256,
        layers: int = 2,
        attention_heads: int = 4,
        feedforward: int = 512,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if len(channels) != len(pools):
            raise ValueError(f"M1Conv2d needs one pool per block, got {len(channels)} and {len(pools)}")
        self.d_model = d_model
        self.pools = [tuple(pool) for pool in pools]
        widths = [1, *channels]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(widths, channels, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in channels)
        bands = n_features
        for _, band_pool in self.pools:
            bands //= band_pool
        if bands < 1:
            raise ValueError(f"M1Conv2d pools {n_features} bands away; use fewer or smaller pools")
        self.projection = nn.Linear(channels[-1] * bands, d_model)
        self.dropout = nn.Dropout(dropout)
        self.positions = SinusoidalPositions(d_model)
        self.transformer = TransformerLayers(d_model, layers, attention_heads, feedforward, dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = x.unsqueeze(1)
        for conv, norm, pool in zip(self.convs, self.norms, self.pools, strict=True):
            x = x * frame_mask(lengths, x.shape[2])[:, None, :, None]
            # Frames that a pool would half fill are kept: the rest of the window is minus infinity.
            x = F.gelu(norm(conv(x)))
            x = x.masked_fill(~frame_mask(lengths, x.shape[2])[:, None, :, None], -torch.inf)
            x = F.pad(x, (0, 0, 0, -x.shape[2] % pool[0]), value=-torch.inf)
            x = F.max_pool2d(x, pool)
            lengths = (lengths - 1).div(pool[0], rounding_mode="floor") + 1
            x = x.masked_fill(~frame_mask(lengths, x.shape[2])[:, None, :, None], 0.0)
        x = self.dropout(self.projection(x.permute(0, 2, 1, 3).flatten(2)))
        return self.transformer(self.positions(x), frame_mask(lengths, x.shape[1])), lengths
