"""Corrections as a CSV for people and spreadsheets, which `slu.feedback.importing` reads back.

The columns that matter to people come first: timestamp, audio_path, and then per head predicted_…, actual_… and
confidence_…; the others follow.
"""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from slu.common.files import atomic_write
from slu.feedback.cells import safe
from slu.feedback.entries import Row

PREDICTED, ACTUAL, CONFIDENCE = "predicted_", "actual_", "confidence_"
TIMESTAMP, AUDIO_PATH = "timestamp", "audio_path"
TEXTS = ("comment", "request_id", "task", "model_version", "state", "reason", "audio_sha256", "client", "split")
NUMBERS = ("confidence", "duration_s", "level_db", "snr_db")
LISTS = ("flags", "used_in")
"""Separated by spaces."""
REVIEWED = "reviewed_at"
NONE = "not mentioned"
"""Of a label that is the class for that; an empty cell says nothing."""


def write_csv(rows: Sequence[Row], path: Path, outputs: Path) -> None:
    """`audio_path` is relative to the CSV, and empty where the file is gone."""
    with atomic_write(path) as file:
        write_rows(file, rows, path.parent, outputs)


def write_rows(file: IO[str], rows: Sequence[Row], folder: Path, outputs: Path) -> None:
    """`audio_path` is relative to `folder`, where the CSV is to lie."""
    heads = list(dict.fromkeys(name for row in rows for name in (*row.predicted, *row.actual)))
    per_head = [f"{kind}{name}" for kind in (PREDICTED, ACTUAL, CONFIDENCE) for name in heads]
    columns = [TIMESTAMP, AUDIO_PATH, *per_head, *TEXTS, *NUMBERS, *LISTS, REVIEWED]
    # RFC 4180's line ends: csv quotes a lone carriage return only where it is part of them.
    writer = csv.DictWriter(file, [safe(name) for name in columns], lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        cells = _cells(row, heads, folder, outputs)
        writer.writerow({safe(name): cell for name, cell in cells.items()})


def _cells(row: Row, heads: Sequence[str], folder: Path, outputs: Path) -> dict[str, Any]:
    cells: dict[str, Any] = {TIMESTAMP: row.received.isoformat()}
    if row.audio_path and (outputs / row.audio_path).is_file():
        cells[AUDIO_PATH] = safe(os.path.relpath(outputs / row.audio_path, folder))
    for kind, values in ((PREDICTED, row.predicted), (ACTUAL, row.actual)):
        cells |= {f"{kind}{name}": safe(label or NONE) for name, label in values.items()}
    cells |= {f"{CONFIDENCE}{name}": value for name, value in row.confidences.items() if name in heads}
    cells |= {name: safe(getattr(row, name) or "") for name in TEXTS}
    cells |= {name: "" if getattr(row, name) is None else getattr(row, name) for name in NUMBERS}
    cells |= {name: safe(" ".join(getattr(row, name))) for name in LISTS}
    return cells | {REVIEWED: row.reviewed_at.isoformat() if row.reviewed_at else ""}


def heads_of(columns: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """By kind, the heads that have a column of it, with the column's name."""
    return {
        kind: {name.removeprefix(kind): name for name in columns if name.startswith(kind) and name != kind}
        for kind in (PREDICTED, ACTUAL, CONFIDENCE)
    }
