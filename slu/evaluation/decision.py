"""What validation clips say of how to answer: temperature, threshold, and below which confidence not to.

Validation has chosen the best epoch already, so its figures are a little too good; the test never chooses.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slu.common.errors import UserError
from slu.evaluation.fitted_confidence import confidence_for, fit_confidence
from slu.evaluation.metrics import Indices, Probabilities
from slu.evaluation.tuning import Doubt, fit_temperature, lowest_confidence, tune_threshold
from slu.inference.decision import SURE, confidence, decide, stated, temper
from slu.inference.evidence import VOICED
from slu.spec import Head, TaskSpec

_FEWEST = 30
"""Labelled clips below which nothing is chosen."""


@dataclass(frozen=True)
class DecisionSettings:
    """The `decision` group. The defaults choose nothing."""

    calibrate: bool = False
    """A temperature per head."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["tuned"] = 0.5
    """Of two-class heads."""
    min_accuracy: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Raise min_confidence until the answers given are right this often."""
    false_accepts: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Fit a confidence to all evidence, and answer no more than this share of what is not on the menu."""
    noise_snr_db: tuple[float, ...] = ()
    """Hear the validation clips with generated noise too: confidence on clean clips promises too much elsewhere."""

    @property
    def chooses(self) -> bool:
        chosen = (self.min_accuracy, self.false_accepts)
        return self.calibrate or self.threshold != 0.5 or any(value is not None for value in chosen)


@dataclass(frozen=True)
class Heard:
    """Validation clips, one entry per clip and condition."""

    truth: Mapping[str, Indices]
    """By head; -1 is no label."""
    scores: Mapping[str, Probabilities]
    """(clips, classes) by head, at temperature 1."""
    answerable: NDArray[np.bool_]
    """Neither silent nor too short or long: the confidence decides."""
    conditions: int = 1
    """How often each clip is heard."""
    evidence: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """(clips,) by name."""
    off_menu: NDArray[np.bool_] | None = None
    """Known to hold nothing that the task could answer."""

    @property
    def nothing_to_answer(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.answerable), dtype=bool) if self.off_menu is None else self.off_menu


@dataclass(frozen=True)
class Decision:
    spec: TaskSpec
    facts: Mapping[str, Any]
    """For metrics.json."""
    sentences: tuple[str, ...]
    """For people, one per choice, and one per choice that could not be made."""


def require_decidable(settings: DecisionSettings, spec: TaskSpec, clips: int) -> None:
    """Raises UserError for a threshold where no head has two classes, and for choices on no validation clips."""
    if settings.chooses and not clips:
        raise UserError(
            "decision: there are no validation clips to choose on; mark some speakers as val, or set "
            "decision.calibrate=false decision.threshold=0.5 decision.min_accuracy=null decision.false_accepts=null"
        )
    if settings.threshold != 0.5 and all(len(head.classes) != 2 for head in spec.heads):
        raise UserError(f"decision.threshold={settings.threshold}: no head has two classes; leave it at 0.5")


def choose(spec: TaskSpec, heard: Heard, settings: DecisionSettings, *, unlabelled_is_wrong: bool = False) -> Decision:
    """Temperature first, then the threshold at that temperature, then the confidence and its least value at both.

    `unlabelled_is_wrong`: an answer to a clip without any label counts as wrong in the choice of the confidence.
    """
    heads, facts, said = [], {}, []
    for head in spec.heads:
        chosen, found, sentences = _choose_head(head, heard, settings)
        heads.append(chosen)
        facts[head.name] = found
        said += sentences
    document: dict[str, Any] = {"heads": facts}
    spec = replace(spec, heads=tuple(heads))
    if settings.false_accepts is not None:
        spec, document["rejection"], sentence = _reject(spec, heard, settings.false_accepts)
        said.append(sentence)
    if settings.min_accuracy is not None:
        doubt = _doubt(spec, heard, settings.min_accuracy, unlabelled_is_wrong)
        if doubt is None:
            said.append(
                f"no confidence lets {settings.min_accuracy:.1%} of the answers be right on so few or such hard "
                f"validation clips; min_confidence stays {spec.min_confidence:.3g}"
            )
        else:
            spec = replace(spec, min_confidence=doubt.min_confidence)
            document["doubt"] = asdict(doubt)
            said.append(
                f"answers below a confidence of {doubt.min_confidence:.2f} count as not sure: {doubt.answered:.1%} of "
                f"the validation clips are answered, {doubt.accuracy:.1%} of them rightly"
                + (
                    ""
                    if doubt.unlabelled_answered is None
                    else f", and {doubt.unlabelled_answered:.1%} of those with nothing to answer"
                )
            )
    return Decision(spec, {**document, "min_confidence": spec.min_confidence, "notes": said}, tuple(said))


def _choose_head(head: Head, heard: Heard, settings: DecisionSettings) -> tuple[Head, dict[str, Any], list[str]]:
    known = heard.truth[head.name] >= 0
    truth, scores = heard.truth[head.name][known], heard.scores[head.name][known]
    clips = len(truth) // heard.conditions
    facts: dict[str, Any] = {"clips": clips}
    said = []
    if len(head.classes) == 2 and settings.threshold != "tuned":
        head = replace(head, threshold=settings.threshold)
    if clips < _FEWEST and (settings.calibrate or settings.threshold == "tuned"):
        return head, facts, [f"{head.name}: {clips} labelled validation clips are too few to choose anything by"]
    if settings.calibrate:
        found = fit_temperature(truth, scores)
        head = replace(head, temperature=found.value)
        scores = temper(scores, found.value)
        facts["temperature"] = asdict(found)
        said.append(
            f"{head.name}: {found.note}"
            if found.note
            else f"{head.name}: temperature {found.value:.2f}, calibration error on validation {found.ece[1]:.3f} "
            f"({found.ece[0]:.3f} without)"
        )
    if len(head.classes) == 2 and settings.threshold == "tuned":
        best = tune_threshold(truth, scores[:, 1])
        if best is None:
            said.append(f"{head.name}: too few validation clips of a class to tune the threshold; it stays 0.5")
        else:
            head = replace(head, threshold=best.value)
            facts["threshold"] = asdict(best)
            said.append(
                f"{head.name}: threshold {best.value:.3f} ({best.low:.3f} to {best.high:.3f} decide alike), balanced "
                f"accuracy on validation {best.balanced_accuracy:.3f} ({best.at_half:.3f} at 0.5)"
            )
    return head, facts, said


def _reject(spec: TaskSpec, heard: Heard, share: float) -> tuple[TaskSpec, dict[str, Any], str]:
    """The confidence fitted to all evidence, and its lowest value for this share of false accepts."""
    product, right, complete = _answers(spec, heard)
    off_menu, on_menu = heard.nothing_to_answer & heard.answerable, complete & heard.answerable
    few = [int(clips.sum()) // heard.conditions for clips in (off_menu, on_menu)]
    if min(few) < _FEWEST:
        return spec, {"clips": few}, (
            f"{few[0]} validation clips that are not on the menu, and {few[1]} that are, are too few to choose a "
            "confidence by; add some with synthesis=with_other"
        )  # fmt: skip
    known = {SURE: np.log(np.maximum(product, 1e-12)), **heard.evidence}
    used = off_menu | on_menu
    coefficients = fit_confidence({n: v[used] for n, v in known.items() if n != VOICED}, (right & on_menu)[used])
    values = confidence(coefficients, product, heard.evidence)
    found = confidence_for(share, values, off_menu, on_menu)
    spec = replace(spec, confidence=coefficients, min_confidence=found.min_confidence)
    return spec, asdict(found), (
        f"answers below a confidence of {found.min_confidence:.2f} count as not understood: of the validation clips "
        f"that are not on the menu {found.false_accepts:.1%} are answered, of those that are {found.true_accepts:.1%}"
    )  # fmt: skip


def _answers(spec: TaskSpec, heard: Heard) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Per clip: the product of what the heads state, whether every label is right, whether it has all of them."""
    product, right = np.ones(len(heard.answerable)), np.ones(len(heard.answerable), dtype=bool)
    complete = right.copy()
    for head in spec.heads:
        scores, truth = temper(heard.scores[head.name], head.temperature), heard.truth[head.name]
        answers = decide(head, scores)
        product *= stated(scores, answers)
        right &= answers == truth
        complete &= truth >= 0
    return product, right, complete


def _doubt(spec: TaskSpec, heard: Heard, accuracy: float, unlabelled_is_wrong: bool) -> Doubt | None:
    product, right, complete = _answers(spec, heard)
    unlabelled = np.logical_and.reduce([truth < 0 for truth in heard.truth.values()])
    values = confidence(spec.confidence, product, heard.evidence)
    counted = heard.answerable & (complete | unlabelled if unlabelled_is_wrong else complete)
    if counted.sum() < _FEWEST * heard.conditions:
        return None
    doubt = lowest_confidence(values[counted], right[counted], accuracy, spec.min_confidence)
    if doubt is None or not (counted & unlabelled).any():
        return doubt
    answered = values >= doubt.min_confidence
    labelled = counted & complete
    return Doubt(
        doubt.min_confidence,
        float(answered[labelled].mean()),
        float(right[labelled & answered].mean()) if (labelled & answered).any() else 0.0,
        float(answered[counted & unlabelled].mean()),
    )
