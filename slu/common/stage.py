"""Stages that know whether their output is up to date.

A stage writes `stage.json` last, naming the fingerprint of everything that went in. A killed stage
has no record, a changed setting has another fingerprint: both are run again; an equal one is skipped.
"""

from pathlib import Path
from typing import Any

from slu.common.files import read_json, settings_hash, write_json

RECORD = "stage.json"


def fingerprint(**inputs: Any) -> str:
    return settings_hash(inputs)


def is_fresh(folder: Path, expected: str) -> bool:
    """Whether `folder` holds the finished output of a stage with exactly this fingerprint."""
    try:
        return bool(read_json(folder / RECORD).get("fingerprint") == expected)
    except (OSError, ValueError, AttributeError):
        return False


def mark_done(folder: Path, value: str, **facts: Any) -> None:
    """Record that the stage finished; `facts` (counts, seeds, inputs) are kept for the reader."""
    write_json(folder / RECORD, {"fingerprint": value, **facts})
