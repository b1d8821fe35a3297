"""The content of `metrics.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from slu.evaluation.curves import two_class_curves
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.honesty import Overlap
from slu.evaluation.metrics import worst_speaker


def metrics_document(
    results: Mapping[str, Evaluation], overlap: Overlap, warnings: Sequence[str], unknown: Mapping[str, int]
) -> dict[str, Any]:
    """Of the clean clips at the top, of every other condition under `conditions`."""
    clean = next(iter(results.values()))
    unlabelled = {name: int((truth < 0).sum()) for name, truth in clean.truth.items() if (truth < 0).any()}
    heads = {name: dict(values) for name, values in clean.metrics["heads"].items()}
    for head in clean.heads:
        known = clean.truth[head.name] >= 0
        if len(head.classes) == 2 and known.any():
            curves = two_class_curves(clean.truth[head.name][known], clean.answers.scores[head.name][known, 1])
            heads[head.name]["roc_auc"] = None if curves is None else curves.roc_auc
            heads[head.name]["average_precision"] = None if curves is None else curves.average_precision
    return {
        **clean.metrics,
        "heads": heads,
        "worst_speaker": worst_speaker(clean.metrics),
        "conditions": {name: result.metrics for name, result in results.items() if result is not clean},
        "warnings": list(warnings),
        "overlap_with_training": asdict(overlap),
        "unlabelled": unlabelled,
        "unknown_labels": dict(unknown),
        "broken": clean.broken,
        "clips_per_cpu_second": round(clean.clips_per_cpu_second, 1),
        "bundle": clean.predictor.bundle.version,
        "manifest": str(clean.manifest.path),
    }
