"""Verdicts for programs and spreadsheets, and as annotations on the lines of a pull request."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slu.common.files import atomic_write, from_here, write_json
from slu.validation.findings import KINDS, VERDICTS, Finding
from slu.validation.validate import FileVerdict, Validation

_COLUMNS = ("verdict", "file", "table", "line", "kinds", "details", "cures")


def write_verdicts(folder: Path, validation: Validation) -> None:
    """`verdicts.json` and `verdicts.csv`: every file that was looked at, and what is about a table."""
    write_json(folder / "verdicts.json", to_json(validation))
    with atomic_write(folder / "verdicts.csv") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_row(verdict) for verdict in validation.files)


def to_json(validation: Validation) -> dict[str, Any]:
    return {
        "verdict": validation.verdict,
        "tables": [str(path) for path in validation.tables],
        "counts": validation.counts,
        "kinds": dict(Counter(finding.kind for finding in validation.findings).most_common()),
        "notes": list(validation.notes),
        "files": [
            {
                "file": str(file.file),
                "table": None if file.table is None else str(file.table),
                "line": file.line or None,
                "verdict": file.verdict,
                "findings": [
                    {"kind": f.kind, "severity": f.severity, "detail": f.detail, "cure": f.cure} for f in file.findings
                ],
            }
            for file in validation.files
        ],
    }


def _row(file: FileVerdict) -> dict[str, str]:
    return {
        "verdict": file.verdict,
        "file": str(file.file),
        "table": str(file.table or ""),
        "line": str(file.line or ""),
        "kinds": "; ".join(finding.kind for finding in file.findings),
        "details": "; ".join(finding.detail for finding in file.findings),
        "cures": "; ".join(dict.fromkeys(finding.cure for finding in file.findings)),
    }


def by_kind(validation: Validation) -> list[tuple[str, list[Finding]]]:
    """Errors first, each kind with its findings."""
    kinds: dict[str, list[Finding]] = {}
    for finding in validation.findings:
        kinds.setdefault(finding.kind, []).append(finding)
    grave = {kind: VERDICTS.index(KINDS[kind].severity) for kind in kinds}
    return sorted(kinds.items(), key=lambda item: (-grave[item[0]], list(KINDS).index(item[0])))


def where(finding: Finding) -> str:
    """`metadata.csv:12 (audio/a.wav)`, or the recording alone."""
    if finding.table is None:
        return str(finding.file)
    place = f"{finding.table}:{finding.line}"
    if finding.file == finding.table:
        return place
    folder, file = finding.table.parent, finding.file
    return f"{place} ({file.relative_to(folder) if file.is_relative_to(folder) else file})"


def github_annotations(validation: Validation) -> Iterator[str]:
    """Workflow commands of GitHub Actions, errors first, for it shows ten of a kind per step.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
    """
    for kind, findings in by_kind(validation):
        for finding in findings:
            path, line = finding.place
            file = _property(from_here(path.absolute()).as_posix())
            name = "" if finding.file == path else f"{finding.file.name}: "
            message = _data(f"{name}{finding.detail}; {finding.cure}")
            yield f"::{finding.severity} file={file},line={line},title={_property(kind)}::{message}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
