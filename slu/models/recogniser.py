"""The network that is trained, stored and served: normalisation, encoder, one head per label."""

from torch import Tensor, nn

from slu.models.layers import AttentionPooling, UtteranceNorm, frame_mask
from slu.spec import TaskSpec


class Recogniser(nn.Module):
    """Features (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name."""

    def __init__(self, encoder: nn.Module, n_features: int, spec: TaskSpec, *, dropout: float, normalise: str) -> None:
        super().__init__()
        self.normalise: nn.Module = UtteranceNorm(n_features, normalise)
        self.encoder = encoder
        channels = int(encoder.d_model)  # type: ignore[arg-type]
        self.heads = AttentionPooling(channels, {h.name: len(h.classes) for h in spec.heads}, dropout)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        x = self.normalise(features, frame_mask(lengths, features.shape[1]))
        frames, lengths = self.encoder(x, lengths)
        return self.heads(frames, frame_mask(lengths, frames.shape[1]))  # type: ignore[no-any-return]
