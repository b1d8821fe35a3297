"""`Prediction`: the one answer type, used by predict, evaluate and serve."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    labels: Mapping[str, str]
    """The most probable class of each head."""
    scores: Mapping[str, Mapping[str, float]]
    """Probability of every class, per head; each head's sum to 1."""
    confidence: float
    """Probability that all labels are right: the product of the heads' highest scores."""
    understood: bool
    """False when nobody should act on the labels; `reason` says why."""
    reason: str
    duration_s: float
    model_version: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
