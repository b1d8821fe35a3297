"""The registry: immutable versions in folders, and aliases that move atomically.

<root>/<task>/<version>/        a bundle; the name ends in a hash of its files
<root>/<task>/latest            link to the best version
<root>/<task>/latest.json       the same in words: which bundle, its files, its metrics
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slu.bundles.bundle import load_bundle
from slu.common.files import atomic_directory, content_hash, read_json, settings_hash, write_json
from slu.inference.files import CONFIG, METRICS, SPEC, WEIGHTS


@dataclass(frozen=True)
class Registered:
    version: str
    folder: Path
    is_latest: bool
    reason: str
    """Why `latest` moved or stayed, for the user."""


class Registry:
    def __init__(self, root: Path) -> None:
        self.root = root

    def register(self, task: str, write: Callable[[Path], None]) -> Registered:
        """Store what `write` puts into a folder as a new version; `latest` moves if it is the best.

        Best is by `metrics["objective"]` (never a test metric) among versions of the same data; a version
        trained on other data always becomes latest, because the numbers cannot be compared.
        """
        home = self.root / task
        home.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{task}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two runs that end together must not both compare with the old latest
            return self._register(task, home, write)

    def _register(self, task: str, home: Path, write: Callable[[Path], None]) -> Registered:
        staging = home / f".staging-{os.getpid()}"
        with atomic_directory(staging) as folder:
            write(folder)
            load_bundle(folder)  # what cannot be read back never becomes a version
        version = self._name(staging)
        folder = home / version
        if folder.exists():  # the same content, registered twice within a second
            shutil.rmtree(staging)
        else:
            staging.rename(folder)
        better, reason = self._compare(task, folder)
        if better:
            self._point(task, folder)
        return Registered(version, folder, better, reason)

    def _name(self, folder: Path) -> str:
        digest = settings_hash({p.name: content_hash(p) for p in sorted(folder.iterdir())})
        return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{digest[:8]}"

    def _compare(self, task: str, folder: Path) -> tuple[bool, str]:
        current = self.root / task / "latest"
        try:
            old, new = read_json(current / METRICS), read_json(folder / METRICS)
        except (OSError, ValueError):
            return is_better({}, None, "")
        return is_better(new, old, current.resolve().name)

    def _point(self, task: str, folder: Path) -> None:
        home = self.root / task
        link = home / f".latest-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        link.replace(home / "latest")
        write_json(home / "latest.json", describe(folder))


def is_better(new: Mapping[str, Any], old: Mapping[str, Any] | None, old_name: str) -> tuple[bool, str]:
    """Whether a version takes the place of another, by their metrics, and why; `old` is None where there is none."""
    if old is None:
        return True, "the first version"
    if old.get("data") != new.get("data"):
        return True, f"trained on other data than {old_name}, so their figures cannot be compared"
    ours, theirs = new.get("objective"), old.get("objective")
    if theirs is None:
        return True, "without a validation objective the newest counts as best"
    if ours is None:
        return False, "this run has no validation objective"
    return ours > theirs, f"validation objective {ours:.4f} against {theirs:.4f} of {old_name}"


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
