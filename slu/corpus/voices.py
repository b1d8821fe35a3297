"""Voices as speakers: which espeak-ng variants speak in which split, and how each of them talks.

A speaker is a variant with its own pitch, liveliness and pace. Train, validation and test take their
variants from disjoint families ("f1" to "f5" are one family), so a test voice is one that never trained.
Training may also invent variants with formants of their own: the shipped hundred are close relatives.
With labels, the speakers are spread evenly over the classes, and each has a pitch that its class may have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

from slu.common.errors import UserError
from slu.corpus.espeak import Prosody, variant_text, variants
from slu.corpus.variants import invent_variant, pitched_variant
from slu.corpus.voice_classes import VoiceClass, VoiceGroup, voice_groups
from slu.spec import Head

_PITCH_MARGIN = 1.05
"""Clips stray by that much from the pitch of their speaker."""
_PITCH_SPAN = (1.15, 1.5)
"""Highest over lowest pitch of a variant's file; wider, espeak-ng falls below zero in tonal languages, and crashes."""


@dataclass(frozen=True)
class VoiceSettings:
    """`val` and `test` list variant families; every other shipped variant not in `exclude` may train."""

    val: tuple[str, ...]
    test: tuple[str, ...]
    exclude: tuple[str, ...]
    speakers: dict[str, int]
    """Number of speakers per split."""
    invented_share: float
    """Share of the training speakers whose variant is invented."""
    rate: tuple[int, int]
    """Words per minute, lowest and highest."""
    accents: tuple[str, ...] = ()
    """Other espeak languages that read the same text, spread evenly over the training speakers."""
    accent_share: float = 0.0
    labels: dict[str, dict[str, VoiceClass]] = field(default_factory=dict)
    """Head -> class -> the voices of it."""
    languages_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Split -> the languages that only it speaks; the other splits share the rest. Otherwise all speak all."""

    def heads(self) -> tuple[Head, ...]:
        """The heads of who speaks."""
        return tuple(Head(name, tuple(classes)) for name, classes in self.labels.items())


@dataclass(frozen=True)
class Speaker:
    name: str
    language: str
    variant: str
    prosody: Prosody
    variant_text: str = ""
    """The file of a variant that espeak-ng does not ship: an invented one, or a shipped one at another pitch."""
    labels: Mapping[str, str] = field(default_factory=dict)
    pitch_hz: float = 0.0
    """Median fundamental; 0: whatever the variant and the prosody give."""

    @property
    def voice(self) -> str:
        """The variant's name for espeak-ng."""
        return self.name if self.pitch_hz else self.variant


def family(variant: str) -> str:
    """`steph2` and `steph3` are one person's variants: `steph`."""
    return variant.rstrip("0123456789")


def draw_speakers(settings: VoiceSettings, languages: Sequence[str], split: str, rng: Generator) -> list[Speaker]:
    """The speakers of one split, spread evenly over classes and languages, in random order.

    Raises UserError for names that espeak-ng does not have, and for a class that is left without voices.
    """
    pool = _pool(settings, split)
    groups: list[VoiceGroup | None] = [*voice_groups(settings.labels)] or [None]
    languages = _languages(settings, languages, split)
    count = settings.speakers[split]
    if count < 1:
        raise UserError(f"voices.speakers.{split} must be at least 1, got {count}")
    invented = round(count * settings.invented_share) if split == "train" else 0
    accented = round(count * settings.accent_share) if split == "train" and settings.accents else 0
    orders = []
    for group in groups:
        own = pool if group is None else [v for v in pool if family(v) in group.families]
        if not own:
            of = f"of {group.name} ({', '.join(sorted(group.families))}) " if group else ""
            raise UserError(f"voices: no variant {of}is left for the {split} split")
        orders.append([own[i] for i in rng.permutation(len(own))])
    speakers = []
    for index in range(count):
        turn, which = divmod(index, len(groups))
        group, order = groups[which], orders[which]
        variant, text, pitch_hz = order[turn % len(order)], "", _pitch(group, rng) if group else 0.0
        if index < invented:
            variant = f"slu{index}"
            text = invent_variant(variant, rng, group.tract if group else None)
        name = f"{split}-{index:03d}-{variant}"
        if group:
            text = pitched_variant(name, text or variant_text(variant), pitch_hz, rng.uniform(*_PITCH_SPAN))
        language = languages[turn % len(languages)]
        accent = settings.accents[index % len(settings.accents)] if index % count < accented else language
        prosody, labels = _prosody(settings, rng), group.labels if group else {}
        if group:
            prosody = replace(prosody, pitch=50)  # the variant has its pitch written in
        speakers.append(Speaker(name, accent, variant, prosody, text, labels, pitch_hz))
    return [speakers[i] for i in rng.permutation(count)]


def _pool(settings: VoiceSettings, split: str) -> list[str]:
    """The shipped variants that may speak in a split."""
    shipped = [v for v in variants() if " " not in v and v not in settings.exclude]
    families = {family(v) for v in variants()}
    classed = [name for classes in settings.labels.values() for voice in classes.values() for name in voice.families]
    for name in (*settings.val, *settings.test, *classed):
        if name not in families:
            raise UserError(f"voices: espeak-ng has no voice family '{name}'; it has {', '.join(sorted(families))}")
    if overlap := sorted(set(settings.val) & set(settings.test)):
        raise UserError(f"voices: {', '.join(overlap)} cannot be both in val and in test")
    held = {"val": settings.val, "test": settings.test}
    reserved = {*settings.val, *settings.test}
    pool = [v for v in shipped if (family(v) in held[split] if split in held else family(v) not in reserved)]
    if not pool:
        raise UserError(f"voices: no variant is left for the {split} split")
    return pool


def _languages(settings: VoiceSettings, languages: Sequence[str], split: str) -> list[str]:
    reserved = [name for names in settings.languages_of.values() for name in names]
    if unknown := sorted(set(reserved) - set(languages)):
        raise UserError(f"voices.languages_of: the menu is not in '{unknown[0]}'; it is in {', '.join(languages)}")
    if settings.accents and len(languages) > 1:
        raise UserError("voices.accents: accents are for a menu of one language")
    own = [*settings.languages_of.get(split, [name for name in languages if name not in reserved])]
    if not own:
        raise UserError(f"voices.languages_of: no language is left for the {split} split")
    return own


def _pitch(group: VoiceGroup, rng: Generator) -> float:
    """In Hz; evenly on the scale of tones."""
    low, high = group.pitch_hz[0] * _PITCH_MARGIN, group.pitch_hz[1] / _PITCH_MARGIN
    return float(np.exp(rng.uniform(*np.log(sorted((low, high))))))


def _prosody(settings: VoiceSettings, rng: Generator) -> Prosody:
    low, high = settings.rate
    return Prosody(
        rate=int(rng.integers(low, high + 1)),
        pitch=int(rng.integers(15, 86)),
        pitch_range=int(rng.integers(10, 91)),
        word_gap=int(rng.choice([0, 0, 0, 1, 3, 6])),
    )
