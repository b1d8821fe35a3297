"""Plain mappings from YAML into typed, checked settings."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from slu.common.errors import UserError

T = TypeVar("T")


def parse_settings(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build the dataclass `kind`; unknown keys and wrong types raise UserError naming `where` and the key."""
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([where, *(str(part) for part in first["loc"])])
        raise UserError(f"{key}: {first['msg']}, got {first['input']!r}") from None
