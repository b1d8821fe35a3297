"""One line of a CSV of corrections as a row for the database, or a sentence on what is wrong with it."""

import datetime
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.feedback.audio import split_of
from slu.feedback.cells import raw
from slu.feedback.entries import REQUEST_ID, storable, unknown_label
from slu.feedback.export import (
    ACTUAL,
    AUDIO_PATH,
    CONFIDENCE,
    LISTS,
    NONE,
    NUMBERS,
    PREDICTED,
    REVIEWED,
    TIMESTAMP,
    heads_of,
)
from slu.feedback.schema import ERASED, FLAGS, NEW, STATES
from slu.spec import NOT_MENTIONED

Heads = Callable[[str], Mapping[str, list[str]]]
"""From a task, which may be empty, to its heads with their classes. Raises ValueError with a sentence."""
_LONGEST = {"comment": 500, "model_version": 100, "task": 100, "reason": 40, "client": 32}
_REQUEST = re.compile(REQUEST_ID)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Line:
    row: dict[str, Any]
    audio: str | Path | None
    """As the line names it, and then the file that it is."""


def read_line(cells: Mapping[str, str], heads: Heads, keep_states: bool) -> Line:
    """`cells` by column. Raises ValueError with what is wrong and its cure.

    Without `keep_states`, a row is new, whoever accepted it elsewhere; what was erased stays so.
    """
    values = {name: storable(raw(cell)) for name, cell in cells.items()}
    for name, longest in _LONGEST.items():
        if len(values.get(name, "")) > longest:
            raise ValueError(f"{name} has more than {longest} characters")
    labels = _labels(values, heads)
    text = {name: values.get(name, "").strip() for name in (*_LONGEST, "state", "audio_sha256", "request_id", REVIEWED)}
    state = text["state"].lower() or NEW
    if state not in STATES:
        raise ValueError(f"state '{state[:50]}' is not one of {', '.join(STATES)}")
    flags, used_in = (values.get(name, "").split() for name in LISTS)
    if unknown := [flag for flag in flags if flag not in FLAGS]:
        raise ValueError(f"flags: '{unknown[0][:50]}' is not one of {', '.join(FLAGS)}")
    if text["audio_sha256"] and not _SHA256.fullmatch(text["audio_sha256"]):
        raise ValueError("audio_sha256 is not 64 hexadecimal digits; leave it empty where it is not known")
    audio = values.get(AUDIO_PATH, "").strip() if state != ERASED else ""
    kept = keep_states or state == ERASED
    digest = text["audio_sha256"] or None if state != ERASED else None
    return Line(
        {
            "request_id": _request_id(text["request_id"], cells),
            "received": _received(values.get(TIMESTAMP, "")),
            "model_version": text["model_version"],
            "comment": values.get("comment", ""),
            "task": text["task"] or None,
            "reason": text["reason"] or None,
            "client": text["client"] or None,
            **labels,
            **{name: _number(values.get(name, ""), name) for name in NUMBERS},
            "audio_sha256": digest,
            "audio_path": None,
            "audio_digest": None,
            "split": split_of(digest) if digest else None,
            "flags": [name for name in FLAGS if name in flags],
            "state": state if kept else NEW,
            "used_in": used_in if kept else [],
            "reviewed_at": _time(text[REVIEWED], REVIEWED) if kept else None,
        },
        audio or None,
    )


def _labels(values: Mapping[str, str], heads: Heads) -> dict[str, Any]:
    """What the corrector left empty is as it was predicted."""
    known = heads(values.get("task", "").strip())
    columns = heads_of(list(values))
    given = {kind: {name: values[cell].strip() for name, cell in columns[kind].items()} for kind in columns}
    predicted, actual = (_filled(given[kind], known) for kind in (PREDICTED, ACTUAL))
    if not actual:
        raise ValueError(f"it says of no head what was right; fill one of {', '.join(columns[ACTUAL].values())}")
    # What was predicted may be of an older model with other classes; what is to be learned may not.
    actual = {**predicted, **actual}
    if problem := unknown_label(actual, known):
        raise ValueError(f"{problem.replace('the model', 'the task')}; correct it, or name another task with task=")
    numbers = {name: _number(cell, f"{CONFIDENCE}{name}") for name, cell in given[CONFIDENCE].items()}
    confidences = {name: value for name, value in numbers.items() if value is not None}
    for name, value in confidences.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{CONFIDENCE}{name} is {value:g}, and lies between 0 and 1")
    return {"predicted": predicted, "actual": actual, "confidences": confidences}


def _filled(labels: Mapping[str, str], known: Mapping[str, list[str]]) -> dict[str, str]:
    filled = {name: normalised(label) for name, label in labels.items() if label}
    none = {name for name, label in filled.items() if label == NONE and NOT_MENTIONED in known.get(name, ())}
    return {name: NOT_MENTIONED if name in none else label for name, label in filled.items()}


def normalised(label: str) -> str:
    """The 1.0 that spreadsheets make of a 1 is a 1, as in a manifest."""
    return re.sub(r"^(\d+)\.0+$", r"\1", label)


def find_audio(cell: str, folder: Path) -> Path:
    """The file, from `folder` on; Windows' separators are read, too. Raises ValueError where it is not there."""
    for name in (cell, cell.replace("\\", "/")):
        if (path := folder / name).is_file():
            return path
    raise ValueError(
        f"there is no audio at '{cell[:200]}'; correct audio_path (relative to the CSV), or leave it empty"
    )


def _request_id(given: str, cells: Mapping[str, str]) -> str:
    """Of a table without, one made from the row: read a second time, it is the same row."""
    if not given:
        return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:32]
    if not _REQUEST.fullmatch(given):
        raise ValueError(f"request_id '{given[:50]}' is not 32 hexadecimal digits; leave it empty where there is none")
    return given


def _time(cell: str, name: str) -> datetime.datetime | None:
    """UTC where the cell names no zone."""
    if not cell.strip():
        return None
    try:
        time = datetime.datetime.fromisoformat(cell.strip())
        return time.astimezone(datetime.UTC) if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} '{cell[:50]}' is not a time; write it as 2026-01-31 12:00:00") from None


def _received(cell: str) -> datetime.datetime:
    time = _time(cell, TIMESTAMP)
    if time is None:
        raise ValueError(f"{TIMESTAMP} is empty; write a time as 2026-01-31 12:00:00")
    return time


def _number(cell: str, name: str) -> float | None:
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{name} '{cell[:50]}' is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} '{cell[:50]}' is not a finite number")
    return value
