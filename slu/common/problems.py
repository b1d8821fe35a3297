"""What pydantic finds wrong with a value from YAML or JSON, in words of whoever wrote it."""

import re
from collections.abc import Mapping
from typing import Any

NAME = r"^[a-z][a-z0-9_]*$"
"""Of what names folders: the same on every file system."""


def problem(error: Mapping[str, Any]) -> str | None:
    """One of `ValidationError.errors()`; None where pydantic's own message says it best."""
    kind, given = error["type"], error["input"]
    if kind == "value_error":  # of a class's own check, whose input may be all of its settings
        return str(error["ctx"]["error"])
    if kind == "string_type" and isinstance(given, bool):
        words = "yes, on or true" if given else "no, off or false"
        return f'a bare {words} means {str(given).lower()} to YAML; write the word in quotes: "{words.split(",")[0]}"'
    if kind == "string_type" and isinstance(given, int | float):
        return f'should be text, and {given} is a number; write it in quotes: "{given}"'
    if kind in ("list_type", "tuple_type") and isinstance(given, str | int | float):
        return f"should be a list; write [{given}]"
    if kind in ("dict_type", "dataclass_type") and isinstance(given, str | int | float):
        return f"has values by name, not one of its own; got {given}"
    if kind == "string_pattern_mismatch" and error["ctx"]["pattern"] == NAME:
        slug = re.sub(r"[^a-z0-9]+", "_", str(given).lower()).strip("_0123456789")
        instead = f": write {slug}" if slug else ""
        return f"'{given}' is not made of small letters, digits and _, with a letter first{instead}"
    return None


def place_of(error: Mapping[str, Any], *before: str) -> str:
    """Where it stands, as a dotted name."""
    named = error["loc"]
    if "[key]" in named and isinstance(error["input"], bool):  # which pydantic calls 0 or 1
        named = named[:-2]
    return ".".join([*before, *(str(part) for part in named if part != "[key]")])
