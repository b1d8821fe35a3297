"""Words that mean nothing: the syllables of a language's real words, put together anew."""

import unicodedata
from collections.abc import Collection, Iterable

from numpy.random import Generator

_VOWELS = frozenset("aeiouyæøœ" + "аеёиоуыэюяіїє" + "αεηιουω")
_SYLLABLES = (1, 4)
_LETTERS = (3, 12)
_TRIES = 100


def syllables_of(words: Iterable[str]) -> tuple[str, ...]:
    """Pieces of the words, each with a vowel: "sembilan" gives sem, bi and lan.

    Of scripts without vowels of their own, pairs of letters with their marks.
    """
    return tuple(sorted({piece for word in words for piece in _pieces(word.lower())}))


def draw_pseudo_word(syllables: tuple[str, ...], real: Collection[str], rng: Generator) -> str:
    """One to three syllables, and none of the `real` words; empty where the syllables allow none."""
    for _ in range(_TRIES if syllables else 0):
        word = "".join(syllables[i] for i in rng.integers(len(syllables), size=rng.integers(*_SYLLABLES)))
        if word not in real and _LETTERS[0] <= len(word) <= _LETTERS[1]:
            return word
    return ""


def _pieces(word: str) -> list[str]:
    letters = _letters(word)
    is_vowel = [unicodedata.normalize("NFD", letter)[0] in _VOWELS for letter in letters]
    if not any(is_vowel):
        return ["".join(letters[i : i + 2]) for i in range(0, len(letters), 2)]
    cuts, last = [0], None
    for place, vowel in enumerate(is_vowel):
        if vowel and last is not None and place - last > 1:
            cuts.append(last + 1 if place - last == 2 else last + 2)  # the first of several consonants ends a syllable
        last = place if vowel else last
    return ["".join(letters[start:end]) for start, end in zip(cuts, [*cuts[1:], len(letters)], strict=True)]


def _letters(word: str) -> list[str]:
    """Each with its marks; without digits, apostrophes and hyphens."""
    letters: list[str] = []
    for character in unicodedata.normalize("NFC", word):
        kind = unicodedata.category(character)[0]
        if kind == "L":
            letters.append(character)
        elif kind == "M" and letters:
            letters[-1] += character
    return letters
