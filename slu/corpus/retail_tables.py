"""The retail owners' label tables, as they keep them: three CSVs that describe the same clips in three ways.

The product is called `produk` or `product_id` or stands only in the sentence; paths are written for Windows or
not, to an MP3 or the WAV it was made from. Rows are merged by clip, and every label that a clip is given anywhere
must agree; a clip whose labels do not is reported with both sides and left out.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.audio_finder import clip_stem
from slu.corpus.clips import Clip, ClipError, Reason, Rejection, Source, require_folder
from slu.corpus.indonesian import parse_order, read_number
from slu.corpus.manifest import SPLIT_NAMES, SPLITS

# The first that is filled names the clip; all of them are places to look for its audio.
_PATHS = ("source_file", "file_audio", "file_path", "file_path_abs")


@dataclass(frozen=True)
class RetailSettings:
    folder: Path
    tables: tuple[str, ...]
    """File names in `folder`; any of them may be missing. Where rows agree, an earlier table is quoted."""
    label_columns: Mapping[str, tuple[str, ...]]
    """For each head, the columns that hold its label."""
    sentence_column: str = "kalimat"
    ignored_words: tuple[str, ...] = ()
    """Words of a sentence that are neither quantity nor product."""
    keep: tuple[str, ...] = ()
    """Other columns to carry into the manifest."""
    audio: Path | None = None
    """Null: the audio lies in `folder`."""


@dataclass(frozen=True)
class _Row:
    where: str
    cells: Mapping[str, str]
    problem: str = ""

    def get(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def stem(self) -> str:
        return next((clip_stem(self.get(column)) for column in _PATHS if self.get(column)), "")


@dataclass(frozen=True)
class _Claim:
    """What one cell says."""

    value: str
    where: str


def read_retail(values: Mapping[str, Any], heads: Sequence[str]) -> Source:
    """Every clip of every table, once. Raises UserError when a table cannot be read as one."""
    settings = parse_settings(RetailSettings, values, "source")
    unknown = [head for head in heads if head not in settings.label_columns]
    if unknown:
        raise UserError(f"source.label_columns names no columns for the head '{unknown[0]}'; add them or change heads")
    folder = require_folder(settings.folder, "source.folder")
    tables = tuple(folder / name for name in settings.tables if (folder / name).is_file())
    if not tables:
        raise UserError(f"{folder} holds none of {', '.join(settings.tables)}; correct source.folder or source.tables")
    clips: dict[str, list[_Row]] = {}
    rejected = []
    count = 0
    for table in tables:
        for row in _rows(table):
            count += 1
            if row.problem or not row.stem:
                problem = row.problem or f"none of {', '.join(_PATHS)} is filled"
                rejected.append(Rejection(row.where, row.stem, Reason("bad row", problem)))
            else:
                clips.setdefault(row.stem.casefold(), []).append(row)
    audio = folder if settings.audio is None else require_folder(settings.audio, "source.audio")
    merged = tuple(_merge(clips[key], heads, settings) for key in sorted(clips, key=_natural))
    return Source(merged, audio, tables, count, tuple(rejected))


def _rows(table: Path) -> Iterator[_Row]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)  # an open quote would swallow the rest of the table
            header = [name.strip() for name in next(reader, [])]
            if not set(header) & set(_PATHS):
                needed = ", ".join(_PATHS)
                raise UserError(f"{table}:1: no column names the clips; one of {needed} is needed, comma-separated")
            for fields in reader:
                where = f"{table.name}:{reader.line_num}"
                cells = dict(zip(header, (field.strip() for field in fields), strict=False))
                problem = "" if len(fields) == len(header) else f"{len(fields)} fields, the header has {len(header)}"
                if any(cells.values()):
                    yield _Row(where, cells, problem)
    except UnicodeDecodeError:
        raise UserError(f"{table} is not in UTF-8; save it as 'CSV UTF-8'") from None
    except csv.Error as error:
        raise UserError(f"{table}:{reader.line_num}: {error}") from None


def _merge(rows: Sequence[_Row], heads: Sequence[str], settings: RetailSettings) -> Clip:
    problem = None
    labels = {}
    for head in heads:
        try:
            labels[head] = _agreed(head, list(_claims(head, rows, settings)))
        except ClipError as refusal:
            labels[head] = ""
            problem = problem or refusal.reason
    details = {}
    for column in ("speaker", "split"):
        try:
            details[column] = _agreed(column, list(_cells(column, [column], rows)))
        except ClipError as refusal:
            details[column] = ""
            problem = problem or refusal.reason
    paths = (row.get(column) for column in ("file_path", *_PATHS) for row in rows)
    return Clip(
        key=rows[0].stem,
        labels=labels,
        source="; ".join(row.where for row in rows),
        paths=tuple(dict.fromkeys(path for path in paths if path)),
        text=_first(rows, settings.sentence_column),
        extra={column: _first(rows, column) for column in settings.keep},
        problem=problem,
        **details,
    )


def _first(rows: Sequence[_Row], column: str) -> str:
    return next((row.get(column) for row in rows if row.get(column)), "")


def _claims(head: str, rows: Sequence[_Row], settings: RetailSettings) -> Iterator[_Claim]:
    """Label columns before sentences, so that they are the ones quoted."""
    yield from _cells(head, settings.label_columns[head], rows)
    for row in rows:
        sentence = row.get(settings.sentence_column)
        if value := parse_order(sentence, settings.ignored_words).get(head):
            yield _Claim(value, f"{row.where} {settings.sentence_column} '{sentence}'")


def _cells(name: str, columns: Sequence[str], rows: Sequence[_Row]) -> Iterator[_Claim]:
    for row in rows:
        for column in columns:
            if row.get(column):
                yield _Claim(_normalise(name, row.get(column)), f"{row.where} {column}")


def _agreed(name: str, claims: Sequence[_Claim]) -> str:
    """The one value that all claims name, empty without claims. Raises ClipError naming both sides."""
    for claim in claims:
        if name == "quantity" and not read_number(claim.value):
            raise ClipError("bad label", f"quantity '{claim.value}' ({claim.where}) is not a whole number")
        if name == "split" and claim.value not in SPLITS:
            raise ClipError("bad label", f"split '{claim.value}' ({claim.where}) is not one of {', '.join(SPLITS)}")
        if claim.value != claims[0].value:
            sides = (f"'{side.value}' ({side.where})" for side in (claims[0], claim))
            raise ClipError("conflicting labels", f"{name} is {' but '.join(sides)}")
    return claims[0].value if claims else ""


def _normalise(name: str, value: str) -> str:
    if name == "speaker":  # an identity, not a word: kept as written
        return value
    value = " ".join(value.casefold().replace("_", " ").split())
    if name == "split":
        return SPLIT_NAMES.get(value, value)
    return read_number(value) or value if name == "quantity" else value


def _natural(key: str) -> str:
    """Sorts clip_9 before clip_10."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(12), key)
