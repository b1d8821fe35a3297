"""`Alignment`: which word and which phone is heard when, in seconds from the start of a clip."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SILENCE = "_"
"""A pause within a word; no phone."""

Interval = tuple[str, float, float]
"""What is heard, its start and its end."""


@dataclass(frozen=True)
class Alignment:
    """Words in order, as `words_of` gives them, and phones that fill each word from its start to its end.

    Between words there may be pauses, which belong to nothing. Phones of a word that is cut short belong to no word.
    """

    words: tuple[Interval, ...]
    phones: tuple[Interval, ...]

    def shifted(self, seconds: float) -> "Alignment":
        return Alignment(
            tuple((word, start + seconds, end + seconds) for word, start, end in self.words),
            tuple((phone, start + seconds, end + seconds) for phone, start, end in self.phones),
        )

    def __add__(self, later: "Alignment") -> "Alignment":
        return Alignment(self.words + later.words, self.phones + later.phones)

    def part(self, start_s: float, end_s: float) -> "Alignment":
        """Of the clip cut to these times, from its new start: whole words, and phones as far as they are heard."""
        words = tuple(word for word in self.words if word[1] >= start_s and word[2] <= end_s)
        phones = ((phone, max(start, start_s), min(end, end_s)) for phone, start, end in self.phones)
        return Alignment(words, tuple(phone for phone in phones if phone[2] > phone[1])).shifted(-start_s)

    def pronunciations(self) -> list[tuple[str, tuple[str, ...]]]:
        """Per word its phones, without pauses."""
        said, phones = [], iter(self.phones)
        phone = next(phones, None)
        for word, start, end in self.words:
            own: list[str] = []
            while phone is not None and phone[1] < end:
                if phone[1] >= start and phone[0] != SILENCE:
                    own.append(phone[0])
                phone = next(phones, None)
            said.append((word, tuple(own)))
        return said

    def to_json(self) -> dict[str, Any]:
        """Milliseconds, as times that are short to write."""
        return {"words": _written(self.words), "phones": _written(self.phones)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Alignment":
        return cls(_read(value["words"]), _read(value["phones"]))


def _written(intervals: tuple[Interval, ...]) -> list[list[Any]]:
    return [[name, round(1000 * start), round(1000 * end)] for name, start, end in intervals]


def _read(values: list[list[Any]]) -> tuple[Interval, ...]:
    return tuple((str(name), start / 1000, end / 1000) for name, start, end in values)
