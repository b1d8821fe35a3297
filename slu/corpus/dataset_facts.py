"""`metadata.json`: what a data set holds, beside its table, for whoever finds the folder later.

It lies in the folder of an ingested corpus (beside `metadata.csv`) and in that of a table of features (beside
`metadata_features.csv`):

- `clips`, `recordings` (null unless clips were cut from recordings), `speakers` (null where unknown)
- `classes`: per head, clips per class; `classes_by_split`: the same per split, empty where there is none
- `clips_per_speaker`, `clips_per_split`
- `duration_s`: total, mean, min and max over the clips
- `split`: `speaker-disjoint`, `speakers leak: …` and so on, null where there is no split
- `settings`: those that made the data (front end, splits, segments, limits)
- `content_hash`: of audio, labels and splits; equal for equal data
- `versions`: of the libraries that decide what the numbers are
"""

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from slu.common.files import write_json
from slu.corpus.splits import describe_split

FILE = "metadata.json"
_LIBRARIES = ("slu", "numpy", "torch", "torchaudio", "soundfile", "soxr", "av", "noisereduce", "espeakng-loader")


def write_dataset_facts(
    folder: Path, table: pd.DataFrame, heads: Sequence[str], settings: Mapping[str, Any], content_hash: str
) -> None:
    """`table` is a manifest's, with `duration_s` of each clip."""
    write_json(folder / FILE, dataset_facts(table, heads, settings, content_hash))


def dataset_facts(
    table: pd.DataFrame, heads: Sequence[str], settings: Mapping[str, Any], content_hash: str
) -> dict[str, Any]:
    durations = table["duration_s"].astype(float)
    splits = _counts(table, "split")
    known = {name: set(table[name]) - {""} for name in ("recording", "speaker") if name in table.columns}
    return {
        "clips": len(table),
        "recordings": len(known.get("recording", ())) or None,
        "speakers": len(known.get("speaker", ())) or None,
        "classes": {head: _counts(table, head) for head in heads},
        "classes_by_split": {
            split: {head: _counts(table[table["split"] == split], head) for head in heads} for split in splits
        },
        "clips_per_speaker": _counts(table, "speaker"),
        "clips_per_split": splits,
        "duration_s": {
            "total": round(float(durations.sum()), 3),
            "mean": round(float(durations.mean()), 3),
            "min": float(durations.min()),
            "max": float(durations.max()),
        },
        "split": describe_split(table) if splits else None,
        "settings": dict(settings),
        "content_hash": content_hash,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
    }


def _counts(table: pd.DataFrame, column: str) -> dict[str, int]:
    values: Iterable[str] = table[column] if column in table.columns else ()
    return dict(sorted(Counter(value for value in values if value).items()))
