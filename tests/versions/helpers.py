"""A registry of tiny versions with known names, the oldest first."""

import shutil
from pathlib import Path

from slu.common.files import read_json, write_json
from slu.versions import LATEST, LIVE, PREVIOUS, Entry, Versions
from slu.versions.aliases import target
from slu.versions.content import seal
from slu.versions.moves import locked, move

TASK = "drinks"


def store(root: Path, bundle: Path, day: int) -> str:
    """The bundle as the version of a day, and as `latest`."""
    folder = root / TASK / "new"
    shutil.copytree(bundle, folder)
    write_json(folder / "metrics.json", {**read_json(folder / "metrics.json"), "data": "d1", "objective": day / 100})
    version = f"202601{day:02d}-000000-{seal(folder)}"
    folder.rename(folder.with_name(version))
    with locked(root, TASK) as home:
        move(home, {LATEST: version}, Entry(LATEST, target(home, LATEST), version, "register", f"day {day}"))
    return version


def registry_of(root: Path, bundle: Path, count: int) -> list[str]:
    return [store(root, bundle, day) for day in range(1, count + 1)]


def unloaded(root: Path) -> Versions:
    """Whose bundles are checked by their hashes alone."""
    return Versions(root, lambda folder: None)


def at(root: Path) -> tuple[str | None, str | None]:
    """Live and previous."""
    return target(root / TASK, LIVE), target(root / TASK, PREVIOUS)


def damage(root: Path, version: str, name: str = "model.safetensors") -> None:
    """Of one bit."""
    path = root / TASK / version / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
