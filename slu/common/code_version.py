"""Which code this is, for what is made by it."""

import functools
import os
import subprocess
from pathlib import Path
from typing import Any

import slu

_PACKAGE = Path(slu.__file__).resolve().parent
_WAIT_S = 10


@functools.cache
def code_version() -> dict[str, Any]:
    """`version` of the package; of a git checkout also `commit`, and `changed`: whether tracked files differ from it.

    The first call of a process decides: what is made later may be made after the checkout has changed.
    """
    known: dict[str, Any] = {"version": slu.__version__}
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != _PACKAGE.parent:  # installed into some other repository, or no git
        return known
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    return known if commit is None else {**known, "commit": commit, "changed": changes != ""}


def _git(*arguments: str) -> str | None:
    """What it prints; None where there is no git, or it refuses."""
    # Within a hook these name the repository of the hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        result = subprocess.run(
            ["git", "-C", str(_PACKAGE), *arguments], capture_output=True, text=True, timeout=_WAIT_S, check=True,
            env=environment,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
