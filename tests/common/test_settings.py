"""Settings from YAML: what is not understood is refused by name."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from slu.common.errors import UserError
from slu.common.settings import parse_settings


@dataclass(frozen=True)
class _Inner:
    pair: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.pair[0] > self.pair[1]:
            raise ValueError(f"pair must rise, got {list(self.pair)}")


@dataclass(frozen=True)
class _Settings:
    rate: int
    kind: Literal["a", "b"] = "a"
    inner: _Inner = field(default_factory=_Inner)


def test_lists_become_tuples_and_mappings_become_dataclasses() -> None:
    settings = parse_settings(_Settings, {"rate": 3, "kind": "b", "inner": {"pair": [1, 2]}}, "data")
    assert settings == _Settings(3, "b", _Inner((1.0, 2.0)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 1, "rte": 2}, "data.rte: there is no such setting; known are rate, kind, inner"),
        ({"rate": 1, "inner": {"par": [1, 2]}}, "data.inner.par: there is no such setting; known are pair"),
        ({"rate": "fast"}, "data.rate: .*valid integer.*, got 'fast'"),
        ({"rate": 1, "kind": "c"}, "data.kind: .*'a' or 'b'.*got 'c'"),
        ({"rate": 1, "inner": {"pair": [1]}}, r"data.inner.pair"),
        ({"rate": 1, "inner": {"pair": [2, 1]}}, r"^data.inner: pair must rise, got \[2.0, 1.0\]$"),
        ({"rate": 1, "inner": 3}, "data.inner: has values by name, not one of its own; got 3"),
        ({"rate": 1, "inner": {"pair": 2}}, r"data.inner.pair: should be a list; write \[2\]"),
        ({}, "data.rate: Field required"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_settings(_Settings, values, "data")
