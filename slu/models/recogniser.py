"""The network that is trained, stored and served: normalisation, encoder, one head per label."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from slu.inference.arrays import Floats
from slu.inference.conclusion import Conclusion, Heard, PooledConclusion
from slu.models.layers import AttentionPooling, UtteranceNorm, frame_mask
from slu.spec import TaskSpec


class Recogniser(nn.Module, ABC):
    """Features (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name."""

    @abstractmethod
    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]: ...

    @abstractmethod
    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """What the network computes, batch first: all that another runtime has to do."""

    @abstractmethod
    def conclusion(self) -> Conclusion:
        """What makes answers of the outputs."""

    @torch.inference_mode()
    def hear(self, features: Tensor, lengths: Tensor) -> Heard:
        return self.conclusion()(as_arrays(self.outputs(features, lengths)), lengths.cpu().numpy())


def as_arrays(outputs: Sequence[Tensor]) -> list[Floats]:
    return [values.detach().float().cpu().numpy() for values in outputs]


class PooledRecogniser(Recogniser):
    """One attention query per head over the frames of an encoder."""

    def __init__(self, encoder: nn.Module, n_features: int, spec: TaskSpec, *, dropout: float, normalise: str) -> None:
        super().__init__()
        self.normalise = UtteranceNorm(n_features, normalise)
        self.encoder = encoder
        self._conclusion = PooledConclusion(spec)
        channels = int(encoder.d_model)  # type: ignore[arg-type]
        self.heads = AttentionPooling(channels, {h.name: len(h.classes) for h in spec.heads}, dropout)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        x = self.normalise(features, frame_mask(lengths, features.shape[1]))
        frames, lengths = self.encoder(x, lengths)
        return self.heads(frames, frame_mask(lengths, frames.shape[1]))  # type: ignore[no-any-return]

    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        return tuple(self(features, lengths).values())

    def conclusion(self) -> PooledConclusion:
        return self._conclusion
