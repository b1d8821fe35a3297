"""`classification_report.txt`: the figures of every head as plain text, for people who paste."""

from collections.abc import Mapping, Sequence
from typing import Any

from slu.common.wording import against_reference, balance_matters, figure, with_interval
from slu.spec import Head


def classification_report(metrics: Mapping[str, Any], heads: Sequence[Head] = ()) -> str:
    """One block per head: a line per class, then the means and the accuracy with its interval.

    Classes bear the names that their `heads` show them under.
    """
    blocks = []
    known = {head.name: head for head in heads}
    for name, values in metrics["heads"].items():
        if not values["n"]:
            blocks.append(f"{name}: no clip has a label for it")
            continue
        head = known.get(name)
        shown = {label: label if head is None else head.shown(label) for label in values["classes"]}
        width = max(len(text) for text in [*shown.values(), "macro average"])
        lines = [name, f"{'':{width}}  precision  recall      F1   clips"]
        for label, c in values["classes"].items():
            lines.append(_line(shown[label], width, c["precision"], c["recall"], c["f1"], c["n"]))
        macro = (values["macro_precision"], values["macro_recall"], values["macro_f1"])
        lines.append(_line("macro average", width, *macro, values["n"]))
        lines.append(f"accuracy {with_interval(values['accuracy'], values.get('accuracy_interval'))}")
        if balance_matters(values):
            balanced = with_interval(values["balanced_accuracy"], values.get("balanced_accuracy_interval"))
            lines.append(f"balanced accuracy {balanced}")
        beside = metrics.get("reference")
        if beside is not None and beside["head"] == name:
            balanced = with_interval(beside["balanced_accuracy"], beside["interval"])
            lines.append(f"{beside['name']} on the same clips: balanced accuracy {balanced}{_unanswered(beside)}")
            lines.append(against_reference(beside))
        if "top2_accuracy" in values:
            best = "" if len(shown) == 2 else f"among the two best {figure(values['top2_accuracy'])}, "
            lines.append(f"{best}calibration error {values['ece']:.3f}")
        if len(shown) == 2 and "confusion" in values:
            lines += _counts(list(shown.values()), values["confusion"])
        if head is not None and head.threshold != 0.5:
            lines.append(f"{head.shown(head.classes[1])} from a score of {head.threshold:.3f} on")
        if nothing := values.get("unlabelled"):
            lines.append(f"clips without a label: {nothing['answered']} of {nothing['n']} were answered all the same")
        blocks.append("\n".join(lines))
    joint = with_interval(metrics["joint_accuracy"], metrics["joint_interval"])
    blocks.append(f"all labels right {joint} on {metrics['n_joint']} clips; {metrics['interval']}")
    return "\n\n".join(blocks) + "\n"


def _counts(shown: Sequence[str], confusion: Sequence[Sequence[int]]) -> list[str]:
    return [
        f"said {said}: " + ", ".join(f"heard {heard} {count}" for heard, count in zip(shown, row, strict=True))
        for said, row in zip(shown, confusion, strict=True)
    ]


def _unanswered(beside: Mapping[str, Any]) -> str:
    return f", {beside['unanswered']} clips without an answer are wrong" if beside["unanswered"] else ""


def _line(
    label: str, width: int, precision: float | None, recall: float | None, f1: float | None, clips: int
) -> str:  # fmt: skip
    return f"{label:{width}}  {figure(precision):>9}  {figure(recall):>6}  {figure(f1):>6}  {clips:>6}"
