"""What validation clips say of how to answer: temperature, threshold, and below which confidence not to.

Validation has chosen the best epoch already, so its figures are a little too good; the test never chooses.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize_scalar

from slu.bundles.decision import decide, stated, temper
from slu.common.errors import UserError
from slu.evaluation.calibration import expected_calibration_error
from slu.evaluation.metrics import Indices, Probabilities
from slu.spec import Head, TaskSpec

_FEWEST = 30
"""Labelled clips below which nothing is chosen."""
_FEWEST_OF_A_CLASS = 10
_COLDEST, _HOTTEST = 0.25, 10.0


@dataclass(frozen=True)
class DecisionSettings:
    """The `decision` group. The defaults choose nothing."""

    calibrate: bool = False
    """A temperature per head."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["tuned"] = 0.5
    """Of two-class heads."""
    min_accuracy: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Raise min_confidence until the answers given are right this often."""
    noise_snr_db: tuple[float, ...] = ()
    """Hear the validation clips with generated noise too: confidence on clean clips promises too much elsewhere."""

    @property
    def chooses(self) -> bool:
        return self.calibrate or self.threshold != 0.5 or self.min_accuracy is not None


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


@dataclass(frozen=True)
class Temperature:
    value: float
    ece: tuple[float, float]
    """Before and after."""
    nll: tuple[float, float]
    note: str = ""
    """Why it is not where the likelihood would have it; empty where it is."""


@dataclass(frozen=True)
class Threshold:
    value: float
    low: float
    """Thresholds from here to `high` decide the validation clips alike."""
    high: float
    balanced_accuracy: float
    at_half: float
    """Balanced accuracy at 0.5."""


@dataclass(frozen=True)
class Doubt:
    min_confidence: float
    answered: float
    """Share of the clips with labels."""
    accuracy: float
    """Of these."""
    unlabelled_answered: float | None = None
    """Share of the clips with nothing to answer, where they count."""


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
            "decision.calibrate=false decision.threshold=0.5 decision.min_accuracy=null"
        )
    if settings.threshold != 0.5 and all(len(head.classes) != 2 for head in spec.heads):
        raise UserError(f"decision.threshold={settings.threshold}: no head has two classes; leave it at 0.5")


def choose(spec: TaskSpec, heard: Heard, settings: DecisionSettings, *, unlabelled_is_wrong: bool = False) -> Decision:
    """Temperature first, then the threshold at that temperature, then the confidence at both.

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


def fit_temperature(truth: Indices, scores: Probabilities) -> Temperature:
    """The one under which the labels are likeliest (Guo et al., 2017); every clip has a label.

    Where every clip is right the likeliest is no doubt at all, and the temperature is kept at 1 or above.
    """
    right = scores.argmax(axis=1) == truth

    def ece(values: Probabilities) -> float:
        return expected_calibration_error(values.max(axis=1), right)

    def nll(temperature: float) -> float:
        own = temper(scores, temperature)[np.arange(len(truth)), truth].astype(np.float64)
        return float(-np.log(np.maximum(own, 1e-12)).mean())

    coldest = 1.0 if right.all() else _COLDEST
    # The likelihood is concave in 1 / temperature, so a search along it finds the one maximum.
    best = minimize_scalar(lambda inverse: nll(1 / inverse), bounds=(1 / _HOTTEST, 1 / coldest), method="bounded")
    value = round(float(1 / best.x), 4)
    note = ""
    if right.all() and value < 1.01:
        value, note = 1.0, "every validation clip is right, which says nothing about doubt; the temperature stays 1"
    elif value < 1.01 * _COLDEST or value > 0.99 * _HOTTEST:
        note = f"the temperature ran to the bound of {value:.2g}; do not trust the confidence"
    return Temperature(value, (ece(scores), ece(temper(scores, value))), (nll(1.0), nll(value)), note)


def tune_threshold(truth: Indices, second: NDArray[Any]) -> Threshold | None:
    """Of the second class's scores: the middle of the widest freedom that balanced accuracy leaves.

    Of several equally good stretches the one whose middle is nearest to 0.5. None with few clips of a class.
    """
    scores = np.asarray(second, dtype=np.float64)
    yes, no = np.sort(scores[truth == 1]), np.sort(scores[truth == 0])
    if min(len(yes), len(no)) < _FEWEST_OF_A_CLASS:
        return None
    bounds = np.unique([0.0, *scores, 1.0])  # thresholds in (bounds[k], bounds[k + 1]] decide alike
    below = bounds[:-1]
    hits = 1 - np.searchsorted(yes, below, side="right") / len(yes)
    rejections = np.searchsorted(no, below, side="right") / len(no)
    balanced = (hits + rejections) / 2
    best = np.flatnonzero(balanced >= balanced.max() - 1e-12)
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    low, high = min(
        ((bounds[run[0]], bounds[run[-1] + 1]) for run in runs), key=lambda ends: abs(ends[0] + ends[1] - 1)
    )
    at_half = ((yes >= 0.5).mean() + (no < 0.5).mean()) / 2
    return Threshold(float((low + high) / 2), float(low), float(high), float(balanced.max()), float(at_half))


def _doubt(spec: TaskSpec, heard: Heard, accuracy: float, unlabelled_is_wrong: bool) -> Doubt | None:
    confidence, right = np.ones(len(heard.answerable)), np.ones(len(heard.answerable), dtype=bool)
    complete, unlabelled = right.copy(), right.copy()
    for head in spec.heads:
        scores, truth = temper(heard.scores[head.name], head.temperature), heard.truth[head.name]
        answers = decide(head, scores)
        confidence *= stated(scores, answers)
        right &= answers == truth
        complete &= truth >= 0
        unlabelled &= truth < 0
    counted = heard.answerable & (complete | unlabelled if unlabelled_is_wrong else complete)
    if counted.sum() < _FEWEST * heard.conditions:
        return None
    doubt = lowest_confidence(confidence[counted], right[counted], accuracy, spec.min_confidence)
    if doubt is None or not (counted & unlabelled).any():
        return doubt
    answered = confidence >= doubt.min_confidence
    labelled = counted & complete
    return Doubt(
        doubt.min_confidence,
        float(answered[labelled].mean()),
        float(right[labelled & answered].mean()) if (labelled & answered).any() else 0.0,
        float(answered[counted & unlabelled].mean()),
    )


def lowest_confidence(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], accuracy: float, floor: float
) -> Doubt | None:
    """The lowest confidence, not below `floor`, from which on answers are right often enough; None where none is.

    One more wrong answer than was seen is counted, as in conformal risk control (Angelopoulos et al., 2024): forty
    right answers in a row do not prove an accuracy of 98 %, forty-nine do.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    answered = np.arange(1, len(ordered) + 1)
    errors = np.cumsum(~right[order])
    last = np.append(np.diff(ordered) != 0, True)[: len(ordered)]  # equal confidences are answered together
    enough = last & (ordered >= floor) & (errors + 1 <= (1 - accuracy) * (answered + 1) + 1e-9)
    if not enough.any():
        return None
    k = int(np.flatnonzero(enough)[-1])
    following = ordered[k + 1] if k + 1 < len(ordered) else floor
    value = max(floor, float(ordered[k] + following) / 2)  # between two clips: rounding then changes nothing
    return Doubt(value, float(answered[k] / len(ordered)), float(1 - errors[k] / answered[k]))
