"""Speech that is not on the menu, so that a model can learn to refuse it.

Eight kinds in turn: other sentences of the language, words that mean nothing, a menu's sentence with one word that
means nothing, cut short, backwards or without its slots, another language, several voices at once. What the splits
hear apart from the menu differs: sentences and foreign languages of validation and test never train.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from slu.corpus import no_voice
from slu.corpus.aligning import spoken_tokens
from slu.corpus.menu import Menu, Sentence, draw_sentences
from slu.corpus.pseudo_words import draw_pseudo_word, syllables_of
from slu.corpus.voices import Speaker
from slu.decoding.words import words_of

SOURCE = "other speech"
CUT, BACKWARDS, FOREIGN, VOICES = "cut short", "backwards", "another language", "several voices"
_TURN = {"train": (0, 1, 2), "val": (3,), "test": (4,)}
"""Of every five everyday sentences of a language, those that a split hears."""
_TRIES = 20


def off_menu(table: pd.DataFrame) -> NDArray[np.bool_]:
    """The rows of a manifest that are known not to be on the menu; other rows without labels are merely unlabelled."""
    return other_speech(table) | (_sources(table) == no_voice.SOURCE).to_numpy(dtype=bool)


def other_speech(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Those of them that hold speech."""
    return _sources(table).str.startswith(SOURCE).to_numpy(dtype=bool)


def _sources(table: pd.DataFrame) -> "pd.Series[str]":
    return table["source"].astype(str) if "source" in table.columns else pd.Series("", index=table.index)


@dataclass(frozen=True)
class OtherClip:
    kind: str
    said: tuple[tuple[Sentence, Speaker], ...]
    """All at once where there are several."""

    @property
    def speaker(self) -> Speaker:
        return self.said[0][1]


class OtherSpeech:
    """Draws the clips of one split.

    `everyday` is a menu of plain sentences in many languages (or None), `foreign` the languages of it that this split
    may hear as other ones. What a menu does not allow, such as a digit without its slot, becomes meaningless words.
    """

    def __init__(
        self, menu: Menu, everyday: Menu | None, foreign: Sequence[str], split: str, speakers: Sequence[Speaker]
    ) -> None:
        self.menu, self.speakers = menu, speakers
        self.graph = menu.word_graph()
        self.slots = {
            w for e in menu.heads.values() for forms in e.forms().values() for f in forms for w in words_of(f)
        }
        self.sentences = {
            language: [text for number, text in enumerate(texts) if number % 5 in _TURN[split]]
            for language, texts in (everyday.languages if everyday else {}).items()
        }
        own = {_plain(language) for language in menu.spoken_languages}
        self.foreign = [name for name in foreign if name in self.sentences and _plain(name) not in own]

    def draw(self, count: int, rng: Generator) -> list[OtherClip]:
        kinds = list(self._kinds)
        clips = []
        for number in range(count):
            kind, speaker = kinds[number % len(kinds)], self.speakers[int(rng.integers(len(self.speakers)))]
            said = None
            for _ in range(_TRIES):
                said = said or self._kinds[kind](speaker, rng)
            clips.append(OtherClip(kind, said) if said else OtherClip("pseudo-words", self._pseudo_words(speaker, rng)))
        return clips

    @cached_property
    def _kinds(self) -> Mapping[str, Callable[[Speaker, Generator], tuple[tuple[Sentence, Speaker], ...] | None]]:
        return {
            "other sentences": self._everyday,
            "pseudo-words": self._pseudo_words,
            "one word changed": self._changed,
            CUT: self._of_the_menu,
            BACKWARDS: self._of_the_menu,
            "without its slots": self._without_slots,
            FOREIGN: self._another_language,
            VOICES: self._voices,
        }

    @cached_property
    def _syllables(self) -> dict[str, tuple[str, ...]]:
        words = {language: list(self._real(language)) for language in self.menu.spoken_languages}
        return {language: syllables_of(known) for language, known in words.items()}

    def _real(self, language: str) -> set[str]:
        everyday = (word for text in self._everyday_of(language) for word in words_of(text))
        return {*self.graph.words, *everyday}

    def _everyday_of(self, language: str) -> list[str]:
        same = [name for name in self.sentences if _plain(name) == _plain(language)]
        return self.sentences[language if language in self.sentences else same[0]] if same else []

    def _language(self, speaker: Speaker) -> str:
        own = self.menu.spoken_languages  # other languages of speakers are accents
        return speaker.language if speaker.language in own else own[0]

    def _checked(self, sentence: Sentence, speaker: Speaker) -> tuple[tuple[Sentence, Speaker], ...] | None:
        """None for nothing, and for what is on the menu after all."""
        return ((sentence, speaker),) if sentence.words and self.graph.read(sentence.words) is None else None

    def _everyday(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...] | None:
        """A sentence, a word or two of it, or its words mixed with another's."""
        texts = self._everyday_of(self._language(speaker))
        if not texts:
            return None
        one, two = (texts[i].split() for i in rng.integers(len(texts), size=2))
        first = int(rng.integers(len(one)))
        mixed = [str(word) for word in rng.permutation([*one, *two])[: rng.integers(2, 8)]]
        chosen = (one, one[first : first + int(rng.integers(1, 3))], mixed)[rng.integers(3)]
        return self._checked(_sentence(chosen), speaker)

    def _pseudo_words(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...]:
        count = int(rng.integers(1, 5))
        return ((_sentence([self._pseudo_word(speaker, rng) for _ in range(count)]), speaker),)

    def _pseudo_word(self, speaker: Speaker, rng: Generator) -> str:
        language = self._language(speaker)
        word = draw_pseudo_word(self._syllables[language], self._real(language), rng)
        return word or "".join(rng.permutation(list("lamoni")))

    def _of_the_menu(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...]:
        return ((draw_sentences(self.menu, 1, rng, [self._language(speaker)])[0], speaker),)

    def _changed(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...] | None:
        words = _pairs(self._of_the_menu(speaker, rng)[0][0])
        of_slots = [i for i, (text, _) in enumerate(words) if self.slots.intersection(words_of(text))]
        changed = of_slots[rng.integers(len(of_slots))]
        words[changed] = (self._pseudo_word(speaker, rng),) * 2
        return self._checked(_joined(words), speaker)

    def _without_slots(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...] | None:
        words = _pairs(self._of_the_menu(speaker, rng)[0][0])
        return self._checked(_joined([w for w in words if not self.slots.intersection(words_of(w[0]))]), speaker)

    def _another_language(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...] | None:
        if not self.foreign:
            return None
        language = self.foreign[rng.integers(len(self.foreign))]
        texts = self.sentences[language]
        return self._checked(_sentence(texts[rng.integers(len(texts))].split()), replace(speaker, language=language))

    def _voices(self, speaker: Speaker, rng: Generator) -> tuple[tuple[Sentence, Speaker], ...]:
        """Three to six speakers with sentences of any kind."""
        others = [self.speakers[i] for i in rng.integers(len(self.speakers), size=rng.integers(2, 6))]
        said: list[tuple[Sentence, Speaker]] = []
        for voice in (speaker, *others):
            said += (self._everyday(voice, rng) if rng.random() < 0.7 else None) or self._of_the_menu(voice, rng)
        return tuple(said)


def _plain(language: str) -> str:
    """en of en-us."""
    return language.partition("-")[0].lower()


def _sentence(words: Sequence[str]) -> Sentence:
    return Sentence(" ".join(words), " ".join(words), {})


def _pairs(sentence: Sentence) -> list[tuple[str, str]]:
    """Each word as it is written, and as it is given to the synthesiser."""
    return list(zip(sentence.text.split(), spoken_tokens(sentence.spoken), strict=True))


def _joined(words: Sequence[tuple[str, str]]) -> Sentence:
    return Sentence(" ".join(text for text, _ in words), " ".join(spoken for _, spoken in words), {})
