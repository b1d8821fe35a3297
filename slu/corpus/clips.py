"""Candidate clips: what every reader of a source yields.

A reader never opens audio. It lists clips with their labels and the paths under which their audio may lie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from slu.common.errors import UserError

Label = Annotated[str, Field(coerce_numbers_to_str=True)]
"""In settings: YAML reads a class named 1 as a number."""

Kind = Literal[
    "missing audio",
    "ambiguous audio",
    "unreadable",
    "silent",
    "duration",
    "duplicate",
    "conflicting labels",
    "bad label",
    "no label",
    "no speaker",
    "bad row",
]


@dataclass(frozen=True)
class Reason:
    kind: Kind
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


class ClipError(Exception):
    """The clip at hand cannot be used; the rest of the source can."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.reason = Reason(kind, detail)


@dataclass(frozen=True)
class Rejection:
    source: str
    file: str
    reason: Reason


@dataclass(frozen=True)
class Clip:
    """One utterance as its source lists it. Labels are normalised strings, empty when unknown."""

    key: str
    """Unique within the source; the accepted file is named after it."""
    labels: Mapping[str, str]
    source: str
    """The files and lines that it comes from."""
    paths: tuple[str, ...]
    """Where its audio may lie, as written in the source; earlier ones are tried first."""
    speaker: str = ""
    split: str = ""
    text: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    problem: Reason | None = None
    """Set when the source itself rules the clip out."""


@dataclass(frozen=True)
class Source:
    """Everything a reader found: clips in a stable order, and the rows that are not even a clip."""

    clips: tuple[Clip, ...]
    audio: Path
    """The folder in which the clips' paths are looked up."""
    tables: tuple[Path, ...] = ()
    """Files whose content the clips were read from."""
    rows: int = 0
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader wants the user to know."""


def require_folder(folder: Path, setting: str) -> Path:
    """The absolute path. Raises UserError naming the setting when there is no such folder."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; correct {setting}=FOLDER")
    return folder
