"""A menu read back: how much it allows, which words may be said wrongly, which classes sound alike."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slu.corpus.menu import Menu, Sentence, draw_sentences
from slu.corpus.menu_parts import Text
from slu.corpus.phonemes import Spoken, speak_words
from slu.decoding.words import bare_words

_READ_AGAIN = 1000
"""Sentences that are drawn to find some with two meanings."""
_FEW = 3


@dataclass(frozen=True)
class Pair:
    """Two classes of a head, or of one of its parts, in the forms that are said most alike."""

    head: str
    classes: tuple[str, str]
    said: tuple[str, str]
    phones: tuple[tuple[str, ...], tuple[str, ...]]
    """Of the words in which the two differ."""

    @cached_property
    def edits(self) -> int:
        """Phones to change, add or take out."""
        return edits(*self.phones)

    @property
    def distance(self) -> float:
        """The same per phone of the longer one: 0 is no difference, 1 has nothing in common."""
        return self.edits / max(*map(len, self.phones), 1)

    def alike(self, distance: float) -> bool:
        """At most so far apart, and by few phones: long ones are told apart by what is left."""
        return self.distance <= distance and self.edits <= _FEW


@dataclass(frozen=True)
class MenuReading:
    sentences: int
    """Different ones, word for word."""
    examples: tuple[Sentence, ...]
    words: Mapping[str, Mapping[str, tuple[Spoken, ...]]]
    """Language -> word as it is written in the menu -> how it is said: by the rules, or as the menu gives it."""
    pairs: tuple[Pair, ...]
    """The most alike first."""
    ambiguous: tuple[Sentence, ...]
    """Sentences that the word graph also reads another way."""

    @property
    def doubtful(self) -> dict[str, dict[str, Spoken]]:
        """Language -> the words that may be said wrongly."""
        return {
            language: {word: said[0] for word, said in words.items() if said[0].doubt}
            for language, words in self.words.items()
        }


def read_menu(menu: Menu, examples: int, seed: int) -> MenuReading:
    """Raises UserError when espeak-ng does not speak the language, or a slot is written together with a word."""
    graph = menu.word_graph()
    drawn = draw_sentences(menu, max(examples, _READ_AGAIN), np.random.default_rng(seed))
    words = {language: _spoken(menu, language) for language in menu.spoken_languages}
    first = words[menu.spoken_languages[0]]
    pairs = sorted(_pairs(menu, first), key=lambda pair: pair.distance)
    unlike = {s.text: s for s in drawn if graph.read(s.words) != s.labels}
    return MenuReading(graph.sentence_count(), tuple(drawn[:examples]), words, tuple(pairs), tuple(unlike.values()))


def words_of_menu(menu: Menu, language: str) -> list[str]:
    """In the order of the menu: those of its sentences in the language, then those of its classes."""
    texts = [node.text for part in menu.sentences[language] for node in part.nodes() if isinstance(node, Text)]
    texts += [form for entry in menu.heads.values() for forms in entry.forms().values() for form in forms]
    return list(dict.fromkeys(word for text in texts for word in bare_words(text)))


def _spoken(menu: Menu, language: str) -> dict[str, tuple[Spoken, ...]]:
    words = words_of_menu(menu, language)
    given = {word: [f"[[{said}]]" for said in menu.pronunciations.get(word, ())] or [word] for word in words}
    spoken = speak_words([text for texts in given.values() for text in texts], language)
    return {word: tuple(spoken[text] for text in texts) for word, texts in given.items()}


def _pairs(menu: Menu, words: Mapping[str, Sequence[Spoken]]) -> Iterator[Pair]:
    for name, entry in menu.heads.items():
        for part in entry.parts or [entry.classes]:
            for classes in itertools.combinations([label for label in part if label], 2):
                forms = itertools.product(part[classes[0]], part[classes[1]])
                pairs = [Pair(name, classes, said, _differing(said, words)) for said in forms]
                yield min(pairs, key=lambda pair: pair.distance)


def _differing(said: tuple[str, str], words: Mapping[str, Sequence[Spoken]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phones of the words that the two do not share at their beginning and end."""
    one, other = map(bare_words, said)
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    rest = (one[start : len(one) - end], other[start : len(other) - end])
    first, second = (tuple(phone for word in part for phone in words[word][0].phones) for part in rest)
    return first, second


def edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]
