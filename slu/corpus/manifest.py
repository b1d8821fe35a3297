"""The manifest: one CSV row per utterance, in the AudioFolder convention.

`file_name` is relative to the CSV; one column per head holds the label (empty: not labelled, or not mentioned, see
slu.corpus.labels); `speaker`, `split` (train, val or test), `text` and `source` are optional; other columns are
carried along. What spreadsheets and Windows write otherwise is in slu.corpus.spreadsheets.
"""

import csv
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
import pandera.pandas as pa

from slu.common.errors import UserError
from slu.common.files import atomic_write
from slu.corpus.spreadsheets import meant_header, no_columns, separator, twice, with_slashes
from slu.spec import Head

SPLITS = ("train", "val", "test")
SPLIT_NAMES = {"dev": "val", "valid": "val", "validation": "val", "training": "train", "eval": "test"}
FIRST_LINE = 2
"""Of the rows: line 1 is the header."""


@dataclass(frozen=True)
class Manifest:
    """A validated table; `table["file_name"]` is relative to `folder`. Labels are strings, empty when unknown."""

    path: Path
    table: pd.DataFrame

    @property
    def folder(self) -> Path:
        return self.path.parent

    def audio_path(self, row: int) -> Path:
        return self.folder / str(self.table["file_name"].iloc[row])

    def where(self, row: int) -> str:
        """`metadata.csv:12 (audio/a.wav)`, for messages; `row` counts from 0 in the table as read."""
        return f"{self.path}:{int(self.table.index[row]) + FIRST_LINE} ({self.table['file_name'].iloc[row]})"


def read_manifest(
    path: Path, heads: Sequence[Head] = (), *, require_heads: bool = True, labels: Sequence[str] = ()
) -> Manifest:
    """Read and validate. With `heads`, their labels must be known classes; every head needs its column
    unless `require_heads` is False (then at least one must be there). `labels` are columns that are looked for
    afterwards: they are found in another case, too.

    Raises UserError naming the file, the line and the column of the first thing that is wrong.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
        between = separator(header)
        if name := twice(next(csv.reader([header], delimiter=between), [])):
            raise UserError(f"{path} has two columns '{name}'; take one of them out, or rename it")
        # `index_col=False`: rows that are longer than the header must not turn file names into an index.
        # Blank lines are read and then dropped, so that the index keeps counting lines.
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                sep=between,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                index_col=False,
                skip_blank_lines=False,
            )
        table = table[(table != "").any(axis=1)]
    except FileNotFoundError:
        raise UserError(f"there is no manifest at {path}") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; name the CSV in it, as in {path}/metadata.csv") from None
    except pd.errors.ParserWarning:
        raise UserError(f"{path} has rows with more fields than its header") from None
    except pd.errors.EmptyDataError:
        raise UserError(f"{path} is empty") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not in UTF-8; save it as 'CSV UTF-8'") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV table: {str(error).strip()}") from None
    if table.empty:
        raise UserError(f"{path} has no rows")
    names = [head.name for head in heads]
    table.columns = pd.Index(meant_header([str(name) for name in table.columns], [*names, *labels]))
    _require_columns(path, list(table.columns), names, require_heads)
    table = normalised(table, heads)
    _require_none(path, row_problems(table, heads))
    return Manifest(path, table)


def _require_columns(path: Path, columns: Sequence[str], heads: Sequence[str], require_heads: bool) -> None:
    missing = [name for name in heads if name not in columns]
    missing = missing if require_heads or len(missing) == len(heads) else []
    why = f", and each head ({', '.join(heads)}) needs one" if missing else ""
    if "file_name" not in columns:
        missing = ["file_name", *missing]
    if missing:
        raise UserError(f"{path} has {no_columns(missing)}; its columns are {', '.join(columns)}{why}")


def normalised(table: pd.DataFrame, heads: Sequence[Head]) -> pd.DataFrame:
    """Names, labels, speakers and splits as they are meant: `/` between folders, trimmed, in one spelling of each
    split, numbers without `.0`. The table needs a column `file_name`."""
    columns = {head.name: table[head.name].map(normalise_label) for head in heads if head.name in table.columns}
    columns["file_name"] = table["file_name"].map(with_slashes)
    if "speaker" in table.columns:
        columns["speaker"] = table["speaker"].str.strip()
    if "split" in table.columns:
        columns["split"] = table["split"].str.strip().str.lower().replace(SPLIT_NAMES)
    return table.assign(**columns)


def normalise_label(value: str) -> str:
    """Trim, and read the 1.0 that spreadsheets make of a 1 as 1."""
    value = value.strip()
    return re.sub(r"^(\d+)\.0+$", r"\1", value)


def _is_inside(name: str) -> bool:
    place = PurePosixPath(name)
    return not (place.is_absolute() or ".." in place.parts or re.match(r"^[A-Za-z]:", name))


def _schema(heads: Sequence[Head]) -> pa.DataFrameSchema:
    columns = {
        "file_name": pa.Column(
            str,
            [
                pa.Check.str_length(min_value=1, error="is empty"),
                pa.Check(lambda s: s.map(_is_inside), error="is a path outside the manifest's folder"),
            ],
            unique=True,
        ),
        "split": pa.Column(
            str, pa.Check.isin(["", *SPLITS], error=f"is not one of {', '.join(SPLITS)}"), required=False
        ),
        "speaker": pa.Column(str, required=False),
    }
    for head in heads:
        known = ", ".join(label for label in head.classes if label)
        check = pa.Check.isin(["", *head.classes], error=f"is not one of the classes {known}")
        columns[head.name] = pa.Column(str, check, required=False)
    return pa.DataFrameSchema(columns)


@dataclass(frozen=True)
class RowProblem:
    """A cell that breaks the rules of a manifest."""

    line: int
    """Of the file, whose header is line 1."""
    column: str
    value: str
    problem: str
    """What is said of the value, as in `is not one of train, val, test`."""
    lines: tuple[int, ...] = ()
    """Where a value stands more than once, all of its lines."""


def row_problems(table: pd.DataFrame, heads: Sequence[Head]) -> list[RowProblem]:
    """Everything that is wrong with the cells of a normalised table, by line; the index counts lines from 2.

    The table needs a column `file_name`.
    """
    try:
        _schema(heads).validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.sort_values("index", kind="stable")
        return [_row_problem(table, case) for _, case in cases.iterrows()]
    return []


def _row_problem(table: pd.DataFrame, case: pd.Series) -> RowProblem:
    line, column, value, problem = int(case["index"]) + FIRST_LINE, case["column"], case["failure_case"], case["check"]
    if problem != "field_uniqueness":
        return RowProblem(line, column, value, problem)
    lines = tuple(sorted(int(twin) + FIRST_LINE for twin in table.index[table[column] == value]))
    listed = " and ".join(str(twin) for twin in lines)
    return RowProblem(line, column, value, f"stands in more than one row (lines {listed})", lines)


def _require_none(path: Path, problems: Sequence[RowProblem]) -> None:
    if problems:
        first = problems[0]
        more = len({problem.line for problem in problems} - {first.line, *first.lines})
        raise UserError(
            f"{path}:{first.line}: column '{first.column}': '{first.value}' {first.problem}"
            + (f" (and {more} more bad rows)" if more else "")
        )


def write_manifest(path: Path, table: pd.DataFrame) -> None:
    with atomic_write(path) as file:
        table.to_csv(file, index=False)


def infer_heads(manifest: Manifest, names: Sequence[str], label_maps: dict[str, str] | None = None) -> tuple[Head, ...]:
    """Heads whose classes are the distinct labels of their columns; numbers sort as numbers.

    Raises UserError for a missing column or one with fewer than two labels.
    """
    heads = []
    if missing := [name for name in names if name not in manifest.table.columns]:
        those = "the head of that name" if len(missing) == 1 else "the heads of those names"
        columns = ", ".join(manifest.table.columns)
        raise UserError(f"{manifest.path} has {no_columns(missing)} for {those}; its columns are {columns}")
    for name in names:
        labels = sorted({normalise_label(v) for v in manifest.table[name]} - {""}, key=_natural)
        if len(labels) < 2:
            raise UserError(f"{manifest.path}: column '{name}' needs at least two different labels, it has {labels}")
        try:
            heads.append(Head(name, tuple(labels), (label_maps or {}).get(name, "")))
        except ValueError as error:
            raise UserError(f"{manifest.path}: {error}") from None
    return tuple(heads)


def _natural(label: str) -> tuple[bool, float, str]:
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", label) is not None
    return (not is_number, float(label) if is_number else 0.0, label)
