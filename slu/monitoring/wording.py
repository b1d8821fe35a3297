"""What has changed, told so that a shopkeeper knows what to do about it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slu.monitoring.facts import Fact
from slu.monitoring.sketch import UNDERSTOOD, Counts, quantile

Shares = NDArray[np.float64]

_MOST = 2
"""Classes that are named."""
_SHARE = 0.01
"""Differences below that are not named."""


def numbers_sentence(fact: Fact, before: Counts, now: Counts) -> str:
    """Of two histograms of the fact."""
    old, new = (_quartiles(counts, fact) for counts in (before, now))
    moved = _difference(fact, old[1], new[1])
    spread_before, spread_now = old[2] - old[0], new[2] - new[0]
    if abs(new[1] - old[1]) >= 0.25 * max(spread_before, fact.edges[1] - fact.edges[0]):
        word = fact.more if new[1] > old[1] else fact.less
        return (
            f"Clips are {word} than those it was tested on: {fact.title} {moved} "
            f"(median {fact.shown(new[1])} against {fact.shown(old[1])})."
        )
    word = "more" if spread_now > spread_before else "less"
    here, there = (f"between {fact.shown(quartiles[0])} and {fact.shown(quartiles[2])}" for quartiles in (new, old))
    start = f"Clips differ {word} in {fact.title} than those it was tested on"
    return f"{start}: half of them lie {here}, and of those {there}."


def reasons_sentence(names: Sequence[str], now: Shares, before: Shares) -> str:
    """Of the shares of the reasons against an answer, UNDERSTOOD among them."""
    place = names.index(UNDERSTOOD) if UNDERSTOOD in names else None
    if place is None or abs(now[place] - before[place]) < _SHARE:
        return classes_sentence("reasons against an answer", names, now, before)
    word = "Fewer" if now[place] < before[place] else "More"
    start = f"{word} clips are understood than of those it was tested on: {_against(now[place], before[place])}"
    others = [i for i in _largest(now - before) if i != place and now[i] > before[i]][:_MOST]
    told = [f"{names[i]} {_against(now[i], before[i])}" for i in others]
    return start + (f"; instead {', '.join(told)}." if told else ".")


def classes_sentence(what: str, names: Sequence[str], now: Shares, before: Shares) -> str:
    """Of the shares of a head's classes."""
    told = [
        f"{'more' if now[i] > before[i] else 'fewer'} '{names[i]}' ({_against(now[i], before[i])})"
        for i in _largest(now - before)[:_MOST]
    ]
    return f"The mix of {what} is another: {', '.join(told)}." if told else f"The mix of {what} is the same."


def _largest(differences: Shares) -> list[int]:
    order = np.argsort(-np.abs(differences)).tolist()
    return [i for i in order if abs(differences[i]) >= _SHARE]


def _against(now: float, before: float) -> str:
    return f"{now:.0%} against {before:.0%}"


def _difference(fact: Fact, before: float, now: float) -> str:
    if fact.ratio:
        return f"times {now / before:.2g}"
    return f"{now - before:+.{fact.digits}f}{' ' + fact.unit if fact.unit else ''}"


def _quartiles(counts: Counts, fact: Fact) -> tuple[float, float, float]:
    low, middle, high = (quantile(counts, fact, share) or 0.0 for share in (0.25, 0.5, 0.75))
    return low, middle, high
