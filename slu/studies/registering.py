"""What is written down of a training: its figures, and the bundle in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slu.bundles import save_bundle
from slu.bundles.store import Registered, Registry
from slu.common.files import write_json
from slu.training.fit import Fitted
from slu.training.stages import Prepared


def register(
    settings: Mapping[str, Any],
    data: Prepared,
    fitted: Fitted,
    training: Mapping[str, Any],
    tests: Mapping[str, Any],
    run: Path,
    decision: Mapping[str, Any] | None = None,
) -> Registered:
    metrics = {
        **fit_facts(fitted, data, run),
        "split": training["split"],
        "leaking_speakers": training["leaking_speakers"],
        "test": tests,
        **({"decision": decision} if decision else {}),
    }
    write_json(run / "metrics.json", metrics)
    registry = Registry(Path(settings["outputs"]) / "registry")
    return registry.register(
        data.spec.task, lambda folder: save_bundle(folder, fitted.recogniser, data.spec, settings, metrics, training)
    )


def fit_facts(fitted: Fitted, data: Prepared, run: Path) -> dict[str, Any]:
    return {
        "objective": fitted.objective,
        "validation": dict(fitted.validation),
        "data": data.data_hash,
        "manifest": str(data.manifest.path),
        "parameters": fitted.parameters,
        "epochs": fitted.epochs,
        "cpu_s": round(fitted.cpu_s, 1),
        "fit_s": round(fitted.fit_s, 1),
        "run": str(run),
    }
