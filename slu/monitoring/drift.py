"""Whether the clips of a window are such as the recogniser was tested on: every fact, every head, every reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from slu.monitoring.distance import Distance, Sample, aligned, classes_apart, holm, numbers_apart
from slu.monitoring.facts import FACTS, Fact
from slu.monitoring.reference import Reference
from slu.monitoring.settings import DriftSettings
from slu.monitoring.sketch import UNDERSTOOD, Sketch, quantile
from slu.monitoring.wording import classes_sentence, numbers_sentence, reasons_sentence

REASONS = "reasons"
"""The name of why answers were not given, among facts and heads."""


@dataclass(frozen=True)
class Change:
    """Of one fact, head or the reasons, between the reference and a window."""

    name: str
    title: str
    clips: int
    before: str
    """Of a number its median, of classes the one that differs most; for people."""
    now: str
    distance: Distance
    p: float
    """Adjusted for the number of comparisons in the window."""
    drifted: bool
    sentence: str
    """What has changed, in plain words."""
    look: str
    """What to look at first."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "distance": self.distance._asdict()}


@dataclass(frozen=True)
class _Compared:
    name: str
    title: str
    clips: int
    before: str
    now: str
    distance: Distance
    sentence: str
    look: str


def drift(sketch: Sketch, reference: Reference, settings: DriftSettings) -> list[Change]:
    """The most certain changes first; nothing of a window with too few clips."""
    if sketch.clips < settings.min_clips:
        return []
    found = [_fact(fact, sketch, reference, settings) for fact in FACTS if fact.name not in settings.ignore]
    if REASONS not in settings.ignore:
        found.append(_classes(REASONS, sketch.reasons, reference.sketch.reasons, reference, settings))
    heads = [head for head in reference.sketch.labels if head in sketch.labels and head not in settings.ignore]
    found += [_classes(head, sketch.labels[head], reference.sketch.labels[head], reference, settings) for head in heads]
    compared = [one for one in found if one is not None]
    changes = [
        Change(**vars(one), p=p, drifted=p < settings.alpha and _matters(one.distance, settings))
        for one, p in zip(compared, holm([one.distance.p for one in compared]), strict=True)
    ]
    return sorted(changes, key=lambda change: (not change.drifted, change.p, -change.distance.ks))


def _matters(distance: Distance, settings: DriftSettings) -> bool:
    return distance.psi >= settings.psi or distance.ks >= settings.ks


def _fact(fact: Fact, sketch: Sketch, reference: Reference, settings: DriftSettings) -> _Compared | None:
    """None where one of both knows too little of it."""
    now, before = sketch.of(fact.name), reference.sketch.of(fact.name)
    clips, known = int(now.sum()), int(before.sum())
    if min(clips, known) < settings.min_clips:
        return None
    apart = numbers_apart(
        Sample(now, reference.independent(clips, fact.name, settings.clips_per_speaker)),
        Sample(before, reference.independent(known, fact.name)),
    )
    medians = [quantile(counts, fact, 0.5) or 0.0 for counts in (before, now)]
    sentence = numbers_sentence(fact, before, now)
    return _Compared(
        fact.name, fact.title, clips, fact.shown(medians[0]), fact.shown(medians[1]), apart, sentence, fact.look
    )


def _classes(
    name: str, now: Mapping[str, int], before: Mapping[str, int], reference: Reference, settings: DriftSettings
) -> _Compared | None:
    """Of a head, or of the reasons."""
    names, ours, theirs = aligned(now, before)
    clips, known = int(ours.sum()), int(theirs.sum())
    if min(clips, known) < settings.min_clips:
        return None
    fact = UNDERSTOOD if name == REASONS else name
    mine = Sample(ours, reference.independent(clips, fact, settings.clips_per_speaker))
    other = Sample(theirs, reference.independent(known, fact))
    differs = int(np.argmax(np.abs(mine.shares - other.shares)))
    shown = [f"{share:.0%} {names[differs]}" for share in (other.shares[differs], mine.shares[differs])]
    title = "answers and reasons against them" if name == REASONS else f"answers of {name}"
    if name == REASONS:
        sentence = reasons_sentence(names, mine.shares, other.shares)
        look = "clips that were not understood: listen to some"
    else:
        sentence = classes_sentence(name, names, mine.shares, other.shares)
        look = "whether people ask for other things, or are understood wrongly"
    return _Compared(name, title, clips, shown[0], shown[1], classes_apart(mine, other), sentence, look)
