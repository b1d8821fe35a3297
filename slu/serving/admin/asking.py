"""What the page asks commands for: their settings as Hydra reads them, and whether they can run here at all."""

import importlib.util
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from slu.serving.settings import ServeSettings

_PLAIN = re.compile(r"[\w./:@+-]+")


def setting(name: str, value: object) -> str:
    """`name=value` for Hydra's parser, quoted where it would see more than a word in it."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return f"{name}={text}"
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'"


def stored_in(settings: ServeSettings) -> list[str]:
    """Where a command finds what this server has written; the database of corrections is in `database_of`."""
    return [setting("outputs", settings.outputs)]


def database_of(settings: ServeSettings) -> dict[str, str]:
    """An environment that names it: its URL may hold a password, which others must not see in the list of processes,
    nor find in the settings that a command keeps with its run."""
    return {} if settings.feedback is None else {"SLU_FEEDBACK": settings.feedback}


def needs(*packages: str) -> str:
    """Why a command cannot run here; empty where it can."""
    missing = [name for name in packages if not _installed(name)]
    if not missing:
        return ""
    they = "is" if len(missing) == 1 else "are"
    cure = "install requirements.txt instead of requirements-serve.txt"
    return f"{' and '.join(missing)} {they} not installed here: {cure}"


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _one_line(text: str) -> str:
    if not all(character.isprintable() for character in text) or "${" in text:
        raise ValueError("a reason is one line of text, without ${")  # Hydra would look that up
    return text.strip()


Why = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
"""Written to the history of a registry."""
