"""A table read row by row: what breaks one row costs that row, not the table, and every row keeps its line."""

import csv
import difflib
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from slu.common.errors import UserError
from slu.corpus.manifest import FIRST_LINE, normalised
from slu.corpus.spreadsheets import meant_header, no_columns, separator, with_slashes
from slu.spec import Head
from slu.validation.findings import Finding


def read_rows(path: Path, heads: Sequence[Head], wanted: Sequence[str] = ()) -> tuple[pd.DataFrame, list[Finding]]:
    """The normalised rows that have as many fields as the header or fewer, and what is wrong with the others.

    The index counts lines as `slu.corpus.manifest` does; the table is empty when it cannot be read at all.
    `wanted` are columns that there should be beside `file_name`. Raises UserError when there is no file.
    """
    text, found = _text(path)
    if found:
        return _empty(), found
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(io.StringIO(text).readline()), strict=True)
    header: list[str] = []
    rows: dict[int, list[str]] = {}
    try:
        header = meant_header(next(reader, []), wanted)
        if problem := _header_problem(header):
            return _empty(), [Finding("no table", path, problem, path, 1)]
        line = reader.line_num + 1
        for row in reader:
            detail = f"{len(row)} fields, the header has {len(header)}"
            if len(row) > len(header):
                found.append(Finding("more fields", _file(path, header, row), detail, path, line))
            elif any(row):
                if len(row) < len(header):
                    found.append(Finding("fewer fields", _file(path, header, row), detail, path, line))
                rows[line - FIRST_LINE] = row + [""] * (len(header) - len(row))
            line = reader.line_num + 1
    except csv.Error as error:
        found.append(Finding("no table", path, f"it cannot be read on from here: {error}", path, reader.line_num))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=header, dtype=str)
    missing = [name for name in ("file_name", *wanted) if name not in header]
    if missing:
        found.append(Finding("no column", path, _missing(missing, header), path, 1))
    if "file_name" in missing:
        return _empty(), found
    if table.empty and not found:
        found.append(Finding("no table", path, "there are no rows", path, 1))
    return normalised(table, heads), found


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=["file_name"], dtype=str)


def _file(path: Path, header: Sequence[str], row: Sequence[str]) -> Path:
    place = header.index("file_name") if "file_name" in header else len(row)
    return path.parent / with_slashes(row[place]) if place < len(row) and row[place] else path


def _text(path: Path) -> tuple[str, list[Finding]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"there is no manifest at {path}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}") from None
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return "", [Finding("no table", path, "it is not in UTF-8", path, line)]


def _header_problem(header: Sequence[str]) -> str:
    if not any(header):
        return "it is empty"
    twice = sorted({name for name in header if header.count(name) > 1})
    return f"the header has two columns '{twice[0]}'" if twice else ""


def _missing(names: Sequence[str], header: Sequence[str]) -> str:
    near = {name: difflib.get_close_matches(name, header, 1) for name in names}
    nearest = [f"'{found[0]}' for '{name}'" for name, found in near.items() if found]
    hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
    return f"there {'are' if len(names) > 1 else 'is'} {no_columns(names)}; there are {', '.join(header)}{hint}"
