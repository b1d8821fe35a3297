"""The registry without its trainings: which versions there are, which of them answers, whether they are sound."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from slu.common.errors import UserError
from slu.versions.aliases import ALIASES, LIVE, PREVIOUS, answering, require_target, target
from slu.versions.content import is_version
from slu.versions.moves import Entry, history, locked, move
from slu.versions.soundness import alias_problems, version_problem

_LISTED = 5


class Versions:
    def __init__(self, root: Path, load: Callable[[Path], object]) -> None:
        """`load` opens the bundle of a version, and raises UserError where that cannot be done."""
        self.root, self.load = root, load

    def tasks(self) -> list[str]:
        """Raises UserError where there is no registry."""
        found = sorted(path.name for path in self.root.glob("[!.]*") if path.is_dir())
        if not found:
            raise UserError(f"there is no registry at {self.root}; a training makes one: `python -m slu.train`")
        return found

    def home(self, task: str) -> Path:
        """Raises UserError with the nearest names where there is no such task."""
        if task not in (known := self.tasks()):
            raise UserError(f"there is no task '{task}' in {self.root}; {_nearest(task, known)}")
        return self.root / task

    def names(self, task: str) -> list[str]:
        """The newest first; folders that are none of the registry's are among them, so that they can be named."""
        folders = (path for path in self.home(task).glob("[!.]*") if path.is_dir() and path.name not in ALIASES)
        return sorted((path.name for path in folders), reverse=True)

    def named(self, task: str, word: str) -> str:
        """The version by its name, by the hash at its end, or by an alias.

        Raises UserError with the nearest names where there is none, or where the alias points to nothing.
        """
        home = self.home(task)
        if word in ALIASES:
            return require_target(home, word)
        names = self.names(task)
        found = [name for name in names if word == name or (is_version(name) and name.endswith(f"-{word}"))]
        if not found:
            raise UserError(f"there is no version '{word}' of the task {task}; {_nearest(word, [*ALIASES, *names])}")
        return found[0]

    def promote(self, task: str, version: str, why: str = "", by: str = "promote") -> Entry | None:
        """A version becomes `live`, and what answered before `previous`; None where it is `live` already.

        Raises UserError for a version that is not there or not sound; then nothing moves.
        """
        name = self.named(task, version)
        self._require_sound(task, name)
        with locked(self.root, task) as home:
            if not (home / name).is_dir():
                raise UserError(f"the version {name} of the task {task} was removed in this moment")
            if target(home, LIVE) == name:
                return None
            before = answering(home)
            before = None if before in (None, name) or not (home / before).is_dir() else before
            links = {LIVE: name} if before is None else {PREVIOUS: before, LIVE: name}
            return move(home, links, Entry(LIVE, before, name, by, why))

    def rollback(self, task: str, why: str = "", by: str = "rollback") -> Entry:
        """`live` and `previous` change places.

        Raises UserError where there is nothing to go back to, or where that is not sound; then nothing moves.
        """
        self.home(task)
        with locked(self.root, task) as home:
            now, back = target(home, LIVE), target(home, PREVIOUS)
            if now is None or back is None or now == back:
                raise UserError(f"the task {task} has nothing to go back to: {self._why_not_back(task, home)}")
            self._require_sound(task, back)
            return move(home, {PREVIOUS: now, LIVE: back}, Entry(LIVE, now, back, by, why))

    def _why_not_back(self, task: str, home: Path) -> str:
        """And what does it, where servers have followed `latest` so far, or were told the first version."""
        others = [name for name in self.names(task) if name != answering(home)]
        why = "nothing else was live before" if target(home, LIVE) else "nothing was promoted, servers follow `latest`"
        return why + (f"; python -m slu.registry promote {task} {others[0]} makes another answer" if others else "")

    def history(self, task: str) -> list[Entry]:
        """The oldest first. Raises UserError naming a line that cannot be read."""
        return history(self.home(task))

    def problem(self, task: str, version: str) -> str:
        """What is wrong with a version, in words; empty where it is sound."""
        return version_problem(self.root / task / version, task, self.load)

    def problems(self, task: str) -> list[str]:
        """What is wrong with the versions and the aliases of a task, each with its name."""
        found = [(version, self.problem(task, version)) for version in self.names(task)]
        home = self.home(task)
        here = [f"{version}: {problem}" for version, problem in found if problem and (home / version).is_dir()]
        return here + alias_problems(home)

    def _require_sound(self, task: str, version: str) -> None:
        if problem := self.problem(task, version):
            raise UserError(f"the version {version} of the task {task} is not promoted: {problem}")


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, _LISTED, 0.5)
    more = ", …" if not near and len(known) > _LISTED else ""
    return f"{'nearest' if near else 'known'}: {', '.join(near or known[:_LISTED])}{more}"
