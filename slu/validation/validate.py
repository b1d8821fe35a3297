"""Everything together: tables, rows, recordings, copies; then a verdict for every file."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from slu.common.progress import progress_bar
from slu.exploration.cache import open_cache, read_clips
from slu.exploration.dataset import Dataset
from slu.exploration.duplicates import find_pairs
from slu.validation.copies import check_copies
from slu.validation.files import check_file
from slu.validation.findings import VERDICTS, Finding, Verdict, worst
from slu.validation.rows import check_labels, check_leaks, check_names, check_speakers
from slu.validation.settings import Limits
from slu.validation.tables import Labels, Listed, check_presence, finding_at, list_folder, list_table, not_listed


@dataclass(frozen=True)
class FileVerdict:
    file: Path
    table: Path | None
    line: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        return worst(self.findings)

    @property
    def is_table(self) -> bool:
        """It is about the table, or a row of it that names no recording."""
        return self.file == self.table


@dataclass(frozen=True)
class Validation:
    files: tuple[FileVerdict, ...]
    """Every row and every recording without one, and what was found about the tables, by table and line."""
    tables: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        return [finding for file in self.files for finding in file.findings]

    @property
    def verdict(self) -> Verdict:
        return worst(self.findings)

    @property
    def counts(self) -> dict[Verdict, int]:
        """Of recordings; what is about a table is not one of them."""
        verdicts = [file.verdict for file in self.files if not file.is_table]
        return {verdict: verdicts.count(verdict) for verdict in VERDICTS}

    @property
    def about_tables(self) -> str:
        """`1 error, 2 warnings`; empty where the tables themselves are in order."""
        grave: list[Verdict] = [finding.severity for file in self.files if file.is_table for finding in file.findings]
        counts = {severity: grave.count(severity) for severity in reversed(VERDICTS)}
        return ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for severity, n in counts.items() if n)


def validate(
    tables: Sequence[Path],
    folders: Sequence[Path],
    labels: Labels,
    group_columns: Sequence[str],
    limits: Limits,
    cache_folder: Path,
) -> Validation:
    """Copies are looked for in everything that is named; speakers within a table, for names mean something there only.

    Raises UserError for a table or a folder that is not there.
    """
    listed = [*(list_table(path, labels) for path in tables), *(list_folder(folder) for folder in folders)]
    found = [finding for item in listed for finding in _by_itself(item, group_columns)]
    found += not_listed([item for item in listed if item.path is not None])
    everything = _together(listed)
    with open_cache(cache_folder) as cache:
        with progress_bar("measuring") as progress:
            facts = read_clips(everything.audio, cache, progress)
        with progress_bar("comparing") as progress:
            pairs, _ = find_pairs(facts, everything.audio, cache, progress, limits.same_recording)
    for row, (path, clip) in enumerate(zip(everything.audio, facts, strict=True)):
        if path is not None and clip is not None:
            found += [finding_at(everything.table, row, kind, text) for kind, text in check_file(path, clip, limits)]
    found += check_copies(everything, facts, pairs)
    notes = () if labels.columns or not tables else ("Labels were not looked at: give menu=, spec= or heads=[…].",)
    return Validation(_by_file(everything.table, found), tuple(tables), notes)


def _by_itself(listed: Listed, group_columns: Sequence[str]) -> list[Finding]:
    if listed.path is None:
        return []
    path, table = listed.path, listed.rows.table
    if table.empty:
        return list(listed.findings)
    return [
        *listed.findings,
        *check_names(path, table.set_index(table["line"] - 2)),
        *check_labels(path, listed.rows),
        *check_speakers(path, table),
        *check_leaks(path, table, ["speaker", *group_columns]),
        *check_presence(listed),
    ]


def _together(listed: Sequence[Listed]) -> Dataset:
    tables = [item.rows.table for item in listed]
    table = pd.concat(tables, ignore_index=True).fillna("")
    heads: Mapping[str, tuple[str, ...]] = {name: c for item in listed for name, c in item.rows.heads.items()}
    return dataclasses.replace(
        listed[0].rows, table=table, audio=tuple(path for item in listed for path in item.rows.audio), heads=heads
    )


def _by_file(table: pd.DataFrame, findings: Sequence[Finding]) -> tuple[FileVerdict, ...]:
    """Rows keep their own verdict also where two tables name one file."""
    grouped: dict[tuple[str, int, str], list[Finding]] = {}
    for path, manifest, line in zip(table["path"], table["manifest"], table["line"], strict=True):
        grouped[(manifest, int(line), path)] = []
    for finding in findings:
        key = ("" if finding.table is None else str(finding.table), finding.line, str(finding.file))
        grouped.setdefault(key, []).append(finding)
    return tuple(
        FileVerdict(Path(path), Path(manifest) if manifest else None, line, tuple(of_file))
        for (manifest, line, path), of_file in sorted(grouped.items())
    )
