"""Where it fails: which clips, which pairs of classes, and whether the errors have anything in common."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from slu.evaluation.evaluation import Evaluation
from slu.spec import Head

_FEWEST = 5
"""Fewer errors than this have no pattern that could be told from chance."""
_SHUFFLES = 2_000


@dataclass(frozen=True)
class Confusion:
    head: str
    said: str
    heard: str
    count: int
    of: int
    """Clips in which `said` was said."""


@dataclass(frozen=True)
class Slice:
    """A quarter of the clips against the rest."""

    name: str
    limit: str
    share: float
    """Of its clips that are wrong."""
    rest: float
    p: float
    """Fisher's exact test that it is not worse."""


@dataclass(frozen=True)
class Gathering:
    """Do the errors gather in few speakers?"""

    worst: str
    errors: int
    of: int
    p: float
    """Share of random reassignments of the errors that are at least as uneven."""


def wrong(evaluation: Evaluation) -> NDArray[np.bool_]:
    """Per clip: at least one label was given and missed."""
    return ~evaluation.right


def confident_mistakes(evaluation: Evaluation, most: int = 10) -> list[int]:
    """The mistakes that the model was surest of, surest first."""
    indices = np.flatnonzero(wrong(evaluation))
    return [int(i) for i in indices[np.argsort(-evaluation.confidence[indices], kind="stable")][:most]]


def unsure_hits(evaluation: Evaluation, most: int = 10) -> list[int]:
    """The right answers that the model was least sure of; clips without all labels do not count."""
    indices = np.flatnonzero(evaluation.right & evaluation.complete)
    return [int(i) for i in indices[np.argsort(evaluation.confidence[indices], kind="stable")][:most]]


def confusions(evaluation: Evaluation, head: Head) -> list[Confusion]:
    """Most frequent first."""
    matrix = evaluation.confusion(head)
    found = [
        Confusion(head.name, head.classes[i], head.classes[j], int(matrix[i, j]), int(matrix[i].sum()))
        for i, j in np.argwhere(matrix > 0)
        if i != j
    ]
    return sorted(found, key=lambda c: (-c.count, -c.count / c.of, c.said, c.heard))


def slices(evaluation: Evaluation) -> list[Slice]:
    """The shortest, the quietest and the noisiest quarter; none when there are too few errors to tell."""
    missed, answers = wrong(evaluation), evaluation.answers
    if missed.sum() < _FEWEST or len(missed) < 4 * _FEWEST:
        return []
    found = []
    for name, values, unit in (
        ("short clips", answers.duration_s, "s"),
        ("quiet clips", answers.level_db, "dB"),
        ("noisy clips", answers.snr_db, "dB SNR"),
    ):
        limit = float(np.quantile(values, 0.25))
        inside = values <= limit
        if inside.all():
            continue
        table = [[int((missed & side).sum()), int((~missed & side).sum())] for side in (inside, ~inside)]
        p = float(fisher_exact(table, alternative="greater").pvalue)
        share, rest = (hits / max(hits + misses, 1) for hits, misses in table)
        found.append(Slice(name, f"{limit:.1f} {unit}", share, rest, p))
    return found


def gathering(evaluation: Evaluation) -> Gathering | None:
    """None without speakers, or with too few errors to tell."""
    missed = wrong(evaluation)
    if not evaluation.units.kind.endswith(" speakers") or missed.sum() < _FEWEST:
        return None
    of_clip = evaluation.units.of_clip
    sizes = np.bincount(of_clip)

    def unevenness(errors: NDArray[np.bool_]) -> float:
        counts = np.bincount(of_clip, errors, len(sizes))
        return float(((counts - sizes * errors.mean()) ** 2 / sizes).sum())

    rng, actual = np.random.default_rng(0), unevenness(missed)
    beaten = sum(unevenness(rng.permutation(missed)) >= actual - 1e-9 for _ in range(_SHUFFLES))
    assert evaluation.speakers is not None
    counts = Counter(name for name, miss in zip(evaluation.speakers, missed, strict=True) if miss)
    worst, errors = max(counts.items(), key=lambda item: (item[1], item[0]))
    return Gathering(worst, errors, int(missed.sum()), (beaten + 1) / (_SHUFFLES + 1))


def reading(evaluation: Evaluation) -> list[str]:
    """What the numbers say, in sentences; every one follows from a count or a test, none is advice."""
    missed = wrong(evaluation)
    total, errors = len(missed), int(missed.sum())
    if errors == 0:
        return [f"None of the {total} clips is wrong; the interval says how much that proves."]
    by_head = [
        f"{int(((evaluation.truth[h.name] >= 0) & (evaluation.truth[h.name] != evaluation.guess[h.name])).sum())} "
        f"on {h.name}"
        for h in evaluation.heads
    ]
    have = "has" if errors == 1 else "have"
    sentences = [
        f"{errors} of {total} clips ({100 * errors / total:.1f} %) {have} a wrong label: {', '.join(by_head)}."
    ]
    for head in evaluation.heads:
        if top := confusions(evaluation, head)[:3]:
            pairs = "; ".join(f"{head.shown(c.said)} heard as {head.shown(c.heard)} ({c.count} of {c.of})" for c in top)
            sentences.append(f"Most confused in {head.name}: {pairs}.")
    if errors < _FEWEST:
        return [*sentences, "These are too few errors to look for what they have in common."]
    return [*sentences, *_speaker_sentence(evaluation), _slice_sentence(evaluation)]


def _speaker_sentence(evaluation: Evaluation) -> list[str]:
    found = gathering(evaluation)
    if found is None:
        return ["Whether errors gather in speakers cannot be said: speakers are not known, or there is one."]
    where = f"{found.worst} has {found.errors} of the {found.of} errors"
    if found.p < 0.05:
        p = "< 0.001" if found.p < 0.001 else f"{found.p:.3f}"
        return [f"Errors gather in speakers: {where}; the probability that chance is as uneven is {p}."]
    return [
        f"No sign that errors gather in speakers ({where}; the probability that chance is as uneven is {found.p:.2f})."
    ]


def _slice_sentence(evaluation: Evaluation) -> str:
    found = slices(evaluation)
    worse = [s for s in found if s.p < 0.05 / max(len(found), 1)]  # Bonferroni: three looks at the same errors
    if not worse:
        return "No sign that short, quiet or noisy clips fail more often than others."
    parts = [
        f"{s.name} (the quarter up to {s.limit}) are wrong in {100 * s.share:.1f} %, the others in {100 * s.rest:.1f} %"
        for s in worse
    ]
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]
