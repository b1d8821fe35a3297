"""M2: no convolution; stacked frames, a linear projection, positions, and a small Transformer."""

import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.layers import SinusoidalPositions, TransformerLayers, frame_mask


class M2(nn.Module):
    """(batch, frames, features), lengths -> (batch, frames / stack, d_model), lengths."""

    def __init__(
        self,
        n_features: int,
        *,
        stack: int = 4,
        d_model: int = 144,
        layers: int = 4,
        attention_heads: int = 4,
        feedforward: int = 384,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if stack < 1:
            raise ValueError(f"M2 needs a stack of at least one frame, got {stack}")
        self.stack, self.d_model = stack, d_model
        self.projection = nn.Linear(n_features * stack, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.positions = SinusoidalPositions(d_model)
        self.dropout = nn.Dropout(dropout)
        self.transformer = TransformerLayers(d_model, layers, attention_heads, feedforward, dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = x * frame_mask(lengths, x.shape[1]).unsqueeze(-1)
        x = F.pad(x, (0, 0, 0, -x.shape[1] % self.stack))
        x = x.reshape(x.shape[0], -1, self.stack * x.shape[2])
        lengths = (lengths - 1).div(self.stack, rounding_mode="floor") + 1
        x = self.dropout(self.positions(self.norm(self.projection(x))))
        return self.transformer(x, frame_mask(lengths, x.shape[1])), lengths
