"""Variant files of one's own, in espeak-ng's terms (its docs/voices.md)."""

from typing import Any

import numpy as np
from numpy.random import Generator

_ABOVE_LOWEST = 0.65
"""Where the median lies between the lowest and the highest pitch of a variant's file, as measured."""


def pitched_variant(name: str, text: str, pitch_hz: float, span: float) -> str:
    """The variant file `text` under another name, with another pitch; `span` is its highest over its lowest."""
    low = pitch_hz / (1 + _ABOVE_LOWEST * (span - 1))
    kept = [line for line in text.splitlines() if line.split()[:1] not in (["name"], ["pitch"])]
    return "\n".join([*kept, f"name {name}", f"pitch {low:.0f} {low * span:.0f}"]) + "\n"


def invent_variant(name: str, rng: Generator, tracts: tuple[float, float] | None = None) -> str:
    """A variant file (espeak-ng's docs/voices.md) of a plausible vocal tract.

    All formants share one factor for the length of the tract (0.85 a tall man, 1.2 a child); each then
    has its own deviation, because real tracts do not scale evenly and real vowels are not espeak's.
    `tracts` bounds the factor, the pitch follows from it.
    """
    tract = rng.uniform(*(tracts or (0.86, 1.2)))
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
