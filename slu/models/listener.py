"""One way to hear: from features to scores of phones, words and classes, frame by frame."""

from typing import NamedTuple

from torch import Tensor, nn

from slu.decoding.grammar import Grammar
from slu.models.layers import AttentionPooling, SpeechNorm, frame_mask
from slu.spec import TaskSpec


class FrameScores(NamedTuple):
    phones: Tensor
    """(batch, frames, phones) logits; frames are `stride` features apart."""
    words: Tensor
    """(batch, frames, words) logits."""
    heads: dict[str, Tensor]
    """(batch, classes) logits of the pooled frames: one attention query per head."""
    lengths: Tensor
    """(batch,) frames."""


class Listener(nn.Module):
    """Features (batch, frames, size) and lengths (batch,) -> FrameScores; encoders as those of slu.models.hybrid."""

    def __init__(
        self, encoder: nn.Module, normalise: SpeechNorm, spec: TaskSpec, grammar: Grammar, *, dropout: float
    ) -> None:
        super().__init__()
        self.normalise, self.encoder, self.dropout = normalise, encoder, nn.Dropout(dropout)
        self.stride, channels = int(encoder.stride), int(encoder.d_model)  # type: ignore[arg-type]
        self.heads = AttentionPooling(channels, {h.name: len(h.classes) for h in spec.heads}, dropout)
        self.phones = nn.Linear(channels, len(grammar.phones))
        self.words = nn.Linear(channels, len(grammar.words))

    def forward(self, features: Tensor, lengths: Tensor) -> FrameScores:
        x = self.normalise(features, frame_mask(lengths, features.shape[1]))
        x, lengths = self.encoder(x, lengths)
        heads = self.heads(x, frame_mask(lengths, x.shape[1]))
        x = self.dropout(x)
        return FrameScores(self.phones(x), self.words(x), heads, lengths)
