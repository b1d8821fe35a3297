"""What is written down of a training: its figures, and the bundle in the registry."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slu.bundles import save_bundle
from slu.bundles.store import Registered, Registry
from slu.common.files import write_json
from slu.common.progress import progress_bar
from slu.inference.files import REFERENCE
from slu.monitoring.reference import Reference, reference_if_heard
from slu.studies.scoring import fresh_predictor
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
    reference = _reference(data, fitted, trained_on="leave_one_speaker_out" in tests)

    def write(folder: Path) -> None:
        save_bundle(folder, fitted.recogniser, data.spec, settings, metrics, training)
        if reference is not None:
            write_json(folder / REFERENCE, reference.to_json(), indent=None)

    return Registry(Path(settings["outputs"]) / "registry").register(data.spec.task, write)


def _reference(data: Prepared, fitted: Fitted, *, trained_on: bool) -> Reference | None:
    with progress_bar("hearing what its log will be compared with") as progress:
        predictor = fresh_predictor(fitted, data.spec)
        reference = reference_if_heard(predictor, data.manifest, data.spec.head_names, progress)
    if reference is None or not trained_on:
        return reference
    return replace(reference, source=f"{reference.source}, which it was trained on")


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
