"""What can be wrong with a table, a row or a recording, how grave that is, and what cures it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]
Verdict = Literal["ok", "warning", "error"]
VERDICTS: tuple[Verdict, ...] = ("ok", "warning", "error")
"""The mildest first."""


@dataclass(frozen=True)
class Kind:
    severity: Severity
    cure: str


def _error(cure: str) -> Kind:
    return Kind("error", cure)


def _warning(cure: str) -> Kind:
    return Kind("warning", cure)


KINDS: Mapping[str, Kind] = {
    # The table.
    "no table": _error("save it as 'CSV UTF-8', with a header"),
    "no column": _error("add what is missing, or correct the names in the header"),
    # Its rows.
    "more fields": _error("put texts with commas in quotes"),
    "fewer fields": _warning("write the commas of empty cells too; the row may be cut short"),
    "bad file name": _error("give the path below the table's folder"),
    "listed twice": _error("keep one of the rows"),
    "name clash": _error("rename one: Windows and macOS take them for one file"),
    "unknown split": _error("write train, val or test"),
    "no split": _error("fill it, or empty the whole column: then whole speakers are drawn"),
    "unknown label": _error("correct the label, or add the class to the menu"),
    "no label": _error("label it, or take the row out"),
    "label spelling": _warning("write the label in one way"),
    "no speaker": _warning("fill the speaker column: without it nobody can tell whether speakers leak"),
    "nobody to split by": _error("fill it, or write every row's split: a training splits by speaker"),
    "speaker spelling": _warning("write the name in one way: else a leak goes unseen"),
    "speaker leak": _error("keep all clips of a speaker on one side of the split"),
    "recording leak": _error("keep all that belongs together on one side of the split"),
    "not listed": _warning("give it a row, or take the file away"),
    # The recordings.
    "no file": _error("add the file, or take the row out"),
    "empty file": _error("copy it again"),
    "pointer": _error("fetch the recording itself with git lfs pull (in a workflow: checkout with lfs: true)"),
    "unreadable": _error("export it as WAV or FLAC"),
    "cut short": _error("copy or upload it again"),
    "wrong suffix": _warning("rename it after its format"),
    "low rate": _error("record at 16 kHz"),
    "too short": _error("record it again, or lower min_duration_s"),
    "too long": _error("cut it, or raise max_duration_s"),
    "silent": _error("record it again: is the microphone on?"),
    "quiet": _warning("listen to it; record nearer to the microphone"),
    "mostly silence": _warning("listen to it; trim it, or record it again"),
    "clipped": _error("record it again with less gain"),
    # Copies.
    "copy across splits": _error("keep one of them, or both on one side of the split"),
    "near copy across splits": _error("keep one of them, or both on one side of the split"),
    "copy": _warning("keep one of them"),
    "near copy": _warning("listen to both; keep one of them"),
    "different labels": _error("listen to it, and keep the row that is right"),
}


@dataclass(frozen=True)
class Finding:
    kind: str
    """One of KINDS."""
    file: Path
    """The recording, or the table where it is about the table."""
    detail: str
    table: Path | None = None
    line: int = 0
    """Of the table, whose header is line 1; 0 for a recording that no table lists."""

    @property
    def severity(self) -> Severity:
        return KINDS[self.kind].severity

    @property
    def cure(self) -> str:
        return KINDS[self.kind].cure

    @property
    def place(self) -> tuple[Path, int]:
        """File and line to be mended: of the table where there is a row, else the recording itself."""
        return (self.file, 1) if self.table is None else (self.table, max(1, self.line))


def worst(findings: Iterable[Finding]) -> Verdict:
    return max((finding.severity for finding in findings), key=VERDICTS.index, default="ok")
