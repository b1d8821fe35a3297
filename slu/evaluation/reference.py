"""A rule of thumb beside the model: what can be answered without one is what a model has to beat.

The rule hears the very clips that the model hears, changed by the same condition. A clip that it has no answer for
counts as wrong, for somebody who followed the rule would have been told nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from slu.audio.decode import AudioLimits, Waveform
from slu.audio.pitch import voiced_pitch
from slu.common.errors import UserError
from slu.common.files import settings_hash
from slu.common.settings import parse_settings
from slu.evaluation.conditions import Condition
from slu.evaluation.intervals import Units, accuracy_interval, balanced_difference, matrix_interval
from slu.evaluation.kept import KeptArrays
from slu.evaluation.metrics import Indices, confusion_matrix, macro_figures
from slu.spec import Head, TaskSpec

# Raised whenever the same rule, audio and condition would give other answers, so that older ones are not used.
_VERSION = 1
_PIECE_S = 30.0


class Rule(Protocol):
    """Answers one head from a waveform."""

    @property
    def name(self) -> str:
        """As it stands in tables and, after `the`, in sentences."""

    @property
    def head(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes of the head that it may answer."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Plain values; differs when the rule may answer otherwise."""

    def answer(self, samples: Waveform, rate: int) -> str | None:
        """A label, or None where the rule has none."""


@dataclass(frozen=True)
class PitchRule:
    """Which side of `hz` the median fundamental of the whole recording lies on; no answer without a pitch."""

    head: str
    hz: float
    below: str
    above: str

    @property
    def name(self) -> str:
        return f"{self.hz:g} Hz rule"

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.below, self.above)

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"rule": "pitch", **asdict(self)}

    def answer(self, samples: Waveform, rate: int) -> str | None:
        step = round(_PIECE_S * rate)  # memory does not grow with the length of a recording
        pitch = np.concatenate([voiced_pitch(samples[i : i + step], rate) for i in range(0, len(samples), step)])
        if not len(pitch):
            return None
        return self.above if np.median(pitch) >= self.hz else self.below


RULES: dict[str, type[PitchRule]] = {"pitch": PitchRule}


def build_rule(settings: Mapping[str, Any] | None, spec: TaskSpec) -> Rule | None:
    """The rule that `settings["rule"]` calls for; None for `none` and for no settings at all.

    Raises UserError for an unknown rule or setting, and for a rule that does not answer a head of the task.
    """
    values = dict(settings or {})
    name = values.pop("rule", "none")
    if name == "none":
        return None
    if name not in RULES:
        raise UserError(f"reference.rule: there is no rule '{name}'; known are none, {', '.join(RULES)}")
    return _fitting(parse_settings(RULES[name], values, "reference"), spec)


def _fitting(rule: Rule, spec: TaskSpec) -> Rule:
    cure = "correct it, or leave the rule out with reference=none"
    if rule.head not in spec.head_names:
        heads = ", ".join(spec.head_names)
        raise UserError(f"reference.head: the task has no head '{rule.head}' but {heads}; {cure}")
    classes = spec.head(rule.head).classes
    if strangers := [label for label in rule.labels if label not in classes]:
        known = ", ".join(classes)
        raise UserError(f"reference: '{strangers[0]}' is not a class of {rule.head} ({known}); {cure}")
    return rule


@dataclass(frozen=True)
class RuleAnswers:
    """Of the clips that could be read, in the order of the model's answers."""

    rule: Rule
    guess: Indices
    """Class indices of the rule's head; -1 is no answer."""


def hear(rule: Rule, head: Head, waveforms: Sequence[Waveform], rate: int) -> Indices:
    """Class indices; -1 is no answer."""
    ids = head.to_ids()
    labels = (rule.answer(samples, rate) for samples in waveforms)
    return np.array([-1 if label is None else ids[label] for label in labels], dtype=np.int64)


class RuleStore(KeptArrays):
    """A rule's answers, kept for the rule, the audio's bytes and how they are decoded: models share them."""

    def __init__(
        self, root: Path | None, rule: Rule, head: Head, rate: int, limits: AudioLimits, digests: Sequence[str]
    ) -> None:
        if root is not None:
            depends_on = [_VERSION, dict(rule.identity), list(head.classes), rate, asdict(limits), list(digests)]
            root = root / f"rule-{settings_hash(*depends_on)}"
        super().__init__(root)

    def load(self, condition: Condition, start: int) -> Indices | None:
        arrays = self.read(condition, start)
        return None if arrays is None else np.asarray(arrays["guess"], dtype=np.int64)

    def save(self, condition: Condition, start: int, guess: Indices) -> None:
        self.write(condition, start, {"guess": guess})


ReferenceMetrics: TypeAlias = Mapping[str, Any]
"""What `reference_metrics` gives, as it stands under `reference` in metrics.json."""


def reference_metrics(answers: RuleAnswers, truth: Indices, model: Indices, by: Units) -> ReferenceMetrics:
    """Of labelled clips only: the rule's figures, and the model's balanced accuracy less the rule's.

    `truth` and `model` (its guess) are class indices of the rule's head, none of them -1.
    `interval` is of the balanced accuracy; `better` is True where the difference is more than chance.
    """
    size = int(max(truth.max(), model.max(), answers.guess.max(), 1)) + 1
    silent = answers.guess < 0
    guess = np.where(silent, (truth + 1) % size, answers.guess)  # no answer is a wrong one
    right = guess == truth
    difference = (model == truth).astype(np.float64) - right
    value, interval = balanced_difference(difference, truth, by)
    accuracy = accuracy_interval(right, by)
    balanced = matrix_interval(truth, guess, size, by, lambda drawn: macro_figures(drawn)["balanced_accuracy"])
    return {
        "name": answers.rule.name,
        "head": answers.rule.head,
        "n": len(truth),
        "accuracy": float(right.mean()),
        "accuracy_interval": accuracy,
        "balanced_accuracy": float(macro_figures(confusion_matrix(truth, guess, size))["balanced_accuracy"]),
        "interval": balanced or accuracy,
        "unanswered": int(silent.sum()),
        "difference": value,
        "difference_interval": interval,
        "better": interval is not None and interval[0] > 0,
    }
