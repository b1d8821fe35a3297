"""Whether versions and aliases are what they were made as."""

from collections.abc import Callable
from pathlib import Path

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.inference.files import SPEC
from slu.versions.aliases import ALIASES, LATEST, target
from slu.versions.content import changed
from slu.versions.moves import PENDING, history


def version_problem(folder: Path, task: str, load: Callable[[Path], object]) -> str:
    """In words; empty where its files are those that were stored, it can be loaded, and it is one of the task."""
    if problem := changed(folder):
        return problem
    try:
        load(folder)
    except UserError as error:
        return str(error)
    own = read_json(folder / SPEC)["task"]
    return "" if own == task else f"it is a version of the task {own}"


def alias_problems(home: Path) -> list[str]:
    """Each names its alias or file; that a move was interrupted is no problem, for the next one finishes it."""
    found = [f"{alias}: {problem}" for alias in ALIASES if (problem := _alias_problem(home, alias))]
    try:
        history(home)
    except UserError as error:
        found.append(str(error))
    if not found and (latest := target(home, LATEST)) is not None and not (home / PENDING).exists():
        try:
            told = read_json(home / f"{LATEST}.json")["bundle"]
        except (OSError, ValueError, KeyError, TypeError):
            told = None
        if told != latest and target(home, LATEST) == latest:  # and it has not moved in between
            found.append(f"{LATEST}.json: it does not describe what `{LATEST}` points to")
    return found


def _alias_problem(home: Path, alias: str) -> str:
    link, version = home / alias, target(home, alias)
    if version is None:
        return "it is no link" if link.exists() else ""
    if link.readlink().parent != Path():
        return f"it points out of {home}, to {link.readlink()}"
    return "" if (home / version).is_dir() else f"it points to {version}, which is not there"
