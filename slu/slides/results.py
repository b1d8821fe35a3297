"""How good it is: the verdict with its intervals, and what happens under harder conditions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from slu.common.wording import balance_matters
from slu.documents.page import Cards, Picture, Table, Text
from slu.documents.slide_parts import Columns, Rows, Slide, SlidePart
from slu.evaluation.plots import bars_figure, noise_figure
from slu.evaluation.verdict import described, hardest_condition, interval_text, verdict
from slu.slides.sources import Sources
from slu.slides.words import cite, counted, first_sentence, listed, percent, span

_WARNINGS = 3
"""In full; honesty puts leaks and synthetic speech among the first three."""


def results_slide(s: Sources) -> Slide:
    """Never without its warnings."""
    m = s.metrics
    parts = verdict(m, m["conditions"], grave=bool(s.warnings))
    cards = [part for part in parts if isinstance(part, Cards)]
    texts = [part for part in parts if isinstance(part, Text)]
    if s.unscored_heads:  # the verdict is about whole answers
        texts = [Text(_only_scored(s), "warning")]
    rule = Text(texts[-1].text, "small") if len(texts) > 1 else None
    body = Rows(
        [*cards, Columns([_heads_table(m), Rows([*texts[:1], *([rule] if rule else [])], (3, 2) if rule else ())])],
        (4, 7) if cards else (),
    )
    if m["joint_accuracy"] is None:
        title = f"No clip has a label for every one of {listed(list(m['heads']))}: each is judged by itself"
    else:
        title = (
            f"{percent(m['joint_accuracy'])} of {counted(m['n_joint'], 'test clip')} have {_right(s)} "
            f"({interval_text(m['joint_interval'])})"
        )
    notes = [
        cite(
            s.metrics_path,
            "joint_accuracy, joint_interval, heads, understood_share, wrong_and_understood_share, worst_speaker, "
            "conditions",
            "warnings",
        ),
        f"Intervals: {m['interval']}.",
        *(f"Warning: {text}" for text in s.warnings),
    ]
    return Slide(title, body, notes, full_warnings(s))


def _only_scored(s: Sources) -> str:
    """Where the clips have no labels for a head of the bundle."""
    scored, left = list(s.metrics["heads"]), s.unscored_heads
    return (
        f"Only the labelled heads were scored: {listed(scored)}. The clips have no labels for {listed(left)}, so "
        "nothing here says how often a whole answer is right."
    )


def _right(s: Sources) -> str:
    return f"{listed(list(s.metrics['heads']))} right" if s.unscored_heads else "every label right"


def full_warnings(s: Sources) -> list[str]:
    more = len(s.warnings) - _WARNINGS
    rest = [f"And {counted(more, 'more warning')}, on the slide about what is still weak."] if more > 0 else []
    return [*s.warnings[:_WARNINGS], *rest]


def short_warnings(s: Sources) -> list[str]:
    """Where the figures stand a second time."""
    return [" ".join(first_sentence(text) for text in s.warnings[:_WARNINGS])] if s.warnings else []


def _heads_table(m: Mapping[str, Any]) -> Table:
    balanced = any(balance_matters(values) for values in m["heads"].values())
    rows = [
        [
            name,
            str(len(values.get("classes", ()))),
            percent(values["accuracy"]),
            span(values.get("accuracy_interval")),
            *([percent(values.get("balanced_accuracy"))] if balanced else []),
            percent(values["macro_f1"]),
        ]
        for name, values in m["heads"].items()
    ]
    return Table(
        ["head", "classes", "accuracy", "95 % interval", *(["balanced"] if balanced else []), "macro-F1"], rows
    )


def robustness_slides(s: Sources) -> list[Slide]:
    m = s.metrics
    conditions: Mapping[str, Mapping[str, Any]] = m["conditions"]
    hardest = hardest_condition(conditions)
    if hardest is None or m["joint_accuracy"] is None:
        sentence = f"Only clean clips were scored: `{s.evaluate('conditions=standard')}` adds noise and rooms."
        if conditions:
            sentence = "No clip has all labels, so conditions are not compared as a whole."
        return [Slide("Robustness was not measured", Text(sentence, "warning"), [cite(s.metrics_path, "conditions")])]
    name, values = hardest
    cited = cite(s.metrics_path, "joint_accuracy and joint_interval of every condition")
    notes = [cited, f"Intervals: {m['interval']}."]
    title = (
        f"Hardest is {described(name)}: {percent(values['joint_accuracy'])} right, "
        f"against {percent(m['joint_accuracy'])} on clean clips"
    )
    pictures = _pictures(m, conditions)
    table = _conditions_table(
        {"clean": m, **conditions}, "scored labels right" if s.unscored_heads else "all labels right"
    )
    worst = max(conditions, key=lambda key: conditions[key].get("wrong_and_understood_share") or 0.0)
    share = conditions[worst].get("wrong_and_understood_share")
    numbers = f"In numbers: under {described(worst)}, {percent(share)} are wrong without being questioned"
    warned = short_warnings(s)
    return [Slide(title, Columns(pictures), notes, warned), Slide(numbers, table, notes, warned)]


def _pictures(m: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> list[SlidePart]:
    """Noise over its level as curves, the rest as bars."""
    curves: dict[str, list[tuple[float, Mapping[str, Any]]]] = {}
    bars: list[tuple[str, Mapping[str, Any]]] = []
    for name, values in conditions.items():
        if found := re.fullmatch(r"(-?[\d.]+) dB(?: (.+))?", name):
            curves.setdefault(f"{found[2] or 'generated'} noise", []).append((float(found[1]), values))
        else:
            bars.append((name, values))
    pictures: list[SlidePart] = []
    if curves:
        pictures.append(Picture(noise_figure(curves, m), "Accuracy over signal-to-noise ratio"))
    if bars:
        figure = bars_figure(bars, "Coding, pace, room", m["joint_accuracy"])
        pictures.append(Picture(figure, "Accuracy under coding, speed and reverberation"))
    return pictures


def _conditions_table(results: Mapping[str, Mapping[str, Any]], right: str) -> Table:
    rows: Sequence[Sequence[str]] = [
        [
            name,
            percent(m["joint_accuracy"]),
            span(m["joint_interval"]),
            percent(m.get("understood_share")),
            percent(m.get("wrong_and_understood_share")),
        ]
        for name, m in results.items()
    ]
    return Table(["condition", right, "95 % interval", "answered", "wrong, not questioned"], rows)
