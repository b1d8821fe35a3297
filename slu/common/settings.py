"""Plain mappings from YAML into typed, checked settings."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from slu.common.errors import UserError
from slu.common.problems import place_of, problem

T = TypeVar("T")


def parse_settings(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build the dataclass `kind`; unknown keys and wrong types raise UserError naming `where` and the key."""
    _refuse_unknown(kind, values, where)
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        told = problem(first) or f"{first['msg']}, got {first['input']!r}"
        raise UserError(f"{place_of(first, where)}: {told}") from None


def _refuse_unknown(kind: Any, values: Mapping[str, Any], where: str) -> None:
    # Pydantic ignores extra keys of standard dataclasses: a misspelt setting would silently do nothing.
    hints = get_type_hints(kind)
    for key, value in values.items():
        if key not in hints:
            raise UserError(f"{where}.{key}: there is no such setting; known are {', '.join(hints)}")
        if dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping):
            _refuse_unknown(hints[key], value, f"{where}.{key}")
