"""What a bundle says of the one that it was adapted from."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slu.adaptation.adapt import Adapted
from slu.adaptation.clips import Clips
from slu.adaptation.settings import AdaptSettings
from slu.bundles import Bundle
from slu.common.files import settings_hash
from slu.training.feature_store import audio_digest
from slu.training.provenance import training_record


def data_hash(bundle: Bundle, own: Clips | None, heard: Clips | None) -> str:
    """Of the clips, their labels, and what the bundle was trained on before."""
    parts: list[Any] = [bundle.metrics.get("data") or bundle.version]
    for clips in (own, heard):
        if clips is not None:
            labels = [clips.table[name] for name in clips.spec.head_names if name in clips.table.columns]
            digests = [audio_digest(path) for path in clips.table["feature_path"]]
            parts.append(sorted(zip(digests, *labels, strict=True)))
    return settings_hash(parts)


def adapted_metrics(
    bundle: Bundle, adapted: Adapted, own: Clips | None, heard: Clips | None, settings: AdaptSettings, run: Path
) -> dict[str, Any]:
    """The content of `metrics.json`. The parent's test figures are not this network's: it has none yet."""
    old = bundle.metrics
    chain = (old.get("adaptation") or {}).get("lineage", [])
    kept = {key: old[key] for key in ("split", "leaking_speakers", "manifest", "parameters", "decision") if key in old}
    return {
        "objective": None,  # measured before, on other clips; so the newest of equal data counts as best
        "validation": {},
        "test": {},
        **kept,
        "data": data_hash(bundle, own, heard),
        "parent": bundle.version,
        "cpu_s": adapted.facts["cpu_s"],
        "run": str(run),
        "adaptation": {
            "parent": bundle.version,
            "lineage": [*chain, bundle.version],
            "manifest": None if own is None else str(own.path),
            "unlabelled": None if heard is None else str(heard.path.parent),
            **adapted.facts,
            "changes": [row.to_json() for row in adapted.changes],
            "settings": asdict(settings),
        },
    }


def adapted_record(bundle: Bundle, own: Clips | None, heard: Clips | None) -> dict[str, Any]:
    """The content of `training.json`: clips and speakers of the parent, and those that came now."""
    old: Mapping[str, Any] = bundle.training
    record = {"split": "unknown", "leaking_speakers": [], **old}
    for clips in (own, heard):
        if clips is not None:
            new = training_record(clips.table.assign(split="train"))
            for name in ("clips", "speakers"):
                record[name] = sorted({*record.get(name, ()), *new[name]})
    return record
