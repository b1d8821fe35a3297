"""M1: convolutions over time shorten the clip, a small Transformer relates what is left."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.layers import NORMS, SinusoidalPositions, TransformerLayers, frame_mask


class M1(nn.Module):
    """(batch, frames, features), lengths -> (batch, shorter, d_model), lengths."""

    def __init__(
        self,
        n_features: int,
        *,
        channels: Sequence[int] = (128, 192, 192),
        strides: Sequence[int] = (2, 2, 2),
        kernel_size: int = 5,
        layers: int = 2,
        attention_heads: int = 4,
        feedforward: int = 384,
        dropout: float = 0.1,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"M1 knows the norms {', '.join(NORMS)}, not '{norm}'")
        if len(channels) != len(strides):
            raise ValueError(f"M1 needs one stride per block, got {len(channels)} channels and {len(strides)} strides")
        if kernel_size % 2 == 0:
            raise ValueError(f"M1 needs an odd kernel_size, got {kernel_size}")
        if not strides or min(strides) < 1:
            raise ValueError(f"M1 needs at least one block and strides of 1 or more, got {list(strides)}")
        self.d_model = channels[-1]
        widths = [n_features, *channels]
        self.blocks = nn.ModuleList(
            _Block(a, b, kernel_size, stride, dropout, norm)
            for a, b, stride in zip(widths, channels, strides, strict=False)
        )
        self.positions = SinusoidalPositions(self.d_model)
        self.transformer = TransformerLayers(self.d_model, layers, attention_heads, feedforward, dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        for block in self.blocks:
            x, lengths = block(x, lengths)
        return self.transformer(self.positions(x), frame_mask(lengths, x.shape[1])), lengths


class _Block(nn.Module):
    """Convolution, normalisation, GELU, dropout. Padding is zeroed first, so it cannot leak in."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int, stride: int, dropout: float, norm: str) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv1d(inputs, outputs, kernel_size, stride, kernel_size // 2, bias=False)
        self.norm = NORMS[norm](outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = x * frame_mask(lengths, x.shape[1]).unsqueeze(-1)
        x = self.conv(x.transpose(1, 2)).transpose(1, 2)
        lengths = (lengths - 1).div(self.stride, rounding_mode="floor") + 1
        return self.dropout(F.gelu(self.norm(x, frame_mask(lengths, x.shape[1])))), lengths
