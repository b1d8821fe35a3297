"""`Prediction`: the one answer type, used by predict, evaluate and serve."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Prediction:
    labels: Mapping[str, str]
    """The answered class of each head: the most probable, unless a threshold decides."""
    scores: Mapping[str, Mapping[str, float]]
    """Probability of every class, per head; each head's sum to 1."""
    confidence: float
    """Probability that all labels are right: the product of the answered classes' scores."""
    understood: bool
    """False when nobody should act on the labels; `reason` says why."""
    reason: str
    duration_s: float
    model_version: str
    display: Mapping[str, str] = field(default_factory=dict)
    """What people are shown for the label of each head."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
