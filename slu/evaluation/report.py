"""The report of one bundle on one set of clips, as a page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slu.common.wording import against_reference, between, figure
from slu.documents.page import Page, Part, Picture, Players, Section, Side, Table, Text
from slu.evaluation.calibration import accuracy_by_coverage, reliability
from slu.evaluation.clip_cards import clip_cards
from slu.evaluation.errors import confident_mistakes, reading, unsure_hits
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.head_section import head_parts
from slu.evaluation.metrics import worst_speaker
from slu.evaluation.off_menu import OffMenu, rejection
from slu.evaluation.off_menu_section import off_menu_parts
from slu.evaluation.plots import bars_figure, coverage_figure, reliability_figure
from slu.evaluation.robustness_section import robustness_parts
from slu.evaluation.verdict import described, hardest_condition, verdict
from slu.spec import Head

_SHOWN = 10


@dataclass(frozen=True)
class ReportFacts:
    """What the page says beside the answers."""

    warnings: Sequence[str]
    how: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """How it was measured: command, seed, threads, speed."""
    off_menu: Sequence[OffMenu] = field(default_factory=tuple)
    """Recordings that should not be answered."""


def report_page(results: Mapping[str, Evaluation], facts: ReportFacts) -> Page:
    """`results` by condition, `clean` first."""
    clean = next(iter(results.values()))
    others = {name: result.metrics for name, result in results.items() if name != clean.condition.name}
    bundle = clean.predictor.bundle
    unscored = [head.name for head in clean.spec.heads if head not in clean.heads]
    sections = [
        Section("Verdict", [*verdict(clean.metrics, others, bool(facts.warnings), unscored), *_against_rule(results)]),
        *([Section("Robustness", robustness_parts(results))] if others else []),
        *(Section(head.name.capitalize(), head_parts(clean, head)) for head in clean.heads),
        *([Section("Speakers", _speakers(clean))] if clean.metrics["speakers"] else []),
        Section("Confidence", _confidence(clean)),
        *([Section("Rejection", _rejection(clean, facts.off_menu))] if facts.off_menu else []),
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


def _against_rule(results: Mapping[str, Evaluation]) -> list[Part]:
    """Is there a reason for a model? On the clean clips, and where else there is none."""
    beside = {name: result.metrics["reference"] for name, result in results.items() if "reference" in result.metrics}
    if not beside:
        return []
    (_, first), *others = beside.items()
    text = against_reference(first)
    worse = [described(name) for name, values in others if (values["difference_interval"] or [0, 0])[1] < 0]
    weak = [described(name) for name, values in others if not values["better"] and described(name) not in worse]
    text += f" Worse under {', '.join(worse)}." if worse else ""
    text += f" Not clearly better under {', '.join(weak)}." if weak else ""
    if others and not worse and not weak:
        text += f" Clearly better under {described(others[0][0]) if len(others) == 1 else 'every other condition'}."
    return [Text(text, "good" if first["better"] else "warning")]


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
    kinds = {head.name: of for head in clean.heads if (of := _one_class_each(clean, head)) is not None}
    rows = [
        [name, *(of[name] for of in kinds.values()), str(v["n"]), figure(v["joint_accuracy"]), between(v["interval"])]
        for name, v in ordered
    ]
    columns = ["speaker", *kinds, "clips", "all right", "95 % interval"]
    text_columns = tuple(range(1 + len(kinds)))
    beside: list[Part] = [Table(columns, rows, text_columns=text_columns, fold_after=12)]
    if len(ordered) > 1:
        shown = ordered[:24]
        title = "All labels right, by speaker" + (f" (the worst 24 of {len(ordered)})" if len(ordered) > 24 else "")
        beside.insert(0, Picture(bars_figure(shown, title), "Accuracy by speaker, worst first"))
    return [worst_sentence, Side(beside)]


def _one_class_each(clean: Evaluation, head: Head) -> dict[str, str] | None:
    """What each speaker is, where no speaker has clips of two classes: their figure is then one of that class."""
    assert clean.speakers is not None
    classes: dict[str, set[str]] = {}
    for name, index in zip(clean.speakers, clean.truth[head.name].tolist(), strict=True):
        classes.setdefault(name, set()).update([head.classes[index]] if index >= 0 else [])
    if any(len(found) > 1 for found in classes.values()):
        return None
    return {name: head.shown(next(iter(found), "-")) for name, found in classes.items()}


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
        if len(clean.heads) > 1 or clean.spec.confidence:
            bins = reliability(confidence, right)
            title = f"whole answer: ECE {bins.error:.3f}"
            parts.append(Picture(reliability_figure(bins, title), "Reliability diagram of whole answers"))
        share, accuracy = accuracy_by_coverage(confidence, right)
        stated, happened = float(confidence.mean()), float(right.mean())
        side = "less sure than it should be" if stated < happened else "surer than it should be"
        parts = [
            Text(
                f"The mean stated confidence of a whole answer is {stated:.1%}, and {happened:.1%} are right: on these "
                f"clips it is {side}, by {clean.metrics['joint_ece']:.3f} on average over confidence levels (ECE)."
            ),
            Text(_abstention(clean)),
            Side(parts),
            Picture(
                coverage_figure(share, accuracy, clean.metrics["understood_share"]),
                "Accuracy of the answers against the share answered",
                "Asking again when unsure: further left, fewer clips are answered and more of them are right.",
            ),
        ]
    return parts


def _rejection(clean: Evaluation, sets: Sequence[OffMenu]) -> list[Part]:
    return off_menu_parts(clean, sets, rejection(clean, sets))


def _abstention(clean: Evaluation) -> str:
    m, whole = clean.metrics, clean.complete
    left = Counter(reason for reason, counted in zip(clean.reasons, whole, strict=True) if counted and reason)
    text = f"Of {m['n_joint']} clips {m['understood_share']:.1%} are answered"
    if left:
        text += f"; of the others it cannot tell ({', '.join(f'{why} {n}' for why, n in left.most_common())})"
    if m["understood_accuracy"] is not None:
        text += f". Of what is answered {m['understood_accuracy']:.1%} is right"
    text += f", against {m['joint_accuracy']:.1%} if everything were"
    return f"{text}. Below a confidence of {clean.spec.min_confidence:.2f} it is not sure."


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
