"""`Prediction`: the one answer type, used by predict, evaluate and serve."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from slu.spec import NOT_MENTIONED

NOT_SURE = "not sure"
"""The reason when the confidence is too low: the others say that there was nothing to be sure of."""


def head_and_label(head: str, label: str, shown: str) -> str:
    return shown if shown and shown != label else f"{head} {label}"


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

    def heard(self, heads: Iterable[str] | None = None) -> str:
        """The answer for people: `product teh, quantity 2`; a label with a name of its own says it alone, `Perempuan`.

        Of all heads, or of those named; slots that were not mentioned are left out.
        """
        said = [head for head in (self.labels if heads is None else heads) if self.labels[head] != NOT_MENTIONED]
        shown = [head_and_label(head, self.labels[head], self.display.get(head, "")) for head in said]
        return ", ".join(shown) or "nothing"

    def told(self) -> str:
        """The answer, or why there is none: `cannot tell: not sure (perhaps Perempuan)`."""
        if self.understood:
            return self.heard()
        return f"cannot tell: {self.reason}" + (f" (perhaps {self.heard()})" if self.reason == NOT_SURE else "")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
