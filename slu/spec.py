"""`TaskSpec`: what a recogniser answers and what it listens to.

The one contract between data, model, bundle and server. It travels as `spec.json` inside every bundle,
so a model can never be fed by another front end or read with another label order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SPEC_VERSION = 1

RESERVED = frozenset({"file_name", "speaker", "split", "text", "source"})
"""Columns of a manifest that cannot be heads."""


@dataclass(frozen=True)
class Head:
    """One named question about an utterance and its possible answers, in the order of the logits."""

    name: str
    classes: tuple[str, ...]
    label_map: str = ""
    """Stem of the label-map file in a bundle: `qty` is written as `qty2id.json`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))
        object.__setattr__(self, "label_map", self.label_map or self.name)
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"head '{self.name}' lists a class twice: {list(self.classes)}")
        if len(self.classes) < 2:
            raise ValueError(f"head '{self.name}' needs at least two classes, got {list(self.classes)}")

    def index(self, label: str) -> int:
        return self.classes.index(label)

    def to_ids(self) -> dict[str, int]:
        return {label: i for i, label in enumerate(self.classes)}


@dataclass(frozen=True)
class TaskSpec:
    """Heads, front-end settings and the durations (seconds) that the task accepts."""

    task: str
    heads: tuple[Head, ...]
    front_end: Mapping[str, Any] = field(default_factory=dict)
    min_duration_s: float = 0.1
    max_duration_s: float = 10.0
    min_confidence: float = 0.5
    """An answer whose confidence is lower counts as not understood."""

    def __post_init__(self) -> None:
        if not self.heads:
            raise ValueError(f"task '{self.task}' has no heads")
        names = [head.name for head in self.heads]
        if len(set(names)) != len(names):
            raise ValueError(f"task '{self.task}' names a head twice: {names}")
        if reserved := sorted(set(names) & RESERVED):
            raise ValueError(f"a head cannot be called '{reserved[0]}': manifests use that column for something else")
        maps = [head.label_map for head in self.heads]
        if len(set(maps)) != len(maps):
            raise ValueError(f"two heads of task '{self.task}' share a label map: {maps}")

    @property
    def head_names(self) -> list[str]:
        return [head.name for head in self.heads]

    def head(self, name: str) -> Head:
        return next(head for head in self.heads if head.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "spec_version": SPEC_VERSION,
            "task": self.task,
            "heads": [{"name": h.name, "classes": list(h.classes), "label_map": h.label_map} for h in self.heads],
            "front_end": dict(self.front_end),
            "min_duration_s": self.min_duration_s,
            "max_duration_s": self.max_duration_s,
            "min_confidence": self.min_confidence,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TaskSpec":
        """Raises ValueError when the document was written by an incompatible version."""
        if value.get("spec_version") != SPEC_VERSION:
            raise ValueError(f"spec version {value.get('spec_version')!r} is not {SPEC_VERSION}")
        heads: Sequence[Mapping[str, Any]] = value["heads"]
        return cls(
            task=value["task"],
            heads=tuple(Head(h["name"], tuple(h["classes"]), h["label_map"]) for h in heads),
            front_end=dict(value["front_end"]),
            min_duration_s=float(value["min_duration_s"]),
            max_duration_s=float(value["max_duration_s"]),
            min_confidence=float(value["min_confidence"]),
        )
