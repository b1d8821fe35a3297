"""A registry with one bundle that was trained on tones, and corrections of somebody whose tones it gets wrong."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from slu.adaptation.replay import ReplaySettings
from slu.adaptation.settings import AdaptSettings
from slu.bundles import Predictor, load_bundle
from slu.bundles.store import Registry
from slu.evaluation.conditions import ConditionSettings
from slu.feedback import Answered, Correction, FeedbackStore, default_url
from slu.feedback.audio import keep_audio
from slu.retraining.cycle import Retraining, RetrainSettings
from slu.retraining.from_scratch import ScratchSettings
from slu.retraining.gate import GateSettings
from slu.versions import resolved
from tests.adaptation.helpers import train_bundle

GATE = GateSettings(min_accuracy=0.8, min_macro_f1=0.8, max_latency_ratio=5.0)


def registry_of(tones: Path, folder: Path, finish: Callable[[Path], None] = lambda bundle: None) -> Registry:
    """`folder/out/registry` with the version that answers."""
    bundle = train_bundle(tones, folder)
    finish(bundle)
    registry = Registry(folder / "out" / "registry")
    registry.register("tones", lambda place: shutil.copytree(bundle, place, dirs_exist_ok=True))
    return registry


def live(registry: Registry) -> Path:
    return resolved(registry.root / "tones" / "live")


def correct(store: FeedbackStore, registry: Registry, manifest: Path, outputs: Path) -> list[str]:
    """A correction for every clip of a manifest, with its labels as what was right; the request ids."""
    predictor, made = Predictor(load_bundle(live(registry))), []
    for row in pd.read_csv(manifest, dtype=str).to_dict("records"):
        data = (manifest.parent / row["file_name"]).read_bytes()
        answer = predictor.predict(manifest.parent / row["file_name"])
        name = uuid.uuid4().hex
        labels = {head: row[head] for head in ("pitch", "length")}
        said = Answered(dict(answer.labels), answer.confidence, live(registry).name, task="tones")
        store.add(Correction(request_id=name, labels=labels), said, keep_audio(data, outputs))
        made.append(name)
    return made


def accept_all(store: FeedbackStore) -> None:
    store.accept([row.id for row in store.rows()])


def settings(tones: Path, **changed: object) -> RetrainSettings:
    plain: dict[str, object] = {
        "task": "tones",
        "corrections": 20,
        "unreviewed": False,
        "dry_run": False,
        "test": str(tones),
        "workers": 1,
        "method": "fine_tune",
        "conditions": ConditionSettings(),
        "gate": GATE,
        "adapt": AdaptSettings(steps=80, batch_size=16, lr=3e-3, folds=0),
        "replay": ReplaySettings(manifest=str(tones)),
        "scratch": ScratchSettings(),
    }
    return RetrainSettings(**{**plain, **changed})  # type: ignore[arg-type]


def retraining(tones: Path, folder: Path, **changed: object) -> Retraining:
    outputs = folder / "out"
    store = FeedbackStore(default_url(outputs), outputs)
    return Retraining(outputs, store, settings(tones, **changed), lambda done, total: None)
