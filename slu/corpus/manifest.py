"""The manifest: one CSV row per utterance, in the AudioFolder convention.

`file_name` is relative to the CSV; one column per head holds the label (empty: not labelled, or not mentioned, see
slu.corpus.labels); `speaker`, `split` (train, val or test), `text` and `source` are optional; other columns are
carried along.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
import pandera.pandas as pa

from slu.common.errors import UserError
from slu.common.files import atomic_write
from slu.spec import Head

SPLITS = ("train", "val", "test")
SPLIT_NAMES = {"dev": "val", "valid": "val", "validation": "val", "training": "train", "eval": "test"}
_FIRST_LINE = 2  # line 1 is the header


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
        return f"{self.path}:{int(self.table.index[row]) + _FIRST_LINE} ({self.table['file_name'].iloc[row]})"


def read_manifest(path: Path, heads: Sequence[Head] = (), *, require_heads: bool = True) -> Manifest:
    """Read and validate. With `heads`, their labels must be known classes; every head needs its column
    unless `require_heads` is False (then at least one must be there).

    Raises UserError naming the file, the line and the column of the first thing that is wrong.
    """
    try:
        _check_commas(path)
        # `index_col=False`: rows that are longer than the header must not turn file names into an index.
        # Blank lines are read and then dropped, so that the index keeps counting lines.
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False, skip_blank_lines=False
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
    except pd.errors.ParserError as error:
        raise UserError(f"{path} is not a CSV table: {str(error).strip()}") from None
    if table.empty:
        raise UserError(f"{path} has no rows")
    missing = [h.name for h in heads if h.name not in table.columns]
    if missing and (require_heads or len(missing) == len(heads)):
        raise UserError(
            f"{path} has no column '{missing[0]}'; its columns are {', '.join(table.columns)}, "
            f"and each head ({', '.join(h.name for h in heads)}) needs one"
        )
    for head in heads:
        if head.name in table.columns:
            table[head.name] = table[head.name].map(normalise_label)
    if "speaker" in table.columns:
        table["speaker"] = table["speaker"].str.strip()
    if "split" in table.columns:
        table["split"] = table["split"].str.strip().str.lower().replace(SPLIT_NAMES)
    _validate(path, table, heads)
    return Manifest(path, table)


def _check_commas(path: Path) -> None:
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    if ";" in header and "," not in header:
        raise UserError(f"{path}: fields are separated by ';'; save it with commas")


def normalise_label(value: str) -> str:
    """Trim, and read the 1.0 that spreadsheets make of a 1 as 1."""
    value = value.strip()
    return re.sub(r"^(\d+)\.0+$", r"\1", value)


def _is_inside(name: str) -> bool:
    place = PurePosixPath(name)
    return not (place.is_absolute() or ".." in place.parts or "\\" in name or re.match(r"^[A-Za-z]:", name))


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


def _validate(path: Path, table: pd.DataFrame, heads: Sequence[Head]) -> None:
    try:
        _schema(heads).validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        missing = cases[cases["check"] == "column_in_dataframe"]
        if len(missing):
            raise UserError(
                f"{path} has no column '{missing['failure_case'].iloc[0]}'; its columns are {', '.join(table.columns)}"
            ) from None
        cases = cases.sort_values("index", kind="stable")
        case = cases.iloc[0]
        line = int(case["index"]) + _FIRST_LINE
        lines, problem = {line}, str(case["check"])
        if case["check"] == "field_uniqueness":
            twins = table.index[table[case["column"]] == case["failure_case"]]
            lines = {int(twin) + _FIRST_LINE for twin in twins}
            problem = f"stands in more than one row (lines {' and '.join(str(twin) for twin in sorted(lines))})"
        more = len({int(index) + _FIRST_LINE for index in cases["index"]} - lines)
        raise UserError(
            f"{path}:{line}: column '{case['column']}': '{case['failure_case']}' {problem}"
            + (f" (and {more} more bad rows)" if more else "")
        ) from None


def write_manifest(path: Path, table: pd.DataFrame) -> None:
    with atomic_write(path) as file:
        table.to_csv(file, index=False)


def infer_heads(manifest: Manifest, names: Sequence[str], label_maps: dict[str, str] | None = None) -> tuple[Head, ...]:
    """Heads whose classes are the distinct labels of their columns; numbers sort as numbers.

    Raises UserError for a missing column or one with fewer than two labels.
    """
    heads = []
    for name in names:
        if name not in manifest.table.columns:
            raise UserError(
                f"{manifest.path} has no column '{name}' for the head of that name; "
                f"its columns are {', '.join(manifest.table.columns)}"
            )
        labels = sorted({normalise_label(v) for v in manifest.table[name]} - {""}, key=_natural)
        if len(labels) < 2:
            raise UserError(f"{manifest.path}: column '{name}' needs at least two different labels, it has {labels}")
        heads.append(Head(name, tuple(labels), (label_maps or {}).get(name, "")))
    return tuple(heads)


def _natural(label: str) -> tuple[bool, float, str]:
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", label) is not None
    return (not is_number, float(label) if is_number else 0.0, label)
