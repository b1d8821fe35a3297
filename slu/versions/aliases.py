"""Aliases: links beside the versions of a task, each moved by one rename.

latest     the best by validation; moves when a training ends
live       what a server answers with; moves when somebody promotes, and until then there is none
previous   what answered before
"""

from pathlib import Path

from slu.common.errors import UserError

LATEST, LIVE, PREVIOUS = "latest", "live", "previous"
ALIASES = (LATEST, LIVE, PREVIOUS)


def target(home: Path, alias: str) -> str | None:
    """The version that an alias points to, whether that is there or not; None where there is no such alias."""
    link = home / alias
    return link.readlink().name if link.is_symlink() else None


def answering(home: Path) -> str | None:
    """The version that a server answers with which was told none: `live`, or `latest` until somebody promotes."""
    return target(home, LIVE) or target(home, LATEST)


def resolved(place: Path) -> Path:
    """The folder of the version at a place: a version, or an alias, which may move; `live` is `latest` until somebody
    promotes. A link in a circle is as one to nowhere: itself, where there is nothing."""
    if place.name == LIVE and not _is_there(place):
        place = place.with_name(LATEST)
    try:
        return place.resolve()
    except RuntimeError:
        return place.absolute()


def require_target(home: Path, alias: str) -> str:
    """The version that an alias points to. Raises UserError where there is none, or it is gone."""
    link = home / (LATEST if alias == LIVE and target(home, LIVE) is None else alias)
    version = target(home, link.name)
    if version is None:
        raise UserError(f"the task {home.name} has no `{alias}` yet")
    if not (home / version).is_dir():
        move = f"with `ln -sfn VERSION {link}`" if link.name == LATEST else "by a promotion"
        raise UserError(
            f"`{link.name}` of the task {home.name} points to {link.readlink()}, which is not there; point it to "
            f"another version {move}"
        )
    return version


def live_place(home: Path) -> Path | None:
    """Where to look for what answers for a task; None where the folder is not one of a task."""
    return home / LIVE if _is_there(home / LIVE) or _is_there(home / LATEST) else None


def live_places(root: Path) -> list[Path]:
    """Of every task in a registry."""
    return [place for home in sorted(root.glob("[!.]*")) if (place := live_place(home)) is not None]


def _is_there(alias: Path) -> bool:
    """Also as a link to nowhere, or as the folder that a copy has made of it."""
    return alias.is_symlink() or alias.is_dir()
