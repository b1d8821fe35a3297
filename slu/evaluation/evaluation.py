"""One bundle on labelled clips under one condition: the answers beside the labels, and what follows from them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.audio.decode import Waveform, decode
from slu.bundles import Prediction, Predictor
from slu.corpus.labels import label_ids
from slu.corpus.manifest import Manifest
from slu.evaluation.answers import Answers
from slu.evaluation.conditions import Condition
from slu.evaluation.intervals import Units, units
from slu.evaluation.metrics import Indices, confusion_matrix, score
from slu.evaluation.reference import RuleAnswers, reference_metrics
from slu.inference.decision import confidence, decide, stated
from slu.spec import Head, TaskSpec


@dataclass(frozen=True)
class Evaluation:
    """One condition: the answers beside the labels of the clips that could be read."""

    condition: Condition
    manifest: Manifest
    spec: TaskSpec
    answers: Answers
    predictor: Predictor = field(repr=False)
    reference: RuleAnswers | None = None
    """What a rule without a model answers on the same clips."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """The manifest's rows that were read, in the order of the answers."""
        return self.manifest.table.iloc[self.answers.rows]

    @cached_property
    def heads(self) -> list[Head]:
        """Those that the manifest has labels of."""
        return [head for head in self.spec.heads if head.name in self.manifest.table.columns]

    @cached_property
    def truth(self) -> dict[str, Indices]:
        """Class indices by head; -1 is no label, or one that the model does not know."""
        return label_ids(self.table, self.heads)

    @cached_property
    def guess(self) -> dict[str, Indices]:
        return {head.name: decide(head, self.answers.scores[head.name]) for head in self.heads}

    @cached_property
    def speakers(self) -> list[str] | None:
        return self.table["speaker"].tolist() if "speaker" in self.table.columns else None

    @cached_property
    def units(self) -> Units:
        return units(self.speakers, len(self.table))

    def units_of(self, chosen: NDArray[np.bool_]) -> Units:
        """What is resampled when only these clips count."""
        names = None
        if self.speakers is not None:
            names = [name for name, taken in zip(self.speakers, chosen, strict=True) if taken]
        return units(names, int(chosen.sum()))

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Per clip: every head has a label."""
        labelled: NDArray[np.bool_] = np.logical_and.reduce([self.truth[head.name] >= 0 for head in self.heads])
        return labelled

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Per clip: every labelled head is answered as labelled."""
        agrees = [(self.truth[h.name] == self.guess[h.name]) | (self.truth[h.name] < 0) for h in self.heads]
        right: NDArray[np.bool_] = np.logical_and.reduce(agrees)
        return right

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Per clip: the product of the answered classes' scores, of the heads that are scored here; where a confidence
        was fitted, that of the whole answer."""
        if not self.spec.confidence:
            return np.multiply.reduce([self.stated(head) for head in self.heads])  # type: ignore[no-any-return]
        scores = self.answers.scores
        product = np.multiply.reduce([stated(scores[h.name], decide(h, scores[h.name])) for h in self.spec.heads])
        return confidence(self.spec.confidence, product, self.answers.evidence)

    def stated(self, head: Head) -> NDArray[np.float64]:
        """Per clip: the score of the class that is answered."""
        return stated(self.answers.scores[head.name], self.guess[head.name])

    @cached_property
    def reasons(self) -> list[str]:
        """Per clip: why nobody should act on the answer; empty where it is understood."""
        return [self.prediction(i).reason for i in range(len(self.table))]

    @cached_property
    def understood(self) -> NDArray[np.bool_]:
        return np.array([not reason for reason in self.reasons], dtype=bool)

    def prediction(self, index: int) -> Prediction:
        scores = {name: values[index] for name, values in self.answers.scores.items()}
        return self.predictor.answer(
            scores,
            duration_s=float(self.answers.duration_s[index]),
            level_db=float(self.answers.level_db[index]),
            evidence={name: float(values[index]) for name, values in self.answers.evidence.items()},
        )

    def waveform(self, index: int) -> Waveform:
        """The clip as the recogniser heard it: decoded again, and changed again by the condition."""
        row = int(self.answers.rows[index])
        samples = decode(
            self.manifest.audio_path(row), self.predictor.bundle.front_end.sample_rate, self.predictor.limits
        )
        return self.condition.change(samples, row)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        classes = {head.name: head.classes for head in self.heads}
        scores = {head.name: self.answers.scores[head.name] for head in self.heads}
        result = score(
            self.truth,
            self.guess,
            classes,
            self.speakers,
            scores=scores,
            understood=self.understood,
            confidence=self.confidence,
        )
        return result | self._beside()

    def _beside(self) -> dict[str, Any]:
        """The figures of the rule, where the head that it answers has labels here."""
        if self.reference is None or self.reference.rule.head not in self.truth:
            return {}
        head = self.reference.rule.head
        known = self.truth[head] >= 0
        if not known.any():
            return {}
        answers = RuleAnswers(self.reference.rule, self.reference.guess[known])
        units_ = self.units_of(known)
        return {"reference": reference_metrics(answers, self.truth[head][known], self.guess[head][known], units_)}

    @property
    def clips_per_cpu_second(self) -> float:
        """Decoding, the condition, features and network of one core together."""
        return len(self.table) / max(self.answers.cpu_s, 1e-9)

    @property
    def broken(self) -> list[str]:
        """Clips that could not be read: where and why."""
        rows = self.answers.broken_rows.tolist()
        return [f"{self.manifest.where(row)}: {why}" for row, why in zip(rows, self.answers.broken, strict=True)]

    def confusion(self, head: Head) -> NDArray[np.int64]:
        return confusion_matrix(self.truth[head.name], self.guess[head.name], len(head.classes))

    def answer_table(self) -> pd.DataFrame:
        """The rows with the answers beside the labels."""
        answers = pd.DataFrame(
            [
                {f"heard_{name}": label for name, label in p.labels.items()}
                | {"confidence": round(p.confidence, 4), "understood": p.understood, "reason": p.reason}
                for p in map(self.prediction, range(len(self.table)))
            ],
            index=self.table.index,
        )
        return self.table.join(answers)
