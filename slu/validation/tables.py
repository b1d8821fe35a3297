"""The tables and folders to look at, each as a data set whose rows know their line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from slu.common.errors import UserError
from slu.corpus.audio_finder import AUDIO_SUFFIXES
from slu.corpus.manifest import FIRST_LINE, SPLITS, normalise_label
from slu.exploration.dataset import Dataset, completed
from slu.spec import Head
from slu.validation.findings import Finding
from slu.validation.reading import read_rows
from slu.validation.rows import check_rows

TABLE = "metadata.csv"
_BESIDE = (".csv", ".json", ".jsonl", ".txt", ".md", ".yaml", ".yml", ".html")
"""Of an audio folder, what is about the recordings."""
_UNUSABLE = ("bad file name", "listed twice")


@dataclass(frozen=True)
class Labels:
    """What a row is labelled with."""

    heads: tuple[Head, ...] = ()
    """With their classes."""
    names: tuple[str, ...] = ()
    """Columns whose classes nobody gave: any label will do."""

    @property
    def columns(self) -> list[str]:
        return [*(head.name for head in self.heads), *self.names]


@dataclass(frozen=True)
class Listed:
    """A table, or a folder of recordings without one (`path` is then None)."""

    path: Path | None
    rows: Dataset
    findings: tuple[Finding, ...] = ()


def find_tables(place: Path) -> list[Path]:
    """The table itself; of a folder every `metadata.csv` below. Raises UserError where there is none."""
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.rglob(TABLE) if not _is_hidden(path, place))
    if not found:
        raise UserError(f"there is no {TABLE} below {place}; name a table, or recordings alone by audio={place}")
    return found


def list_table(path: Path, labels: Labels) -> Listed:
    """Raises UserError when there is no such file."""
    table, found = read_rows(path, labels.heads, labels.columns)
    found += check_rows(path, table, labels.heads)
    unusable = {finding.line - FIRST_LINE for finding in found if finding.kind in _UNUSABLE}
    table = table[~table.index.isin(sorted(unusable))]
    cells = {name: table[name].map(normalise_label) for name in labels.names if name in table.columns}
    if "split" in table.columns:  # what is none was reported, and says nothing of who leaks where
        cells["split"] = table["split"].where(table["split"].isin(SPLITS), "")
    table = table.assign(**cells, line=table.index + FIRST_LINE, manifest=str(path))
    where = [f"{path}:{line} ({name})" for line, name in zip(table["line"], table["file_name"], strict=True)]
    heads = {head.name: head.classes for head in labels.heads} | dict.fromkeys(labels.names, ())
    present = {name: classes for name, classes in heads.items() if name in table.columns}
    return Listed(path, _dataset(path, table.assign(where=where), path.parent, present), tuple(found))


def list_folder(folder: Path) -> Listed:
    """Every file that is not about recordings. Raises UserError for a folder that is not there, or has none."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; correct audio=FOLDER")
    files = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _is_hidden(path, folder) and path.suffix.lower() not in _BESIDE
    ]
    if not files:
        raise UserError(f"there are no recordings below {folder}; correct audio=FOLDER")
    table = pd.DataFrame({"file_name": files, "line": 0, "manifest": ""}).assign(
        where=[str(folder / name) for name in files]
    )
    return Listed(None, _dataset(folder, table, folder, {}))


def _dataset(name: Path, table: pd.DataFrame, folder: Path, heads: dict[str, tuple[str, ...]]) -> Dataset:
    paths = [folder / str(file) for file in table["file_name"]]
    table = completed(table.assign(path=[str(path) for path in paths]))
    return Dataset(str(name), table, tuple(path if path.is_file() else None for path in paths), heads)


def _is_hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def check_presence(listed: Listed) -> Iterator[Finding]:
    """Rows without a file, and audio without a row in the folders of those that have one."""
    table = listed.rows.table
    for row, path in enumerate(listed.rows.audio):
        if path is None:
            yield finding_at(table, row, "no file", "there is no such file")


def not_listed(tables: Sequence[Listed]) -> Iterator[Finding]:
    """Audio that no table lists, in the folders of the audio that one does."""
    named = {path.resolve() for listed in tables for path in listed.rows.audio if path is not None}
    named |= {finding.file.resolve() for listed in tables for finding in listed.findings}
    for listed in tables:
        if any(finding.kind == "no table" for finding in listed.findings):
            continue  # what it lists is not known
        for folder in sorted({path.parent for path in listed.rows.audio if path is not None}):
            for path in sorted(folder.iterdir()):
                is_audio = path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()
                if is_audio and path.resolve() not in named:
                    named.add(path.resolve())
                    yield Finding("not listed", path, f"no row of {listed.path} names it")


def finding_at(table: pd.DataFrame, row: int, kind: str, detail: str) -> Finding:
    """`row` counts from 0 in a data set's table."""
    entry = table.iloc[row]
    manifest = str(entry["manifest"])
    return Finding(kind, Path(entry["path"]), detail, Path(manifest) if manifest else None, int(entry["line"]))
