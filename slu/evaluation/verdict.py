"""Would I rely on it? The answer in cards and sentences, by rules that stand beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from slu.documents.page import Card, Cards, Part, Text
from slu.evaluation.metrics import worst_speaker

GOOD_ENOUGH = 0.95
"""Lower end of the interval of all labels right."""
WRONG_AT_MOST = 0.01
"""Share of all clips that are answered wrong and nobody is asked."""
_RULE = (
    f"The rule: yes, if the lower end of the interval reaches {GOOD_ENOUGH:.0%}, at most {WRONG_AT_MOST:.0%} of all "
    "answers are wrong without being questioned, and nothing above speaks against the clips."
)


def verdict(
    metrics: Mapping[str, Any],
    conditions: Mapping[str, Mapping[str, Any]],
    grave: bool,
    unscored: Sequence[str] = (),
) -> list[Part]:
    """`conditions` by name, without the clean one; `grave`: a warning speaks against the figures; `unscored`: heads
    that had no labels, so that no answer as a whole was judged."""
    accuracy = metrics["joint_accuracy"]
    if accuracy is None:
        return [Text("No clip has a label for every head, so no answer as a whole can be judged; see each head below.")]
    cards = [
        Card(f"{accuracy:.1%}", _all_right(metrics), f"{interval_text(metrics['joint_interval'])}", _tone(metrics)),
        Card(
            f"{metrics['wrong_and_understood_share']:.1%}",
            "wrong without being questioned",
            f"{1 - metrics['understood_share']:.1%} are asked again",
            "good" if metrics["wrong_and_understood_share"] <= WRONG_AT_MOST else "warning",
        ),
    ]
    if (worst := worst_speaker(metrics)) is not None and len(metrics["speakers"]) > 1:
        values = metrics["speakers"][worst]
        clips = f"{values['n']} clip{'s' if values['n'] != 1 else ''}"
        everybody = values["joint_accuracy"] == 1
        label = f"every one of {len(metrics['speakers'])} speakers" if everybody else f"worst speaker: {worst}"
        cards.append(Card(f"{values['joint_accuracy']:.1%}", label, "" if everybody else clips))
    if hardest := hardest_condition(conditions):
        name, values = hardest
        cards.append(Card(f"{values['joint_accuracy']:.1%}", f"hardest condition: {described(name)}", "same clips"))
    if unscored:
        text = f"Only {' and '.join(metrics['heads'])} could be judged, so nothing is said of whole answers."
        return [Cards(cards), Text(text, "warning")]
    return [Cards(cards), Text(" ".join(_sentences(metrics, grave))), Text(_RULE, "small")]


def hardest_condition(conditions: Mapping[str, Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]] | None:
    """Lowest in all labels right; None when only clean clips were scored."""
    known = [(name, m) for name, m in conditions.items() if m["joint_accuracy"] is not None]
    return min(known, key=lambda item: item[1]["joint_accuracy"]) if known else None


def described(condition: str) -> str:
    return f"noise at {condition}" if " dB" in condition else condition


def _sentences(metrics: Mapping[str, Any], grave: bool) -> list[str]:
    hundred = round(1000 * metrics["wrong_and_understood_share"]) / 10
    again = round(1000 * (1 - metrics["understood_share"])) / 10
    low = (metrics["joint_interval"] or (0.0, 1.0))[0]
    holds = low >= GOOD_ENOUGH and metrics["wrong_and_understood_share"] <= WRONG_AT_MOST
    if holds and not grave:
        answer = "Would I rely on it? Yes, for people and rooms like these."
    elif holds:
        answer = "Would I rely on it? Not on this evidence: the figures are good, the clips prove too little."
    elif metrics["joint_accuracy"] >= GOOD_ENOUGH and metrics["wrong_and_understood_share"] <= WRONG_AT_MOST:
        answer = f"Would I rely on it? Not yet: the interval begins at {low:.0%}, so score more clips."
    else:
        answer = "Would I rely on it? Not without somebody reading along."
    return [
        answer,
        f"Of 100 clips like these, {hundred:g} are answered wrong without anybody being asked, "
        f"and {again:g} have to be said again.",
    ]


def _all_right(metrics: Mapping[str, Any]) -> str:
    heads: Sequence[str] = list(metrics["heads"])
    return {1: f"{heads[0]} right", 2: f"both right ({' and '.join(heads)})"}.get(len(heads), "all labels right")


def _tone(metrics: Mapping[str, Any]) -> Any:
    low = (metrics["joint_interval"] or (0.0, 1.0))[0]
    return "good" if low >= GOOD_ENOUGH else "warning"


def interval_text(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"95 % interval {interval[0]:.1%} to {interval[1]:.1%}"
