"""What a version consists of: `files.json` lists the hash of each file, and the version's name ends in the hash of
them all. So neither a file nor the list can change unnoticed, and what has changed can be named.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from slu.common.files import content_hash, read_json, settings_hash, write_json

FILES = "files.json"
_DIGITS = 8
_VERSION = re.compile(r"\d{8}-\d{6}-([0-9a-f]{8})")


def is_version(name: str) -> bool:
    return _VERSION.fullmatch(name) is not None


def seal(folder: Path) -> str:
    """Write the list, and take the right to write from all files; the end of the version's name.

    The folder keeps its own rights: it can be moved and removed as before.
    """
    hashes = _hashes(folder)
    write_json(folder / FILES, hashes)
    for path in folder.iterdir():
        path.chmod(0o444)
    return _digest(hashes)


def size(folder: Path) -> int:
    """In bytes."""
    return sum(path.stat().st_size for path in folder.iterdir())


def changed(folder: Path) -> str:
    """Which files of a version are not those that were stored, in words; empty where all are."""
    named = _VERSION.fullmatch(folder.name)
    if named is None:
        return "its name does not end in the hash of its files, so it cannot be checked"
    if not folder.is_dir():
        return "it is not there"
    try:
        found, stored = _hashes(folder), _listed(folder)
    except OSError as error:
        return f"{Path(error.filename or folder).name} cannot be read: {error.strerror}"
    if _digest(found) == named[1]:
        return "" if stored in (None, found) else f"{FILES} is not what was stored"
    if stored is None or _digest(stored) != named[1]:  # registered by an earlier version, or itself damaged
        return f"its files are not those that were stored, and no sound {FILES} says which"
    names = sorted({*found, *stored})
    return ", ".join(_difference(name, found, stored) for name in names if found.get(name) != stored.get(name))


def _difference(name: str, found: Mapping[str, str], stored: Mapping[str, str]) -> str:
    if name not in stored:
        return f"{name} was added"
    return f"{name} is not what was stored" if name in found else f"{name} is missing"


def _hashes(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.iterdir() if path.name != FILES)
    return {path.name: content_hash(path) if path.is_file() else "no file" for path in paths}


def _listed(folder: Path) -> dict[str, str] | None:
    """None where there is no list; one that cannot be read lists nothing."""
    try:
        listed = read_json(folder / FILES)
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return listed if isinstance(listed, dict) else {}


def _digest(hashes: Mapping[str, str]) -> str:
    return settings_hash(dict(hashes))[:_DIGITS]
