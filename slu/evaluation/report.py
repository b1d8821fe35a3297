"""The report of one bundle on one set of clips, as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slu.common.wording import between, figure
from slu.documents.page import Card, Cards, Page, Part, Picture, Players, Section, Side, Table, Text
from slu.evaluation.calibration import accuracy_by_coverage, reliability
from slu.evaluation.clip_cards import clip_cards
from slu.evaluation.curves import two_class_curves
from slu.evaluation.errors import confident_mistakes, reading, unsure_hits
from slu.evaluation.metrics import worst_speaker
from slu.evaluation.plots import (
    bars_figure,
    confusion_figure,
    coverage_figure,
    curves_figure,
    noise_figure,
    reliability_figure,
)
from slu.evaluation.run import Evaluation
from slu.evaluation.verdict import described, hardest_condition, interval_text, verdict
from slu.spec import Head

_SHOWN = 10


@dataclass(frozen=True)
class ReportFacts:
    """What the page says beside the answers."""

    warnings: Sequence[str]
    how: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """How it was measured: command, seed, threads, speed."""


def report_page(results: Mapping[str, Evaluation], facts: ReportFacts) -> Page:
    """`results` by condition, `clean` first."""
    clean = next(iter(results.values()))
    others = {name: result.metrics for name, result in results.items() if name != clean.condition.name}
    bundle = clean.predictor.bundle
    unscored = [head.name for head in clean.spec.heads if head not in clean.heads]
    sections = [
        Section("Verdict", verdict(clean.metrics, others, bool(facts.warnings), unscored)),
        *([Section("Robustness", _robustness(results))] if others else []),
        *(Section(head.name.capitalize(), _head_parts(clean, head)) for head in clean.heads),
        *([Section("Speakers", _speakers(clean))] if clean.metrics["speakers"] else []),
        Section("Confidence", _confidence(clean)),
        Section("Errors", _errors(results, others)),
        Section("How it was measured", [Table(["", ""], facts.how, text_columns=(0, 1))]),
    ]
    return Page(
        title=f"{bundle.spec.task}: how good is {bundle.version}?",
        subtitle=f"{clean.metrics['n']} clips of {clean.manifest.path}",
        sections=sections,
        warnings=facts.warnings,
        footer=f"Intervals: {clean.metrics['interval']}. All labels right: every head of a clip answered as labelled.",
    )


def _robustness(results: Mapping[str, Evaluation]) -> list[Part]:
    clean = next(iter(results.values()))
    curves: dict[str, list[tuple[float, Mapping[str, Any]]]] = {}
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for result in results.values():
        if result.condition.family.endswith("noise") and result.condition.level is not None:
            curves.setdefault(result.condition.family, []).append((result.condition.level, result.metrics))
        elif result is not clean:
            rows.append((result.condition.name, result.metrics))
    pictures: list[Part] = []
    if curves and clean.metrics["joint_accuracy"] is not None:
        pictures.append(
            Picture(
                noise_figure(curves, clean.metrics),
                "Accuracy over signal-to-noise ratio",
                "The same clips with noise at a stated ratio of powers over the whole clip; bands are 95 % intervals.",
            )
        )
    if rows and clean.metrics["joint_accuracy"] is not None:
        pictures.append(
            Picture(
                bars_figure(rows, "Coding, pace and room", clean.metrics["joint_accuracy"]),
                "Accuracy under coding, speed and reverberation",
                "The dashed line is the clean figure.",
            )
        )
    heads = [head.name for head in clean.heads]
    table = [
        [
            name,
            figure(m["joint_accuracy"]),
            between(m["joint_interval"]),
            *(figure(m["heads"][h]["accuracy"]) for h in heads),
            figure(m.get("understood_share")),
            figure(m.get("wrong_and_understood_share")),
        ]
        for name, m in ((name, result.metrics) for name, result in results.items())
    ]
    columns = ["condition", "all right", "95 % interval", *heads, "answered", "wrong, not questioned"]
    return [Side(pictures), Table(columns, table)]


def _head_parts(clean: Evaluation, head: Head) -> list[Part]:
    values = clean.metrics["heads"][head.name]
    if not values["n"]:
        return [Text("No clip has a label for this head.")]
    summary = Cards(
        [
            Card(figure(values["accuracy"]), "accuracy", interval_text(values["accuracy_interval"])),
            Card(
                figure(values["macro_f1"]),
                "macro-F1",
                interval_text(values["macro_f1_interval"])
                or f"precision {figure(values['macro_precision'])}, recall {figure(values['macro_recall'])}",
            ),
            Card(figure(values["top2_accuracy"]), "among the two best", f"{values['n']} clips"),
            Card(figure(values["ece"]), "calibration error", "0 is perfect; see Confidence"),
        ]
    )
    classes = [
        [name, figure(c["precision"]), figure(c["recall"]), figure(c["f1"]), str(c["n"])]
        for name, c in values["classes"].items()
    ]
    confusion = confusion_figure(clean.confusion(head), head.classes, head.name)
    per_class = Table(["class", "precision", "recall", "F1", "clips"], classes, fold_after=20)
    parts: list[Part] = [
        summary,
        Side([Picture(confusion, f"Confusion matrix of {head.name}"), per_class]),
    ]
    if len(head.classes) == 2:
        known = clean.truth[head.name] >= 0
        curves = two_class_curves(clean.truth[head.name][known], clean.answers.scores[head.name][known, 1])
        parts.append(
            Text("ROC and precision-recall need clips of both classes; these are of one.")
            if curves is None
            else Picture(curves_figure(curves, head.classes[1]), f"ROC and precision-recall of {head.name}")
        )
    return parts


def _speakers(clean: Evaluation) -> list[Part]:
    ordered = sorted(clean.metrics["speakers"].items(), key=lambda item: item[1]["joint_accuracy"])
    worst = worst_speaker(clean.metrics)
    assert worst is not None
    values = clean.metrics["speakers"][worst]
    low, high = values["interval"]
    worst_sentence = Text(
        f"Worst: {worst}, {values['joint_accuracy']:.1%} of {values['n']} clips "
        f"(95 % interval of this speaker's clips {low:.1%} to {high:.1%})."
    )
    rows = [[name, str(v["n"]), figure(v["joint_accuracy"]), between(v["interval"])] for name, v in ordered]
    beside: list[Part] = [Table(["speaker", "clips", "all right", "95 % interval"], rows, fold_after=12)]
    if len(ordered) > 1:
        shown = ordered[:24]
        title = "All labels right, by speaker" + (f" (the worst 24 of {len(ordered)})" if len(ordered) > 24 else "")
        beside.insert(0, Picture(bars_figure(shown, title), "Accuracy by speaker, worst first"))
    return [worst_sentence, Side(beside)]


def _confidence(clean: Evaluation) -> list[Part]:
    parts: list[Part] = []
    for head in clean.heads:
        known = clean.truth[head.name] >= 0
        if not known.any():
            continue
        right = clean.truth[head.name] == clean.guess[head.name]
        bins = reliability(clean.stated(head)[known], right[known])
        title = f"{head.name}: ECE {bins.error:.3f}"
        parts.append(Picture(reliability_figure(bins, title), f"Reliability diagram of {head.name}"))
    if clean.complete.any():
        confidence, right = clean.confidence[clean.complete], clean.right[clean.complete]
        share, accuracy = accuracy_by_coverage(confidence, right)
        stated, happened = float(confidence.mean()), float(right.mean())
        side = "less sure than it should be" if stated < happened else "surer than it should be"
        parts = [
            Text(
                f"The mean stated confidence of a whole answer is {stated:.1%}, and {happened:.1%} are right: on these "
                f"clips it is {side}, by {clean.metrics['joint_ece']:.3f} on average over confidence levels (ECE)."
            ),
            Side(parts),
            Picture(
                coverage_figure(share, accuracy, clean.metrics["understood_share"]),
                "Accuracy of the answers against the share answered",
                "Asking again when unsure: further left, fewer orders are answered and more of them are right.",
            ),
        ]
    return parts


def _errors(results: Mapping[str, Evaluation], others: Mapping[str, Mapping[str, Any]]) -> list[Part]:
    clean = next(iter(results.values()))
    mistakes = confident_mistakes(clean, _SHOWN)
    parts: list[Part] = [Text("\n\n".join(reading(clean)))]
    if mistakes:
        parts += [
            Text(_counted(mistakes, "most confident mistake")),
            Players(clip_cards(clean, mistakes, "warning")),
        ]
    if len(mistakes) < _SHOWN and (hardest := hardest_condition(others)):
        hard = results[hardest[0]]
        if more := confident_mistakes(hard, _SHOWN):
            parts += [
                Text(f"Under the hardest condition, {described(hardest[0])}:"),
                Text("\n\n".join(reading(hard))),
                Text(_counted(more, "most confident mistake", "as the recogniser heard it")),
                Players(clip_cards(hard, more, "warning")),
            ]
    if unsure := unsure_hits(clean, _SHOWN):
        parts += [Text(_counted(unsure, "least confident right answer")), Players(clip_cards(clean, unsure, "good"))]
    return parts


def _counted(indices: Sequence[int], what: str, how: str = "") -> str:
    if len(indices) == 1:
        return f"The {what}{', ' + how if how else ''}:"
    return f"The {len(indices)} {what}s{', ' + how.replace(' it', ' them') if how else ''}:"
