"""One head in the report: how often it is right, which classes it confuses, and where its threshold stands."""

from slu.common.wording import balance_matters, figure, signed
from slu.documents.page import Card, Cards, Part, Picture, Side, Table, Text
from slu.evaluation.curves import OperatingPoint, operating_points, two_class_curves
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.plots import confusion_figure, curves_figure
from slu.evaluation.verdict import interval_text
from slu.spec import Head


def head_parts(clean: Evaluation, head: Head) -> list[Part]:
    values = clean.metrics["heads"][head.name]
    if not values["n"]:
        return [Text("No clip has a label for this head.")]
    two = len(head.classes) == 2
    balanced = Card(
        figure(values["balanced_accuracy"]),
        "balanced accuracy",
        interval_text(values.get("balanced_accuracy_interval")) or "mean recall of the classes",
    )
    summary = Cards(
        [
            Card(figure(values["accuracy"]), "accuracy", interval_text(values["accuracy_interval"])),
            *([balanced] if balance_matters(values) else []),
            Card(
                figure(values["macro_f1"]),
                "macro-F1",
                interval_text(values["macro_f1_interval"])
                or f"precision {figure(values['macro_precision'])}, recall {figure(values['macro_recall'])}",
            ),
            *([] if two else [Card(figure(values["top2_accuracy"]), "among the two best", f"{values['n']} clips")]),
            Card(figure(values["ece"]), "calibration error", "0 is perfect; see Confidence"),
            *_rule(clean, head),
        ]
    )
    classes = [
        [head.shown(name), figure(c["precision"]), figure(c["recall"]), figure(c["f1"]), str(c["n"])]
        for name, c in values["classes"].items()
    ]
    confusion = confusion_figure(clean.confusion(head), [head.shown(c) for c in head.classes], head.name)
    per_class = Table(["class", "precision", "recall", "F1", "clips"], classes, fold_after=20)
    parts: list[Part] = [
        summary,
        Side([Picture(confusion, f"Confusion matrix of {head.name}"), per_class]),
    ]
    if two:
        parts.append(_curves(clean, head))
    if nothing := values.get("unlabelled"):
        parts.append(
            Text(
                f"Clips without a label for {head.name}: {nothing['answered']} of {nothing['n']} were answered all the "
                "same. Where there was nothing to answer, each of these is a mistake that no figure above counts."
            )
        )
    return parts


def _rule(clean: Evaluation, head: Head) -> list[Card]:
    """What the rule beside the model gets right by itself."""
    beside = clean.metrics.get("reference")
    if beside is None or beside["head"] != head.name:
        return []
    note = f"balanced accuracy without a model; the model has {signed(beside['difference'], None)}"
    if beside["unanswered"]:
        note += f"; no answer to {beside['unanswered']} of {beside['n']} clips, counted as wrong"
    return [Card(figure(beside["balanced_accuracy"]), beside["name"], note, "good" if beside["better"] else "warning")]


def _curves(clean: Evaluation, head: Head) -> Part:
    known = clean.truth[head.name] >= 0
    truth, scores = clean.truth[head.name][known], clean.answers.scores[head.name][known]
    curves = two_class_curves(truth, scores[:, 1])
    if curves is None:
        return Text("ROC and precision-recall need clips of both classes; these are of one.")
    points = operating_points(head, truth, scores)
    return Picture(
        curves_figure(curves, head.shown(head.classes[1]), points),
        f"ROC and precision-recall of {head.name}",
        f"Positive is {head.shown(head.classes[1])}. "
        + " ".join(_standing(point, in_use=point is points[0]) for point in points),
    )


def _standing(point: OperatingPoint, *, in_use: bool) -> str:
    return (
        f"{'In use: threshold' if in_use else 'At'} {point.threshold:.3g}: true positive rate "
        f"{point.true_positive_rate:.3f}, false positive rate {point.false_positive_rate:.3f}, balanced accuracy "
        f"{point.balanced_accuracy:.3f}."
    )
