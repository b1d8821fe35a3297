"""What goes into the store and what comes out: a correction, the answer that it corrects, and a stored row."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slu.feedback.schema import ACCEPTED, ERASED, NEW, REJECTED, USED


def storable(text: str) -> str:
    """JSON may hold halves of characters, and PostgreSQL takes no zero."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a character of it cannot be stored")
    return text


Text = Annotated[str, AfterValidator(storable)]
REQUEST_ID = r"^[0-9a-f]{32}(\.\d{1,3})?$"


class Correction(BaseModel):
    """The body of `POST /feedback`."""

    model_config = ConfigDict(extra="forbid")
    request_id: str = Field(pattern=REQUEST_ID)
    labels: dict[Text, Text] = Field(min_length=1)
    """Of the heads that are corrected, or confirmed."""
    comment: Text = Field(default="", max_length=500)


@dataclass(frozen=True)
class Answered:
    labels: Mapping[str, str]
    confidence: float
    model_version: str
    confidences: Mapping[str, float] = field(default_factory=dict)
    """By head, the probability of its label."""
    reason: str = ""
    """Why it was not understood, as in slu.inference.prediction."""
    duration_s: float | None = None
    level_db: float | None = None
    task: str = ""


@dataclass(frozen=True)
class Row:
    """One correction as it is stored; times are UTC."""

    id: int
    request_id: str
    received: datetime.datetime
    model_version: str
    predicted: Mapping[str, str]
    confidence: float | None
    actual: Mapping[str, str]
    """Of all heads: what was corrected, and what was left as predicted."""
    comment: str
    state: str
    audio_sha256: str | None
    audio_path: str | None
    task: str | None
    confidences: Mapping[str, float]
    reason: str | None
    audio_digest: str | None
    duration_s: float | None
    level_db: float | None
    snr_db: float | None
    client: str | None
    split: str | None
    flags: tuple[str, ...]
    reviewed_at: datetime.datetime | None
    used_in: tuple[str, ...]

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Row":
        values = {one.name: stored[one.name] for one in fields(cls)}
        for name in ("received", "reviewed_at"):
            if values[name] is not None and values[name].tzinfo is None:  # of SQLite
                values[name] = values[name].replace(tzinfo=datetime.UTC)
        return cls(**values | {"flags": tuple(values["flags"]), "used_in": tuple(values["used_in"])})

    @property
    def changed(self) -> tuple[str, ...]:
        """Heads whose label was corrected."""
        return tuple(name for name, label in self.actual.items() if self.predicted.get(name) != label)

    @property
    def disagreement(self) -> float:
        """How sure the model was of something else: its confidence in the label that was corrected, the highest of
        all heads; 0 for a correction that confirms. One of the two is badly wrong where it is high."""
        sure = [self.confidences.get(name, self.confidence) for name in self.changed]
        return max((value for value in sure if value is not None), default=0.0)

    @property
    def counts(self) -> bool:
        """Its labels say something of its clip."""
        return self.state in (NEW, ACCEPTED, USED)

    @property
    def is_reviewed(self) -> bool:
        return self.reviewed_at is not None and self.state in (ACCEPTED, REJECTED, USED)

    @property
    def is_erased(self) -> bool:
        return self.state == ERASED


def unknown_label(labels: Mapping[str, str], heads: Mapping[str, list[str]]) -> str:
    """A sentence on the first label that the model does not have; empty where it has all."""
    for name, label in labels.items():
        if name not in heads:
            return f"there is no head '{name[:50]}'; the model has {', '.join(heads)}"
        if label not in heads[name]:
            return f"{name} has no class '{label[:50]}'; it has {', '.join(known or 'none' for known in heads[name])}"
    return ""
