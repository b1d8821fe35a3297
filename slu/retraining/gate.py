"""What has to hold before a challenger answers instead of the champion: on the same frozen test, checked one by one.

Nothing here asks whether the challenger is better by chance alone, but whether there is evidence that it is worse, or
that the corrections taught it nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slu.evaluation.comparison import compare
from slu.evaluation.evaluation import Evaluation

Share = Annotated[float, Field(ge=0, le=1)]
Results = Mapping[str, Evaluation]
"""By condition, `clean` first."""


@dataclass(frozen=True)
class GateSettings:
    """The `gate` group."""

    max_drop: Share = 0.02
    """Accuracy that may be lost per head and condition, if it may be chance."""
    min_accuracy: Share = 0.85
    """Per head, on the clean frozen test."""
    min_macro_f1: Share = 0.8
    max_ece_rise: Share = 0.02
    """Of the expected calibration error of whole answers."""
    max_latency_ratio: Annotated[float, Field(gt=0)] = 1.3
    """CPU time of an answer, against the champion's in the same minute."""
    speaker_clips: Annotated[int, Field(ge=1)] = 5
    """Speakers with fewer clips say too little of themselves."""
    min_learnt: Share = 0.5
    """Of the corrections that were held back, the share that has to be right: below it they taught nothing that holds
    for others of their kind, as labels that contradict each other or the sound do not."""


@dataclass(frozen=True)
class Check:
    name: str
    champion: float | None
    challenger: float | None
    passed: bool
    reason: str
    """What was asked, and what came of it."""


def judge(
    champion: Results,
    challenger: Results,
    feedback: tuple[Evaluation, Evaluation] | None,
    latency_ratio: float,
    settings: GateSettings,
) -> list[Check]:
    """Both on the same clips under the same conditions; `feedback` is both on corrections that trained neither."""
    checks = []
    for condition, before in champion.items():
        checks += _heads(condition, before, challenger[condition], settings)
    clean = next(iter(champion))
    checks += _minimums(challenger[clean], settings)
    checks += [*_worst_speaker(champion[clean], challenger[clean], settings)]
    checks.append(_calibration(champion[clean], challenger[clean], settings))
    if feedback is not None:
        checks += _feedback(*feedback, settings)
    checks.append(
        Check(
            "time of an answer",
            1.0,
            latency_ratio,
            latency_ratio <= settings.max_latency_ratio,
            f"at most {settings.max_latency_ratio:g} times the champion's, is {latency_ratio:.2f}",
        )
    )
    return checks


def _heads(condition: str, before: Evaluation, after: Evaluation, settings: GateSettings) -> list[Check]:
    checks = []
    for head in before.heads:
        known = before.truth[head.name] >= 0
        if not known.any():
            continue
        old, new = (_right(e, head.name)[known] for e in (before, after))
        found = compare(new, old, before.units_of(known))
        worse = found.verdict == "B"
        dropped = -found.difference > settings.max_drop
        between = "" if found.interval is None else f" (95 % {found.interval[0]:+.3f} to {found.interval[1]:+.3f})"
        said = f"{found.difference:+.3f}{between}"
        if worse:
            reason = f"worse by more than chance: {said}"
        elif dropped:
            reason = f"lost more than the {settings.max_drop:g} that may be chance: {said}"
        else:
            reason = f"not worse: {said}"
        checks.append(
            Check(f"{head.name}, {condition}", _mean(old), _mean(new), passed=not worse and not dropped, reason=reason)
        )
    return checks


def _minimums(after: Evaluation, settings: GateSettings) -> list[Check]:
    checks = []
    for head in after.heads:
        metrics = after.metrics["heads"][head.name]
        for name, least in (("accuracy", settings.min_accuracy), ("macro_f1", settings.min_macro_f1)):
            value = metrics.get(name)
            shown = name.replace("macro_f1", "macro-F1")
            if value is not None:
                reason = f"at least {least:g}, is {value:.3f}"
                checks.append(Check(f"{head.name}, {shown}", None, float(value), value >= least, reason))
    return checks


def _worst_speaker(before: Evaluation, after: Evaluation, settings: GateSettings) -> list[Check]:
    """A clip of the worst one may fall either way."""
    known = {name: facts for name, facts in before.metrics["speakers"].items() if facts["n"] >= settings.speaker_clips}
    if not known:
        return []
    worst = {
        key: min(known, key=lambda name: metrics["speakers"][name]["joint_accuracy"])
        for key, metrics in (("before", before.metrics), ("after", after.metrics))
    }
    old = float(before.metrics["speakers"][worst["before"]]["joint_accuracy"])
    new = float(after.metrics["speakers"][worst["after"]]["joint_accuracy"])
    slack = 1 / known[worst["after"]]["n"]
    reason = f"{worst['after']} has {new:.3f}; the champion's worst, {worst['before']}, had {old:.3f}"
    return [Check("worst speaker", old, new, new >= old - slack - 1e-9, reason)]


def _calibration(before: Evaluation, after: Evaluation, settings: GateSettings) -> Check:
    old, new = (e.metrics.get("joint_ece") for e in (before, after))
    if old is None or new is None:
        return Check("calibration", old, new, True, "no clip has every label, so there is nothing to measure it on")
    reason = f"calibration error may rise by {settings.max_ece_rise:g}, went from {old:.3f} to {new:.3f}"
    return Check("calibration", float(old), float(new), new <= old + settings.max_ece_rise, reason)


def _feedback(before: Evaluation, after: Evaluation, settings: GateSettings) -> list[Check]:
    old, new = _mean(before.right), _mean(after.right)
    clips = len(before.right)
    return [
        Check(
            "corrections held back",
            old,
            new,
            new >= old and new >= settings.min_learnt,
            f"not fewer right than before, and at least {settings.min_learnt:g} of {clips}: {old:.3f} to {new:.3f}",
        )
    ]


def _right(evaluation: Evaluation, head: str) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = evaluation.truth[head] == evaluation.guess[head]
    return right


def _mean(right: NDArray[np.bool_]) -> float:
    return float(right.mean())


def refusals(checks: Sequence[Check]) -> list[str]:
    return [f"{check.name}: {check.reason}" for check in checks if not check.passed]


def to_json(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [vars(check) for check in checks]
