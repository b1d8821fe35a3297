"""What Hydra and YAML complain of before a command begins, each as one sentence.

Only commands import Hydra, so its exceptions are known here by their names.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import yaml

_LISTED = 30
_TAB = "found character '\\t' that cannot start any token"


def hydra_sentence(error: BaseException) -> str | None:
    """None where it is none of theirs."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        told = "a tab stands here, and YAML is indented by spaces alone" if error.problem == _TAB else error.problem
        return f"{error.problem_mark.name}:{error.problem_mark.line + 1}: {told}"
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "hydra.errors"}
    if "CompactHydraException" not in names:
        return None
    if "OverrideParseException" in names:
        override = getattr(error, "override", "")
        return f"'{override}' is not a setting: write key=value, and quotes around a value that holds other signs"
    if (options := getattr(error, "options", None)) is not None:
        return _no_option(str(error), getattr(error, "missing_cfg_file", None) or "", list(options))
    cause = error.__cause__
    found = re.match(r"Could not override '(.+)'", str(error))
    if found and (key := getattr(cause, "full_key", None)):
        return _no_setting(str(key), getattr(cause, "parent_node", None))
    because = str(cause).splitlines()[:1] if type(cause).__module__.startswith("omegaconf.") else []
    return " ".join(" ".join([*str(error).split("Config search path:")[0].split("See https://")[:1], *because]).split())


def _no_option(message: str, missing: str, options: Sequence[str]) -> str:
    found = re.search(r"Available options in '(.+)':", message)
    group = found.group(1) if found else str(PurePath(missing).parent)
    given = missing.removeprefix(f"{group}/")
    name = PurePath(given).stem if given.endswith((".yaml", ".yml")) else PurePath(given).name
    known = f"known are {', '.join(options[:_LISTED])}{', …' if len(options) > _LISTED else ''}"
    if name in options:
        return f"{group}={given}: files of conf/{group}/ are named without folder and ending: {group}={name}"
    if name != given:
        return (
            f"{group}={given}: there is no such file in conf/{group}/; put it there, and name it without folder and "
            f"ending: {group}={name}; {known}"
        )
    near = difflib.get_close_matches(given, options, 1)
    meant = f"did you mean {group}={near[0]}? " if near else ""
    return f"{group}={given}: there is no conf/{group}/{given}.yaml; {meant}{known}"


def _no_setting(key: str, parent: Mapping[str, Any] | None) -> str:
    """`parent` is the part of the configuration that should hold it."""
    at, dot, last = key.rpartition(".")
    names = [str(name) for name in (parent if parent is not None else ()) if name != "hydra"]
    near = difflib.get_close_matches(last, names, 1)
    if near:
        return f"there is no setting {key}; did you mean {at}{dot}{near[0]}?"
    known = f"known{' in ' if at else ''}{at} are {', '.join(names[:_LISTED])}; " if names else ""
    return f"there is no setting {key}; {known}what is to be added all the same is written +{key}="
