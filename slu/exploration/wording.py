"""Words that pages, tables and the terminal share."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    topic: str
    what: str
    """To do, as a sentence."""
    why: str
    """The figures behind it, as sentences."""
    settings: tuple[str, ...] = ()
    """Of training, as key=value; none where there is nothing to set or a person has to act."""


def counted(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def listed(names: Sequence[str], at_most: int = 6) -> str:
    shown = ", ".join(names[:at_most])
    return shown if len(names) <= at_most else f"{shown} and {len(names) - at_most} more"


def joined(names: Sequence[str]) -> str:
    """`train`, `train and test`, `train, val and test`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
