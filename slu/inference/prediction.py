"""`Prediction`: the one answer type, used by predict, evaluate and serve."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from slu.spec import NOT_MENTIONED

SILENCE, NOISE, TOO_SHORT, TOO_LONG = "silence", "noise", "too short", "too long"
NOT_SURE, AMBIGUOUS, NOT_ON_MENU = "not sure", "ambiguous", "not on the menu"
DOUBTS = (NOT_SURE, AMBIGUOUS, NOT_ON_MENU)
"""Reasons where the confidence is too low: the others say that there was nothing to be sure of. A model whose
confidence has no other source than its heads cannot tell the last two apart."""


def head_and_label(head: str, label: str, shown: str) -> str:
    return shown if shown and shown != label else f"{head} {label}"


def in_words(labels: Mapping[str, str], display: Mapping[str, str]) -> str:
    """`display` as that of a prediction."""
    said = [
        head_and_label(head, label, display.get(head, "")) for head, label in labels.items() if label != NOT_MENTIONED
    ]
    return ", ".join(said) or "nothing"


@dataclass(frozen=True)
class Alternative:
    """Another whole answer."""

    labels: Mapping[str, str]
    probability: float
    """Product of its classes' scores."""
    shown: str
    """As people are told."""


@dataclass(frozen=True)
class Prediction:
    labels: Mapping[str, str]
    """The answered class of each head: the most probable, unless a threshold decides."""
    scores: Mapping[str, Mapping[str, float]]
    """Probability of every class, per head; each head's sum to 1."""
    confidence: float
    """Probability that all labels are right: the product of the answered classes' scores, or what was fitted to it and
    to other evidence."""
    understood: bool
    """False when nobody should act on the labels; `reason` says why."""
    reason: str
    duration_s: float
    model_version: str
    display: Mapping[str, str] = field(default_factory=dict)
    """What people are shown for the label of each head."""
    alternatives: Sequence[Alternative] = ()
    """The next best answers, the most probable first."""

    def heard(self, heads: Iterable[str] | None = None) -> str:
        """The answer for people: `product teh, quantity 2`; a label with a name of its own says it alone, `Perempuan`.

        Of all heads, or of those named; slots that were not mentioned are left out.
        """
        return in_words({head: self.labels[head] for head in (self.labels if heads is None else heads)}, self.display)

    def told(self) -> str:
        """The answer, or why there is none: `cannot tell: not sure (perhaps Perempuan)`."""
        if self.understood:
            return self.heard()
        perhaps = [self.heard()] if self.reason in (NOT_SURE, AMBIGUOUS) else []
        perhaps += [other.shown for other in self.alternatives if self.reason == AMBIGUOUS]
        return f"cannot tell: {self.reason}" + (f" (perhaps {', or '.join(perhaps)})" if perhaps else "")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
