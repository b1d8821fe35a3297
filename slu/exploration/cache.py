"""What is known of clips already, by the content of their files: a run that was cut short continues."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from slu.audio.decode import AudioError, AudioFacts
from slu.audio.measure import Measures
from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.exploration.clips import ClipFacts, Unreadable, measure_clip
from slu.exploration.fingerprint import SIZE

# Raised whenever the same file would give other facts.
_VERSION = 2
_COMMIT_EVERY = 64
_TABLES = (
    "CREATE TABLE IF NOT EXISTS clip (file TEXT PRIMARY KEY, facts TEXT, fingerprint BLOB)",
    "CREATE TABLE IF NOT EXISTS pair (first TEXT, second TEXT, correlation REAL, PRIMARY KEY (first, second))",
)


class ClipCache:
    """What is known of files and of pairs of them, by the hash of their bytes; in one SQLite file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._uncommitted = 0

    def clip(self, file_hash: str) -> ClipFacts | None:
        row = self._connection.execute("SELECT facts, fingerprint FROM clip WHERE file = ?", (file_hash,)).fetchone()
        if row is None:
            return None
        facts = json.loads(row[0])
        return ClipFacts(
            file_hash,
            facts["samples"],
            AudioFacts(**facts["audio"]),
            Measures(**facts["measures"]),
            np.frombuffer(row[1], np.float16, SIZE),
        )

    def put_clip(self, facts: ClipFacts) -> None:
        described = {
            "samples": facts.samples_hash,
            "audio": asdict(facts.audio),
            "measures": asdict(facts.measures),
        }
        self._put("clip", facts.file_hash, json.dumps(described), facts.fingerprint.tobytes())

    def correlation(self, first: str, second: str) -> float | None:
        query = "SELECT correlation FROM pair WHERE first = ? AND second = ?"
        row = self._connection.execute(query, sorted((first, second))).fetchone()
        return None if row is None else float(row[0])

    def put_correlation(self, first: str, second: str, value: float) -> None:
        self._put("pair", *sorted((first, second)), value)

    def _put(self, table: str, *values: Any) -> None:
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)
        self._uncommitted += 1
        if self._uncommitted >= _COMMIT_EVERY:
            self._connection.commit()
            self._uncommitted = 0


@contextmanager
def open_cache(folder: Path) -> Iterator[ClipCache]:
    """What was put is kept also when the block ends with an exception. Raises UserError when it cannot be written."""
    path = folder / f"clips-{_VERSION}.sqlite"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_connect(path)) as connection:
            try:
                yield ClipCache(connection)
            finally:
                connection.commit()
    except sqlite3.Error as error:
        raise UserError(f"{path} cannot be read or written ({error}); free some space, or delete the file") from None


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return _with_tables(path)
    except sqlite3.DatabaseError:  # not ours, or damaged: everything in it can be measured again
        path.unlink(missing_ok=True)
        return _with_tables(path)


def _with_tables(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60)
    try:
        for statement in _TABLES:
            connection.execute(statement)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def read_clips(
    paths: Sequence[Path | None], cache: ClipCache, progress: Callable[[int, int], None]
) -> list[ClipFacts | Unreadable | None]:
    """For each path what its file holds; None where there is no path. One clip is in memory at a time."""
    found: list[ClipFacts | Unreadable | None] = []
    for path in paths:
        found.append(None if path is None else _read(path, cache))
        progress(len(found), len(paths))
    return found


def _read(path: Path, cache: ClipCache) -> ClipFacts | Unreadable:
    try:
        file_hash = content_hash(path)
    except OSError as error:
        return Unreadable((error.strerror or "it cannot be read").lower())
    facts = cache.clip(file_hash)
    if facts is None:
        try:
            facts = measure_clip(path, file_hash)
        except AudioError as error:
            return Unreadable(str(error))
        cache.put_clip(facts)
    return facts
