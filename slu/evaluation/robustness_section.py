"""The report's section on noise, coding, pace and rooms, beside a simple rule where there is one."""

from collections.abc import Mapping
from typing import Any

from slu.common.wording import balance_matters, between, figure, signed
from slu.documents.page import Part, Picture, Side, Table
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.plots import bars_figure, noise_figure


def robustness_parts(results: Mapping[str, Evaluation]) -> list[Part]:
    """`results` by condition, `clean` first."""
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
    columns = [
        (head, key)
        for head, values in clean.metrics["heads"].items()
        for key in ("accuracy", *(("balanced_accuracy",) if balance_matters(values) else ()))
    ]
    table = [
        [
            name,
            figure(m["joint_accuracy"]),
            between(m["joint_interval"]),
            *(figure(m["heads"][head][key]) for head, key in columns),
            figure(m.get("understood_share")),
            figure(m.get("wrong_and_understood_share")),
        ]
        for name, m in ((name, result.metrics) for name, result in results.items())
    ]
    titles = [head if key == "accuracy" else f"{head} balanced" for head, key in columns]
    header = ["condition", "all right", "95 % interval", *titles, "answered", "wrong, not questioned"]
    return [Side(pictures), Table(header, table), *_beside_rule(results)]


def _beside_rule(results: Mapping[str, Evaluation]) -> list[Part]:
    rows, rule = [], None
    for name, m in ((name, result.metrics) for name, result in results.items()):
        if (rule := m.get("reference")) is not None:
            difference = signed(rule["difference"], rule["difference_interval"])
            model = figure(m["heads"][rule["head"]]["balanced_accuracy"])
            rows.append([name, model, figure(rule["balanced_accuracy"]), difference, str(rule["unanswered"])])
    if rule is None:
        return []
    columns = ["condition", "model", rule["name"], "model minus rule (95 %)", "no answer of the rule"]
    caption = f"balanced accuracy of {rule['head']}; a clip that the rule has no answer for is a wrong one"
    return [Table(columns, rows, caption=caption)]
