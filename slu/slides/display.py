"""Classes under the names that people are shown, in everything that slides are drawn from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slu.slides.data import DataFacts
from slu.slides.predictions import Predictions
from slu.spec import Head


def show_metrics(metrics: Mapping[str, Any], heads: Mapping[str, Head]) -> dict[str, Any]:
    """The content of metrics.json, also of the conditions in it."""
    shown = {name: _show_head(values, heads.get(name)) for name, values in metrics["heads"].items()}
    conditions = {name: show_metrics(values, heads) for name, values in metrics.get("conditions", {}).items()}
    return {**metrics, "heads": shown, **({"conditions": conditions} if "conditions" in metrics else {})}


def _show_head(values: Mapping[str, Any], head: Head | None) -> Mapping[str, Any]:
    if head is None or "classes" not in values:
        return values
    return {**values, "classes": {head.shown(label): figures for label, figures in values["classes"].items()}}


def show_predictions(predictions: Predictions, heads: Mapping[str, Head]) -> Predictions:
    table = predictions.table.copy()
    for name in predictions.heads:
        if name in heads:
            for column in (name, f"heard_{name}"):
                table[column] = table[column].map(heads[name].shown)
    return replace(predictions, table=table)


def show_data(data: DataFacts, heads: Mapping[str, Head]) -> DataFacts:
    classes = {
        name: table.rename(index=heads[name].shown) if name in heads else table for name, table in data.classes.items()
    }
    return replace(data, classes=classes)
