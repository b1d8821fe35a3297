"""What `bundle=` names: a folder, or a task, by its name or its folder in the registry, for its latest bundle."""

from collections.abc import Callable
from pathlib import Path

from slu.common.errors import UserError
from slu.inference.files import CONFIG, SPEC, WEIGHTS
from slu.versions.aliases import LATEST


def latest_place(home: Path) -> Path | None:
    """None where the folder is not one of a task."""
    return home / LATEST if (home / LATEST).is_dir() else None


def place_of(name: str, registry: Path, of_task: Callable[[Path], Path | None] = latest_place) -> Path:
    """Where to look, whether something is there or not; `of_task` chooses among the aliases of a task's folder."""
    place = Path(name)
    home = place if place.exists() or place.is_symlink() else registry / name
    return of_task(home) or place


def bundle_place(name: str, registry: Path) -> Path:
    """Raises UserError with the bundles that the registry has where there is none at that place."""
    place = place_of(name, registry)
    if not any((place / file).is_file() for file in (SPEC, WEIGHTS, CONFIG)):  # with one of them it is damaged
        raise no_bundle(place, registry)
    return place


def no_bundle(place: Path, registry: Path, more: str = "") -> UserError:
    """To be raised: what to write instead, or how to come by a bundle."""
    homes = sorted(path for path in registry.glob("[!.]*") if latest_place(path))
    if not homes:
        return UserError(f"there is no bundle at {place}{more}; train one with `python -m slu.train`")
    return UserError(
        f"there is no bundle at {place}{more}; {registry} has {', '.join(home.name for home in homes)}: write "
        + " or ".join(f"bundle={home / LATEST}" for home in homes[:3])
    )
