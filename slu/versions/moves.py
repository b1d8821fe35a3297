"""How aliases move: under a lock, and written down first.

What is to happen stands in `.move.json` before anything happens, and is done in steps that may be done twice. So a
process that is killed at any moment leaves links that are sound, and whoever takes the lock next finishes the move.
A reader needs no lock: each link points to what was or to what will be, never to nothing.

    history.jsonl   every move that was made, one JSON object per line
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.files import atomic_write, one_at_a_time, read_json, write_json
from slu.inference.files import CONFIG, METRICS, SPEC, WEIGHTS
from slu.versions.aliases import ALIASES, LATEST

HISTORY, PENDING = "history.jsonl", ".move.json"


@dataclass(frozen=True)
class Entry:
    """One line of the history."""

    alias: str
    was: str | None
    version: str
    by: str
    """promote, rollback, register, or what else moves aliases."""
    why: str = ""
    time: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "time": self.time or datetime.now(UTC).isoformat(timespec="milliseconds"),
            "by": self.by,
            "alias": self.alias,
            "from": self.was,
            "to": self.version,
            "why": self.why,
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> "Entry":
        """Raises KeyError or TypeError for what is no entry."""
        was, values = line["from"], [line[key] for key in ("alias", "to", "by", "why", "time")]
        if not all(isinstance(value, str) for value in values) or not isinstance(was, str | None):
            raise TypeError("texts are meant")
        alias, version, by, why, time = values
        return cls(alias, was, version, by, why, time)


@contextmanager
def locked(root: Path, task: str) -> Iterator[Path]:
    """The folder of the task, which nobody else changes meanwhile; a move that was interrupted is finished first.

    Raises UserError where that cannot be.
    """
    with one_at_a_time(root / f".{task}.lock"):
        _finish(root / task)
        yield root / task


def move(home: Path, links: Mapping[str, str], entry: Entry) -> Entry:
    """Point aliases to versions, in this order; only within `locked`. The entry as it stands in the history.

    Raises UserError where an alias is a folder, as some ways of copying leave it, and where it could not be finished.
    Raises OSError where nothing has moved, for the disk is full.
    """
    for alias in links:
        if (home / alias).is_dir() and not (home / alias).is_symlink():
            raise UserError(f"{home / alias} is a folder and not a link, as some ways of copying leave it; remove it")
    line = entry.to_json()
    write_json(home / PENDING, {"links": dict(links), "entry": line})
    try:
        _finish(home)
    except OSError as error:
        if _lines(home / HISTORY)[-1:] != [_written(line)]:
            (home / PENDING).unlink(missing_ok=True)
            raise
        raise UserError(
            f"`{entry.alias}` of the task {home.name} is still on its way to {entry.version} ({error.strerror}); the "
            "next promote, rollback or training finishes the move, once that is mended"
        ) from None
    return Entry.from_json(line)


def _finish(home: Path) -> None:
    pending = home / PENDING
    try:
        links, line = _begun(read_json(pending))
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{pending} is no move; remove it, and the move that it may have been is forgotten") from None
    if all((home / version / SPEC).is_file() for version in links.values()):  # else somebody has removed it since
        _append(home / HISTORY, _written(line))  # first: a full disk stops this one, before anything has moved
        for alias, version in links.items():
            _point(home, alias, version)
        if LATEST in links:
            write_json(home / f"{LATEST}.json", describe(home / links[LATEST]))
    pending.unlink()


def _begun(document: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Its links and its entry. Raises ValueError, KeyError, TypeError or AttributeError for what is no move."""
    links, line = dict(document["links"]), dict(document["entry"])
    Entry.from_json(line)
    for alias, version in links.items():
        if alias not in ALIASES or version.startswith(".") or Path(version).name != version:
            raise ValueError("an alias or a version is none, but perhaps a path")
    return links, line


def _written(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)


def _point(home: Path, alias: str, version: str) -> None:
    link = home / f".{alias}.new"
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.replace(home / alias)


def _append(path: Path, line: str) -> None:
    """Unless it was the last: then the process was killed after this step."""
    lines = _lines(path)
    if lines[-1:] != [line]:
        with atomic_write(path) as file:  # as a whole: a reader never sees half a line
            file.write("".join(f"{text}\n" for text in [*lines, line]))


def _lines(path: Path) -> list[str]:
    # Not splitlines, which also splits where a reason has a line separator of Unicode.
    return path.read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n") if path.exists() else []


def history(home: Path) -> list[Entry]:
    """The oldest first. Raises UserError naming a line that cannot be read."""
    path = home / HISTORY
    entries = []
    for number, line in enumerate(_lines(path), 1):
        try:
            entries.append(Entry.from_json(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path}:{number}: it cannot be read as a move; remove that line") from None
    return entries


def describe(folder: Path) -> dict[str, Any]:
    """What `latest.json` says; file names are relative to the bundle."""
    spec = read_json(folder / SPEC)
    return {
        "bundle": folder.name,
        "task": spec["task"],
        "model": WEIGHTS,
        "spec": SPEC,
        "config": CONFIG,
        "label_maps": {h["name"]: f"{h['label_map']}2id.json" for h in spec["heads"]},
        "metrics": read_json(folder / METRICS),
    }
