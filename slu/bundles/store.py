"""The registry: immutable versions in folders, and aliases that move atomically.

<root>/<task>/<version>/        a bundle; the name ends in a hash of its files, which nobody can write to
<root>/<task>/latest            link to the best version
<root>/<task>/latest.json       the same in words: which bundle, its files, its metrics
<root>/<task>/live, previous    links to what answers and to what answered before, once somebody has promoted
<root>/<task>/history.jsonl     every move of an alias
"""

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slu.bundles.bundle import load_bundle
from slu.common.files import atomic_directory, read_json
from slu.inference.files import METRICS, ONNX
from slu.inference.onnx_runtime import open_predictor
from slu.versions import LATEST, LIVE, Entry, Versions
from slu.versions.aliases import target
from slu.versions.content import seal
from slu.versions.moves import locked, move


@dataclass(frozen=True)
class Registered:
    version: str
    folder: Path
    is_latest: bool
    reason: str
    """Why `latest` moved or stayed, for the user."""
    live: str | None = None
    """What answers, where somebody has promoted it."""

    def facts(self) -> list[tuple[str, str]]:
        """What the aliases have come to, for people."""
        moved = f"moved here ({self.reason})" if self.is_latest else f"stays ({self.reason})"
        promote = f"python -m slu.registry promote {self.folder.parent.name} {self.version}"
        return [("latest", moved), *([] if self.live is None else [("live", f"stays {self.live}; {promote}")])]


class Registry(Versions):
    def __init__(self, root: Path) -> None:
        super().__init__(root, load_all)

    def register(self, task: str, write: Callable[[Path], None]) -> Registered:
        """Store what `write` puts into a folder as a new version; `latest` moves if it is the best.

        Best is by `metrics["objective"]` (never a test metric) among versions of the same data. Numbers of other data
        cannot be compared: a version of other data than the latest becomes latest itself, unless one of its own data
        was better before.
        """
        home = self.root / task
        staging = home / f".staging-{uuid.uuid4().hex}"  # others write at the same time, also of other machines
        with atomic_directory(staging) as written:
            write(written)
            load_bundle(written)  # what cannot be read back never becomes a version
        folder = home / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{seal(staging)}"
        with locked(self.root, task):  # two runs that end together must not both compare with the old latest
            if folder.exists():  # the same content, registered twice within a second
                shutil.rmtree(staging)
            else:
                staging.rename(folder)
            better, reason = self._compare(home, folder)
            if better:
                move(home, {LATEST: folder.name}, Entry(LATEST, target(home, LATEST), folder.name, "register", reason))
            return Registered(folder.name, folder, better, reason, target(home, LIVE))

    def _compare(self, home: Path, folder: Path) -> tuple[bool, str]:
        new, current = _metrics(folder) or {}, target(home, LATEST)
        old = None if current is None else _metrics(home / current)
        if current is None or old is None:
            others = [name for name in self.names(home.name) if name != folder.name]
            return is_better(new, None, "") if not others else (True, "what was latest cannot be read")
        if new.get("data") != old.get("data") and (ours := _objective(new)) is not None:
            for name in reversed(self.names(home.name)):
                known = _metrics(home / name) if name not in (folder.name, current) else None
                if known is None or known.get("data") != new.get("data"):
                    continue
                if (theirs := _objective(known)) is not None and theirs >= ours:
                    return False, f"validation objective {ours:.4f} against {theirs:.4f} of {name}, of the same data"
        return is_better(new, old, current)


def is_better(new: Mapping[str, Any], old: Mapping[str, Any] | None, old_name: str) -> tuple[bool, str]:
    """Whether a version takes the place of another, by their metrics, and why; `old` is None where there is none."""
    if old is None:
        return True, "the first version"
    if old.get("data") != new.get("data"):
        return True, f"trained on other data than {old_name}, so their figures cannot be compared"
    ours, theirs = _objective(new), _objective(old)
    if theirs is None:
        return True, "without a validation objective the newest counts as best"
    if ours is None:
        return False, "this run has no validation objective"
    return ours > theirs, f"validation objective {ours:.4f} against {theirs:.4f} of {old_name}"


def _metrics(folder: Path) -> dict[str, Any] | None:
    """None where there are none that can be read."""
    try:
        found = read_json(folder / METRICS)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _objective(metrics: Mapping[str, Any]) -> float | None:
    found = metrics.get("objective")
    return float(found) if isinstance(found, (int, float)) else None


def load_all(folder: Path) -> None:
    """Load a bundle as training does, and as a server does. Raises UserError where either cannot."""
    load_bundle(folder)
    if (folder / ONNX).is_file():
        open_predictor(folder)
