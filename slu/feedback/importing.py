"""Corrections from a CSV, as `slu.feedback.export` writes it or a shop kept it by hand: all lines, or none.

Needed are `timestamp` and an `actual_…` column; the rest may be absent. Audio is copied beside that of the server, so
that it is found, kept and erased like any other.
"""

import csv
import datetime
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy.engine import Connection

from slu.audio.decode import AudioError
from slu.common.errors import UserError
from slu.feedback.audio import keep_audio, measure_sound, place_of, split_of
from slu.feedback.database import writing
from slu.feedback.export import ACTUAL, TIMESTAMP, heads_of
from slu.feedback.guards import sound_flags
from slu.feedback.reading import Heads, Line, find_audio, read_line
from slu.feedback.schema import FEEDBACK, FLAGS
from slu.feedback.store import FeedbackStore, chunks, rows_of

Key: TypeAlias = tuple[str, datetime.datetime]


@dataclass(frozen=True)
class Imported:
    added: int
    known: int
    """Lines that were there already, by request and time."""


def import_csv(store: FeedbackStore, path: Path, heads: Heads, *, keep_states: bool = False) -> Imported:
    """Raises UserError naming the file, the first bad line and its cure; nothing is stored then."""
    lines, problems = _read(path, lambda cells: read_line(cells, heads, keep_states))
    count = len({_key(line.row) for line in lines.values()})
    with store.engine.connect() as connection:
        known = _known(connection, {_key(line.row) for line in lines.values()})
    # Only of what is new the audio is wanted: a table of before may name what was erased since.
    new: dict[Key, Line] = {}
    for number, line in lines.items():
        if _key(line.row) not in known:
            try:
                new[_key(line.row)] = _heard(line, path.parent)
            except ValueError as error:
                problems[number] = str(error)
    if problems:
        more = f" (and {len(problems) - 1} more bad lines)" if len(problems) > 1 else ""
        raise UserError(f"{path}:{min(problems)}: {problems[min(problems)]}{more}; nothing was imported")
    _store(store, path, new)
    return Imported(len(new), count - len(new))


def _read(path: Path, read: Callable[[Mapping[str, str]], Line]) -> tuple[dict[int, Line], dict[int, str]]:
    """By number of the line: what it says, or what is wrong with it."""
    lines: dict[int, Line] = {}
    problems: dict[int, str] = {}
    for number, cells in _cells(path):
        try:
            lines[number] = read(cells)
        except ValueError as error:
            problems[number] = str(error)
    return lines, problems


def _store(store: FeedbackStore, path: Path, new: Mapping[Key, Line]) -> None:
    made: list[Path] = []
    try:
        rows = [_with_audio(store.outputs, line, made) for line in new.values()]
        with writing(store.engine) as connection:
            if _known(connection, new.keys()):
                raise UserError(f"{path} is being imported by somebody else at this moment; nothing was imported here")
            if rows:
                store.insert(connection, rows)
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise


def _cells(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row by column, with the number of its first line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            _require_columns(path, columns)
            start = reader.line_num + 1
            for row in reader:
                if len(row) > len(columns):
                    raise UserError(
                        f"{path}:{start}: it has more fields than the header; put texts with commas in quotes"
                    )
                if any(row):
                    yield start, dict(zip(columns, row, strict=False))
                start = reader.line_num + 1
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a CSV of corrections") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not in UTF-8; save it as 'CSV UTF-8'") from None
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: it is not a CSV table: {error}") from None


def _require_columns(path: Path, columns: Sequence[str]) -> None:
    if twice := {name for name in columns if name and columns.count(name) > 1}:
        raise UserError(f"{path} has two columns '{min(twice)}'; rename one")
    if TIMESTAMP not in columns or not heads_of(columns)[ACTUAL]:
        missing = f"'{TIMESTAMP}'" if TIMESTAMP not in columns else f"'{ACTUAL}…'"
        semicolons = "; its fields seem to be separated by ';', save it with commas" if ";" in "".join(columns) else ""
        raise UserError(f"{path} has no column {missing}; it needs {TIMESTAMP} and one {ACTUAL}… per head{semicolons}")


def _heard(line: Line, folder: Path) -> Line:
    """With its file and what can be measured of it, before anything is copied. Raises ValueError."""
    if not isinstance(line.audio, str):
        return line
    path = find_audio(line.audio, folder)
    try:
        sound = measure_sound(path)
    except AudioError as error:
        raise ValueError(f"the audio '{path.name}' cannot be used: {error}") from None
    measured = {"duration_s": sound.duration_s, "level_db": sound.level_db, "snr_db": sound.snr_db}
    return replace(line, audio=path, row=line.row | measured)


def _with_audio(outputs: Path, line: Line, made: list[Path]) -> dict[str, Any]:
    """The row of a line whose audio has been copied; files that were not there before go to `made`."""
    row = line.row
    if isinstance(line.audio, Path):
        data = line.audio.read_bytes()
        place = outputs / place_of(data)
        if not place.exists():
            made.append(place)
        audio = keep_audio(data, outputs)
        row = row | {"audio_sha256": audio.sha256, "audio_path": audio.path, "audio_digest": audio.digest}
        row["split"] = split_of(audio.sha256)
    flags = {*row["flags"], *sound_flags(row["reason"], row["level_db"], row["snr_db"])}
    return row | {"flags": [name for name in FLAGS if name in flags]}


def _key(row: Mapping[str, Any]) -> Key:
    return row["request_id"], row["received"]


def _known(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Those of them that are stored."""
    table, found = FEEDBACK.c, set[Key]()
    for some in chunks({request for request, _ in keys}):
        found |= {(row.request_id, row.received) for row in rows_of(connection, table.request_id.in_(some))}
    return found & set(keys)
