"""Voices as speakers: which espeak-ng variants speak in which split, and how each of them talks.

A speaker is a variant with its own pitch, liveliness and pace. Train, validation and test take their
variants from disjoint families ("f1" to "f5" are one family), so a test voice is one that never trained.
Training may also invent variants with formants of their own: the shipped hundred are close relatives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from slu.common.errors import UserError
from slu.corpus.espeak import Prosody, variants


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


@dataclass(frozen=True)
class Speaker:
    name: str
    language: str
    variant: str
    prosody: Prosody
    variant_text: str = ""
    """The file of an invented variant, empty for a shipped one."""


def family(variant: str) -> str:
    """`steph2` and `steph3` are one person's variants: `steph`."""
    return variant.rstrip("0123456789")


def draw_speakers(settings: VoiceSettings, language: str, split: str, rng: Generator) -> list[Speaker]:
    """The speakers of one split. Raises UserError for names that espeak-ng does not have."""
    shipped = [v for v in variants() if " " not in v and v not in settings.exclude]
    families = {family(v) for v in variants()}
    for name in (*settings.val, *settings.test):
        if name not in families:
            raise UserError(f"voices: espeak-ng has no voice family '{name}'; it has {', '.join(sorted(families))}")
    if overlap := sorted(set(settings.val) & set(settings.test)):
        raise UserError(f"voices: {', '.join(overlap)} cannot be both in val and in test")
    held = {"val": settings.val, "test": settings.test}
    reserved = {*settings.val, *settings.test}
    pool = [v for v in shipped if (family(v) in held[split] if split in held else family(v) not in reserved)]
    if not pool:
        raise UserError(f"voices: no variant is left for the {split} split")
    count = settings.speakers[split]
    if count < 1:
        raise UserError(f"voices.speakers.{split} must be at least 1, got {count}")
    invented = round(count * settings.invented_share) if split == "train" else 0
    accented = round(count * settings.accent_share) if split == "train" and settings.accents else 0
    order = [pool[i] for i in rng.permutation(len(pool))]
    speakers = []
    for index in range(count):
        variant = order[index % len(order)]
        text = ""
        if index < invented:
            variant, text = f"slu{index}", invent_variant(f"slu{index}", rng)
        accent = settings.accents[index % len(settings.accents)] if index % count < accented else language
        speakers.append(Speaker(f"{split}-{index:03d}-{variant}", accent, variant, _prosody(settings, rng), text))
    return [speakers[i] for i in rng.permutation(count)]


def _prosody(settings: VoiceSettings, rng: Generator) -> Prosody:
    low, high = settings.rate
    return Prosody(
        rate=int(rng.integers(low, high + 1)),
        pitch=int(rng.integers(15, 86)),
        pitch_range=int(rng.integers(10, 91)),
        word_gap=int(rng.choice([0, 0, 0, 1, 3, 6])),
    )


def invent_variant(name: str, rng: Generator) -> str:
    """A variant file (espeak-ng's docs/voices.md) of a plausible vocal tract.

    All formants share one factor for the length of the tract (0.85 a tall man, 1.2 a child); each then
    has its own deviation, because real tracts do not scale evenly and real vowels are not espeak's.
    """
    tract = rng.uniform(0.86, 1.2)
    low = 70 + 110 * rng.uniform() * (tract - 0.6) / 0.6
    high = low * rng.uniform(1.1, 1.7)
    lines: list[Any] = ["language variant", f"name {name}", f"pitch {low:.0f} {high:.0f}"]
    lines += [f"flutter {rng.integers(0, 15)}", f"roughness {rng.integers(0, 5)}"]
    lines += [f"voicing {rng.integers(50, 130)}", f"consonants {rng.integers(60, 140)} {rng.integers(60, 140)}"]
    for formant in range(9):
        own = rng.normal(1.0, 0.05 if formant in (1, 2, 3) else 0.03)
        frequency = 100 * tract * own if formant else 100
        lines.append(f"formant {formant} {frequency:.0f} {rng.uniform(60, 140):.0f} {rng.uniform(70, 170):.0f}")
    if rng.random() < 0.3:
        strength = rng.uniform(5, 40)
        lines.append("breath " + " ".join(f"{strength * rng.uniform(0.5, 1):.0f}" for _ in range(6)))
    if rng.random() < 0.25:
        lines.append(f"klatt {rng.integers(1, 7)}")
    # Rhythm: lengths and loudness of unstressed to stressed syllables (Indonesian: 160-240 and 16-22).
    lines.append("stressLength " + " ".join(str(x) for x in np.sort(rng.integers(130, 260, 8))))
    lines.append("stressAmp " + " ".join(str(x) for x in np.sort(rng.integers(14, 24, 8))))
    return "\n".join(str(line) for line in lines) + "\n"
