"""`TaskSpec`: what a recogniser answers and what it listens to.

The one contract between data, model, bundle and server. It travels as `spec.json` inside every bundle,
so a model can never be fed by another front end or read with another label order.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SPEC_VERSION = 1

NOT_MENTIONED = ""
"""The class of a head whose slot was left out of the sentence: its first class, and an empty cell in a manifest."""

BIAS = "bias"
"""The constant among the coefficients of a confidence."""

RESERVED = frozenset({"file_name", "speaker", "split", "text", "source", "recording"})
"""Columns of a manifest that cannot be heads."""

LABEL_MAP = r"^\w[\w .-]{0,99}$"
"""What a label map may be called: a name of a file, and never a path that leads out of a bundle."""


@dataclass(frozen=True)
class Head:
    """One named question about an utterance and its possible answers, in the order of the logits."""

    name: str
    classes: tuple[str, ...]
    label_map: str = ""
    """Stem of the label-map file in a bundle: `qty` is written as `qty2id.json`."""
    display: Mapping[str, str] = field(default_factory=dict)
    """What people are shown instead of a class, as in {female: Perempuan}; the others are shown as they are."""
    temperature: float = 1.0
    """Logits are divided by it before the softmax (temperature scaling, Guo et al., 2017); 1 is uncalibrated."""
    threshold: float = 0.5
    """Of a two-class head: a score of the second class that is at least this high makes it the answer."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))
        object.__setattr__(self, "label_map", self.label_map or self.name)
        if not re.fullmatch(LABEL_MAP, self.label_map):
            raise ValueError(
                f"head '{self.name}': its label map cannot be called '{self.label_map[:100]}'; a name is letters, "
                "digits, spaces, _, - and ., and no . first; give one with label_map"
            )
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"head '{self.name}' lists a class twice: {list(self.classes)}")
        if len(self.classes) < 2:
            raise ValueError(f"head '{self.name}' needs at least two classes, got {list(self.classes)}")
        if strangers := sorted(set(self.display) - set(self.classes)):
            raise ValueError(f"head '{self.name}' has no class '{strangers[0]}' to show under another name")
        if len({self.shown(label) for label in self.classes}) != len(self.classes):
            raise ValueError(f"head '{self.name}' shows two classes under one name: {dict(self.display)}")
        if self.temperature <= 0:
            raise ValueError(f"head '{self.name}': the temperature must be above 0, got {self.temperature:g}")
        if not 0 < self.threshold < 1 or (self.threshold != 0.5 and len(self.classes) != 2):
            raise ValueError(
                f"head '{self.name}': a threshold lies between 0 and 1, and only two classes have one; "
                f"got {self.threshold:g} for {len(self.classes)} classes"
            )

    def index(self, label: str) -> int:
        return self.classes.index(label)

    def to_ids(self) -> dict[str, int]:
        return {label: i for i, label in enumerate(self.classes)}

    def shown(self, label: str) -> str:
        is_left_out = label == NOT_MENTIONED and label in self.classes
        return self.display.get(label, "not mentioned" if is_left_out else label)

    def to_json(self) -> dict[str, Any]:
        optional: dict[str, Any] = {}
        if self.display:
            optional["display"] = dict(self.display)
        if self.temperature != 1.0:
            optional["temperature"] = self.temperature
        if self.threshold != 0.5:
            optional["threshold"] = self.threshold
        return {"name": self.name, "classes": list(self.classes), "label_map": self.label_map, **optional}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Head":
        return cls(
            value["name"],
            tuple(value["classes"]),
            value["label_map"],
            dict(value.get("display", {})),
            float(value.get("temperature", 1.0)),
            float(value.get("threshold", 0.5)),
        )


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
    segment_s: float = 0.0
    """Longer recordings are heard in segments of this length, whose scores are averaged; 0 hears clips whole."""
    segment_overlap_s: float = 0.0
    grammar: Mapping[str, Any] = field(default_factory=dict)
    """What can be said and how: `Grammar.to_json` of slu.decoding; empty for models that do without."""
    confidence: Mapping[str, float] = field(default_factory=dict)
    """Coefficients by name of evidence, and BIAS: the confidence is their logistic sum (see slu.inference.decision).
    Empty: the product of the answered classes' scores."""

    def __post_init__(self) -> None:
        if not self.heads:
            raise ValueError(f"task '{self.task}' has no heads")
        names = [head.name for head in self.heads]
        if len(set(names)) != len(names):
            raise ValueError(f"task '{self.task}' names a head twice: {names}")
        if reserved := sorted(set(names) & RESERVED):
            raise ValueError(f"a head cannot be called '{reserved[0]}': manifests use that column for something else")
        if self.segment_s < 0 or not 0 <= self.segment_overlap_s < max(self.segment_s, 1e-9):
            raise ValueError(
                f"task '{self.task}': segments of {self.segment_s:g} s cannot overlap by {self.segment_overlap_s:g} s"
            )
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
            "heads": [head.to_json() for head in self.heads],
            "front_end": dict(self.front_end),
            "min_duration_s": self.min_duration_s,
            "max_duration_s": self.max_duration_s,
            "min_confidence": self.min_confidence,
            "segment_s": self.segment_s,
            "segment_overlap_s": self.segment_overlap_s,
            **({"grammar": dict(self.grammar)} if self.grammar else {}),
            **({"confidence": dict(self.confidence)} if self.confidence else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TaskSpec":
        """Raises ValueError when the document was written by an incompatible version, or is no object."""
        if not isinstance(value, Mapping):
            raise ValueError(f"a spec is a JSON object, and this is {json.dumps(value)[:50]}")
        if value.get("spec_version") != SPEC_VERSION:
            raise ValueError(f"spec version {value.get('spec_version')!r} is not {SPEC_VERSION}")
        heads: Sequence[Mapping[str, Any]] = value["heads"]
        return cls(
            task=value["task"],
            heads=tuple(Head.from_json(head) for head in heads),
            front_end=dict(value["front_end"]),
            min_duration_s=float(value["min_duration_s"]),
            max_duration_s=float(value["max_duration_s"]),
            min_confidence=float(value["min_confidence"]),
            segment_s=float(value.get("segment_s", 0.0)),
            segment_overlap_s=float(value.get("segment_overlap_s", 0.0)),
            grammar=dict(value.get("grammar", {})),
            confidence={name: float(number) for name, number in dict(value.get("confidence", {})).items()},
        )
