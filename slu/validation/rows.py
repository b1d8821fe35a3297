"""What a table says by itself: names, labels, speakers and splits, before any audio is opened."""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from slu.corpus.manifest import FIRST_LINE, SPLITS, row_problems
from slu.exploration.dataset import Dataset
from slu.exploration.set_aside import empty_cells_are_common, without_label
from slu.spec import Head
from slu.validation.findings import Finding

_KINDS = {"file_name": "bad file name", "split": "unknown split"}


def check_rows(path: Path, table: pd.DataFrame, heads: Sequence[Head]) -> list[Finding]:
    """Against the manifest's rules and the heads' classes, which are not looked at where a head has none of its own."""
    found = []
    for problem in row_problems(table, heads):
        if problem.lines:
            if problem.line == problem.lines[0]:
                continue
            kind, detail = "listed twice", f"it {problem.problem}"
        else:
            kind = _KINDS.get(problem.column, "unknown label")
            near = _nearest(problem.value, next((h.classes for h in heads if h.name == problem.column), ()))
            detail = f"{problem.column} '{problem.value}' {problem.problem}{near}"
        found.append(_at(path, table, problem.line - FIRST_LINE, kind, detail))
    if "split" in table.columns and (table["split"] != "").any():
        found += [
            _at(path, table, i, "no split", "its split is empty, and others have one") for i in _empty(table, "split")
        ]
    return found


def _empty(table: pd.DataFrame, column: str) -> list[int]:
    return [int(str(index)) for index in table.index[table[column] == ""]]


def check_names(path: Path, table: pd.DataFrame) -> Iterator[Finding]:
    """Names that differ, but not on every system."""
    first: dict[str, tuple[str, int]] = {}
    for index, name in table["file_name"].items():
        other, line = first.setdefault(name.casefold(), (name, int(str(index)) + FIRST_LINE))
        if other != name:
            detail = f"differs only in case from {other} (line {line})"
            yield _at(path, table, int(str(index)), "name clash", detail)


def check_labels(path: Path, dataset: Dataset) -> Iterator[Finding]:
    """Rows without any label, unless they are so many that it means something; one label in two spellings."""
    table = dataset.table
    if dataset.heads and not empty_cells_are_common(dataset):
        for row, empty in enumerate(without_label(dataset)):
            if empty:
                yield _row(path, table, row, "no label", f"nothing says its {' or '.join(dataset.heads)}")
    for head in dataset.heads:
        for row, detail in _spelled_otherwise(table[head]):
            yield _row(path, table, row, "label spelling", f"{head} {detail}")


def check_speakers(path: Path, table: pd.DataFrame) -> Iterator[Finding]:
    if not (table["speaker"] != "").any():
        yield Finding("no speaker", path, "nothing says who speaks", path, 1)
        return
    split = "split" in table.columns and bool((table["split"] != "").any())
    for row in [row for row, speaker in enumerate(table["speaker"]) if not speaker]:
        if split:
            yield _row(path, table, row, "no speaker", "its speaker is empty")
        else:
            detail = "its speaker is empty, no row has a split, and others have a speaker"
            yield _row(path, table, row, "nobody to split by", detail)
    for row, detail in _spelled_otherwise(table["speaker"]):
        yield _row(path, table, row, "speaker spelling", f"speaker {detail}")


def check_leaks(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> Iterator[Finding]:
    """Of speakers, and of what else belongs together: the side with most of the clips keeps them, the others leak."""
    for column in columns:
        if column not in table.columns:
            continue
        known = table[(table[column] != "") & (table["split"] != "")]
        for value, rows in known.groupby(column, sort=False):
            counts = Counter(rows["split"])
            home = max(SPLITS, key=lambda side, counts=counts: counts[side])  # type: ignore[misc]
            first = rows.index[rows["split"] == home][0]
            kind = "speaker leak" if column == "speaker" else "recording leak"
            for row in rows.index[rows["split"] != home]:
                detail = (
                    f"{column} '{value}' is in {rows.loc[row, 'split']} here and in {home} with {counts[home]} "
                    f"{'clip' if counts[home] == 1 else 'clips'}, the first on line {table.loc[first, 'line']}"
                )
                yield _row(path, table, int(row), kind, detail)


def _spelled_otherwise(values: pd.Series) -> Iterator[tuple[int, str]]:
    """Rows whose value is another's but for case and spaces, and not its commonest spelling."""
    spellings: dict[str, Counter[str]] = {}
    for value in values[values != ""]:
        spellings.setdefault(_plain(value), Counter())[value] += 1
    several = {plain: counts.most_common(1)[0] for plain, counts in spellings.items() if len(counts) > 1}
    for row, value in enumerate(values):
        usual, count = several.get(_plain(value), (value, 0))
        if value != usual:
            yield row, f"'{value}' is '{usual}' in {count} other {'row' if count == 1 else 'rows'}"


def _plain(value: str) -> str:
    return " ".join(value.casefold().split())


def _nearest(value: str, classes: Iterable[str]) -> str:
    near = difflib.get_close_matches(value, [label for label in classes if label], 1)
    return f"; nearest: {near[0]}" if near else ""


def _at(path: Path, table: pd.DataFrame, index: int, kind: str, detail: str) -> Finding:
    name = str(table.loc[index, "file_name"])
    return Finding(kind, path.parent / name if name else path, detail, path, index + FIRST_LINE)


def _row(path: Path, table: pd.DataFrame, row: int, kind: str, detail: str) -> Finding:
    """`table` is numbered from 0, with its lines in a column."""
    return Finding(kind, path.parent / str(table["file_name"].iloc[row]), detail, path, int(table["line"].iloc[row]))
