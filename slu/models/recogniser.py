"""The network that is trained, stored and served: normalisation, encoder, one head per label."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from slu.models.layers import AttentionPooling, UtteranceNorm, frame_mask
from slu.spec import TaskSpec


class Heard(NamedTuple):
    logits: dict[str, Tensor]
    """(batch, classes) by head name."""
    evidence: dict[str, Tensor]
    """(batch,) by name: what else says whether the answer can be trusted; the higher, the better."""


class Recogniser(nn.Module, ABC):
    """Features (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name."""

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]: ...

    @abstractmethod
    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """What the network computes, batch first: all that another runtime has to do."""

    @abstractmethod
    def conclude(self, outputs: Sequence[Tensor], lengths: Tensor) -> Heard:
        """From `outputs` and the clips' lengths, the answer and what else is known of it."""

    def hear(self, features: Tensor, lengths: Tensor) -> Heard:
        return self.conclude(self.outputs(features, lengths), lengths)


class PooledRecogniser(Recogniser):
    """One attention query per head over the frames of an encoder."""

    def __init__(self, encoder: nn.Module, n_features: int, spec: TaskSpec, *, dropout: float, normalise: str) -> None:
        super().__init__()
        self.normalise = UtteranceNorm(n_features, normalise)
        self.encoder = encoder
        channels = int(encoder.d_model)  # type: ignore[arg-type]
        self.heads = AttentionPooling(channels, {h.name: len(h.classes) for h in spec.heads}, dropout)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        x = self.normalise(features, frame_mask(lengths, features.shape[1]))
        frames, lengths = self.encoder(x, lengths)
        return self.heads(frames, frame_mask(lengths, frames.shape[1]))  # type: ignore[no-any-return]

    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        return tuple(self(features, lengths).values())

    def conclude(self, outputs: Sequence[Tensor], lengths: Tensor) -> Heard:
        """The answer, and its energy: the log-sum of a head's logits, which is low for what is unlike the training (Liu
        et al., 2020)."""
        logits = dict(zip(self.heads.names, outputs, strict=True))
        energy = torch.stack([values.logsumexp(1) for values in logits.values()], 1).amin(1)
        return Heard(logits, {"energy": energy})
