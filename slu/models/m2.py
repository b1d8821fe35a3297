"""M2: no convolution; stacked frames, a linear projection, positions, and a small Transformer."""

import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.layers import SinusoidalPositions, TransformerLayers, frame_mask


class M2(nn.Module):
    """(batch, frames, features), lengths -> (batch, frames / step, d_model), lengths.

    Each position sees `stack` frames; with `step` < `stack` neighbours overlap, so that a sound does not
    depend on where the grid cuts it.
    """

    def __init__(
        self,
        n_features: int,
        *,
        stack: int = 8,
        step: int = 4,
        d_model: int = 144,
        layers: int = 3,
        attention_heads: int = 4,
        feedforward: int = 384,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if not 1 <= step <= stack:
            raise ValueError(f"M2 needs 1 <= step <= stack, got step {step} and stack {stack}")
        self.stack, self.step, self.d_model = stack, step, d_model
        self.projection = nn.Linear(n_features * stack, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.positions = SinusoidalPositions(d_model)
        self.dropout = nn.Dropout(dropout)
        self.transformer = TransformerLayers(d_model, layers, attention_heads, feedforward, dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = x * frame_mask(lengths, x.shape[1]).unsqueeze(-1)
        lengths = (lengths - 1).div(self.step, rounding_mode="floor") + 1
        # One window per position, the last ones reaching into zeros.
        positions = (x.shape[1] - 1) // self.step + 1
        x = F.pad(x, (0, 0, 0, (positions - 1) * self.step + self.stack - x.shape[1]))
        weight = self.projection.weight.view(self.d_model, -1, self.stack)
        x = F.conv1d(x.transpose(1, 2), weight, self.projection.bias, self.step).transpose(1, 2)
        x = self.dropout(self.positions(self.norm(x)))
        return self.transformer(x, frame_mask(lengths, x.shape[1])), lengths
