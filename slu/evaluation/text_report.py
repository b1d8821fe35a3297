"""`classification_report.txt`: the figures of every head as plain text, for people who paste."""

from collections.abc import Mapping
from typing import Any

from slu.common.wording import figure, with_interval


def classification_report(metrics: Mapping[str, Any]) -> str:
    """One block per head: a line per class, then the means and the accuracy with its interval."""
    blocks = []
    for name, values in metrics["heads"].items():
        if not values["n"]:
            blocks.append(f"{name}: no clip has a label for it")
            continue
        width = max([*(len(label) for label in values["classes"]), len("macro average")])
        lines = [name, f"{'':{width}}  precision  recall      F1   clips"]
        for label, c in values["classes"].items():
            lines.append(_line(label, width, c["precision"], c["recall"], c["f1"], c["n"]))
        macro = (values["macro_precision"], values["macro_recall"], values["macro_f1"])
        lines.append(_line("macro average", width, *macro, values["n"]))
        lines.append(f"accuracy {with_interval(values['accuracy'], values.get('accuracy_interval'))}")
        if "top2_accuracy" in values:
            lines.append(f"among the two best {figure(values['top2_accuracy'])}, calibration error {values['ece']:.3f}")
        blocks.append("\n".join(lines))
    joint = with_interval(metrics["joint_accuracy"], metrics["joint_interval"])
    blocks.append(f"all labels right {joint} on {metrics['n_joint']} clips; {metrics['interval']}")
    return "\n\n".join(blocks) + "\n"


def _line(
    label: str, width: int, precision: float | None, recall: float | None, f1: float | None, clips: int
) -> str:  # fmt: skip
    return f"{label:{width}}  {figure(precision):>9}  {figure(recall):>6}  {figure(f1):>6}  {clips:>6}"
