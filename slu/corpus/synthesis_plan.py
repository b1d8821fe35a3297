"""Who says what in a synthesised corpus: its settings, and the sentences and speakers that follow from them."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator
from pydantic import BeforeValidator, Field

from slu.common.errors import UserError
from slu.corpus.acoustics import Acoustics
from slu.corpus.menu import Menu, Sentence, draw_sentences
from slu.corpus.other_speech import OtherClip, OtherSpeech
from slu.corpus.voices import Speaker, VoiceSettings, draw_speakers

SPLITS = ("train", "val", "test")
Count = Annotated[int, Field(ge=1)]


def _by_split(counts: Any) -> Any:
    if isinstance(counts, int):
        few = max(1, counts // 5)
        each = " ".join(f"synthesis.counts.{n}={c}" for n, c in zip(SPLITS, (counts, few, few), strict=True))
        raise ValueError(f"every split has a number of clips: write {each}")
    return counts


@dataclass(frozen=True)
class SynthesisSettings:
    counts: Annotated[dict[str, Count], BeforeValidator(_by_split)]
    """Clips per split."""
    seed: Annotated[int, Field(ge=0)]
    sample_rate: Annotated[int, Field(ge=8000)]
    voices: VoiceSettings
    acoustics: Acoustics
    no_voice: dict[str, Annotated[int, Field(ge=0)]] = field(default_factory=dict)
    """Clips per split that hold no voice, without labels."""
    sentences: tuple[Count, Count] = (1, 1)
    """Fewest and most in a clip, by one speaker in one room: eight or so are a recording of half a minute."""
    other: dict[str, Annotated[int, Field(ge=0)]] = field(default_factory=dict)
    """Clips per split of speech that is not on the menu, without labels."""
    everyday: dict[str, Any] = field(default_factory=dict)
    """A menu of plain sentences in many languages, for `other`."""
    foreign: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Split -> the languages of `everyday` that it may hear as other ones than the menu's."""

    def __post_init__(self) -> None:
        if self.sentences[0] > self.sentences[1]:
            raise ValueError("sentences: the fewest of a clip come first")
        heard = [name for names in self.foreign.values() for name in names]
        if twice := sorted({name for name in heard if heard.count(name) > 1}):
            raise ValueError(f"foreign: {twice[0]} stands in two splits; what is tested should not have trained")


@dataclass(frozen=True)
class Utterance:
    sentence: Sentence
    speaker: Speaker
    split: str
    more: tuple[Sentence, ...] = ()
    """Said after `sentence`, in the same clip."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return (self.sentence, *self.more)


def plan(menu: Menu, settings: SynthesisSettings) -> list[Utterance]:
    """Who says what, in a fixed order: speakers take turns, sentences are balanced over the classes.

    Raises UserError for clips of several sentences that would each have labels of their own.
    """
    if menu.heads and settings.sentences != (1, 1):
        raise UserError(
            "synthesis.sentences: a clip has one label of each of the menu's heads, and so one sentence; "
            "leave it at [1, 1], or take a menu without heads"
        )
    utterances = []
    for index, split in enumerate(SPLITS):
        speakers, rng = _speakers(menu, settings, split)
        own = menu.spoken_languages  # other languages of speakers are accents, in which they read the menu's one
        languages = [s.language if s.language in own else own[0] for s in speakers]
        draw_more = np.random.default_rng([settings.seed, len(SPLITS) + 3, index])
        for number, sentence in enumerate(draw_sentences(menu, settings.counts[split], rng, languages)):
            turn = number % len(speakers)
            count = int(draw_more.integers(settings.sentences[0] - 1, settings.sentences[1]))
            more = tuple(draw_sentences(menu, count, draw_more, [languages[turn]]))
            utterances.append(Utterance(sentence, speakers[turn], split, more))
    return utterances


def plan_other(menu: Menu, settings: SynthesisSettings) -> list[tuple[str, OtherClip]]:
    """With the split of each: the same speakers say what is not on the menu.

    Raises UserError for a menu without heads, which everything is on.
    """
    if not any(settings.other.values()):
        return []
    if not menu.heads:
        raise UserError(
            f"synthesis.other: menu '{menu.task}' has no heads, so nothing can be off the menu; leave it at 0"
        )
    everyday = Menu.parse(settings.everyday, "synthesis.everyday") if settings.everyday else None
    clips = []
    for index, split in enumerate(SPLITS):
        speakers, _ = _speakers(menu, settings, split)
        drawing = OtherSpeech(menu, everyday, settings.foreign.get(split, ()), split, speakers)
        rng = np.random.default_rng([settings.seed, len(SPLITS) + 4, index])
        clips += [(split, clip) for clip in drawing.draw(settings.other.get(split, 0), rng)]
    return clips


def _speakers(menu: Menu, settings: SynthesisSettings, split: str) -> tuple[list[Speaker], Generator]:
    """And the generator, to go on with."""
    rng = np.random.default_rng([settings.seed, SPLITS.index(split)])
    return draw_speakers(settings.voices, menu.spoken_languages, split, rng), rng
