"""The encoder of the hybrid recogniser: which sound is heard when, from half a second around it."""

import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.layers import NORMS, frame_mask


class Hybrid(nn.Module):
    """(batch, frames, features), lengths -> (batch, shorter, d_model), lengths: residual convolutions over time.

    Each block is a depthwise convolution and a gated pointwise one (as the convolution module of Gulati et al.,
    2020), which sees `kernel_size` frames of `stride` input frames each. Nothing spans the clip: what a word is
    should not depend on what is said elsewhere, which the menu knows better.
    """

    hears_frames = True

    def __init__(
        self,
        n_features: int,
        *,
        channels: int = 160,
        blocks: int = 5,
        kernel_size: int = 7,
        stride: int = 4,
        dropout: float = 0.1,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"Hybrid knows the norms {', '.join(NORMS)}, not '{norm}'")
        if stride not in (2, 4, 8) or kernel_size % 2 == 0 or blocks < 1:
            raise ValueError("Hybrid needs a stride of 2, 4 or 8, an odd kernel_size and at least one block")
        self.d_model, self.stride = channels, stride
        steps = [2] * (stride.bit_length() - 1)
        widths = [n_features, *[channels] * len(steps)]
        self.stem = nn.ModuleList(
            nn.Conv1d(a, channels, 5, step, 2, bias=False) for a, step in zip(widths, steps, strict=False)
        )
        self.stem_norms = nn.ModuleList(NORMS[norm](channels) for _ in steps)
        self.blocks = nn.ModuleList(Block(channels, kernel_size, dropout, norm) for _ in range(blocks))
        self.norm = NORMS[norm](channels)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        for conv, norm in zip(self.stem, self.stem_norms, strict=True):
            x = x * frame_mask(lengths, x.shape[1]).unsqueeze(-1)
            x = conv(x.transpose(1, 2)).transpose(1, 2)
            lengths = (lengths - 1).div(2, rounding_mode="floor") + 1
            x = F.gelu(norm(x, frame_mask(lengths, x.shape[1])))
        mask = frame_mask(lengths, x.shape[1])
        for block in self.blocks:
            x = block(x, mask)
        return F.gelu(self.norm(x, mask)), lengths


class Block(nn.Module):
    def __init__(self, channels: int, kernel_size: int, dropout: float, norm: str) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels, bias=False
        )
        self.norm = NORMS[norm](channels)
        self.gated = nn.Linear(channels, 2 * channels)
        self.out = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.depthwise((x * mask.unsqueeze(-1)).transpose(1, 2)).transpose(1, 2)
        y = F.glu(self.gated(self.norm(y, mask)), dim=-1)
        return x + self.dropout(self.out(self.dropout(y)))  # type: ignore[no-any-return]
