"""How slides say numbers, names and places."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PARTS = 3


@dataclass(frozen=True)
class Missing:
    """What a slide cannot show, and what would make it."""

    what: str
    cure: str

    @property
    def sentence(self) -> str:
        return f"{self.what[0].upper()}{self.what[1:]}: {self.cure}."

    @property
    def cure_sentence(self) -> str:
        return f"{self.cure[0].upper()}{self.cure[1:]}."


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def span(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 8) -> str:
    if len(names) > most:
        return f"{', '.join(names[:most])}, …"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def shown(path: Path) -> str:
    """A path as a reader knows it: from where they stand, else its last parts, never somebody's folders."""
    if path.is_absolute():
        if path.is_relative_to(Path.cwd()):
            return str(path.relative_to(Path.cwd()))
        return str(Path("…", *path.parts[1:][-_PARTS:]))
    return str(path)


def cite(path: Path, *names: str) -> str:
    """A line of the notes: which numbers of the slide came from which file."""
    return f"{', '.join(names)}: {shown(path)}" if names else shown(path)


def brief(label: str, most: int = 24) -> str:
    """For the axes of a figure: the ends of a long label, which tell it from others."""
    if len(label) <= most:
        return label
    tail = most // 2
    return f"{label[: most - tail - 1].rstrip()}…{label[-tail:].lstrip()}"


def first_sentence(text: str) -> str:
    head, stop, _ = text.partition(". ")
    return f"{head}." if stop else text


def known(value: Any) -> str:
    return "not recorded" if value in (None, "") else str(value)
