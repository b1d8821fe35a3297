"""Making room: old versions that nobody points to are removed."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from slu.versions.aliases import ALIASES, LATEST, target
from slu.versions.content import is_version, size
from slu.versions.moves import HISTORY, PENDING, locked
from slu.versions.uses import in_use
from slu.versions.versions import Versions

_REMOVED = ".pruned-"
_ABANDONED_S = 24 * 3600.0
"""Age from which what a registering process left behind is no longer written by it."""


@dataclass(frozen=True)
class Pruned:
    sizes: dict[str, int]
    """Of what was removed, or would be, in bytes."""
    used: list[str]
    """Versions that stay because a server answers with them."""


def prune(versions: Versions, task: str, keep: int, *, dry_run: bool = False) -> Pruned:
    """Remove versions but the newest `keep`, those that an alias points to, and those in use.

    A version is renamed before it is removed, so that nobody finds half of one.
    """
    versions.home(task)
    with locked(versions.root, task) as home:
        ours = [name for name in versions.names(task) if is_version(name)]
        pointed = {target(home, alias) for alias in ALIASES}
        old = [name for name in ours[keep:] if name not in pointed]
        used = [name for name in old if in_use(home / name)]
        going = [name for name in reversed(old) if name not in used]
        found = Pruned({name: size(home / name) for name in going}, used)
        if not dry_run:
            for name in going:
                (home / name).rename(home / f"{_REMOVED}{name}")
            for path in _left_behind(home):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return found


def _left_behind(home: Path) -> list[Path]:
    """By this and by killed processes; what is written under the lock is nobody's while we hold it."""
    staged = [path for pattern in (".staging-*", "..staging-*") for path in home.glob(pattern)]
    abandoned = [path for path in staged if time.time() - path.stat().st_mtime > _ABANDONED_S]
    halves = [path for name in (HISTORY, PENDING, f"{LATEST}.json") for path in home.glob(f".{name}.*")]
    return [*home.glob(f"{_REMOVED}*"), *halves, *abandoned]
