"""The network that is trained, stored and served: normalisation, encoder, one head per label."""

import importlib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from slu.models.layers import AttentionPooling, UtteranceNorm, frame_mask
from slu.spec import TaskSpec


class Recogniser(nn.Module):
    """Features (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name."""

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


def build_recogniser(settings: Mapping[str, Any], n_features: int, spec: TaskSpec) -> Recogniser:
    """The recogniser that a `conf/model/*.yaml` describes: `_target_` names the encoder's class.

    Only classes under `slu.models` are built, because settings also arrive inside bundles.
    Raises ValueError for anything else, and for settings that the encoder refuses.
    """
    values = dict(settings)
    target, normalise = str(values.pop("_target_", "")), str(values.pop("normalise", "bands"))
    module, _, name = target.rpartition(".")
    if not module.startswith("slu.models."):
        raise ValueError(f"model '{target}' is not one of slu.models")
    try:
        encoder = getattr(importlib.import_module(module), name)(n_features, **values)
    except (ImportError, AttributeError):
        raise ValueError(f"there is no model '{target}'") from None
    except (TypeError, ArithmeticError, LookupError, RuntimeError) as error:  # what torch makes of odd settings
        raise ValueError(f"model '{target}': {error}") from None
    if not isinstance(encoder, nn.Module) or not hasattr(encoder, "d_model"):
        raise ValueError(f"'{target}' is not an encoder")
    return Recogniser(encoder, n_features, spec, dropout=float(values.get("dropout", 0.1)), normalise=normalise)
