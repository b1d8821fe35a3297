"""From what espeak-ng said to the sound of a clip, before its room: one after the other, cut, backwards, or at once."""

from collections.abc import Iterable, Sequence

import numpy as np
import soxr
from numpy.random import Generator

from slu.audio.decode import Waveform
from slu.corpus.acoustics import Acoustics
from slu.corpus.aligning import align
from slu.corpus.espeak import Speech
from slu.corpus.menu import Sentence
from slu.corpus.other_speech import BACKWARDS, CUT, FOREIGN, VOICES
from slu.decoding.alignment import Alignment
from slu.decoding.graph import WordGraph

Said = tuple[Sentence, tuple[Speech, int]]
"""A sentence, how it was spoken, and at how many samples a second."""

_FADE_S = 0.01
_KEPT = (0.25, 0.75)
"""Of a clip that is cut short."""


def in_turn(said: Iterable[Said], acoustics: Acoustics, sample_rate: int, rng: Generator) -> tuple[Waveform, Alignment]:
    """Each sentence between its pauses."""
    parts, alignment, length = [], Alignment((), ()), 0
    for one in said:
        samples, own = _sound(one, sample_rate)
        before, after = acoustics.pauses(sample_rate, rng)
        alignment += own.shifted((length + before) / sample_rate)
        parts.append(np.pad(samples, (before, after)))
        length += len(parts[-1])
    return np.concatenate(parts), alignment


def render_other(
    kind: str, said: Sequence[Said], graph: WordGraph, acoustics: Acoustics, sample_rate: int, rng: Generator
) -> tuple[str, Waveform, Alignment | None]:
    """A clip that is not on the menu, of one of the kinds of `slu.corpus.other_speech`, and its kind after all: what
    cannot be cut short is played backwards. The alignment is None where phones are not those of the language.
    """
    if kind == CUT and (part := _cut_short(said[0], graph, acoustics, sample_rate, rng)):
        return kind, *part
    if kind in (CUT, BACKWARDS):
        return BACKWARDS, _backwards(said[0], acoustics, sample_rate, rng), None
    if kind == VOICES:
        return kind, _at_once(said, acoustics, sample_rate, rng), None
    samples, alignment = in_turn(said, acoustics, sample_rate, rng)
    return kind, samples, None if kind == FOREIGN else alignment


def _cut_short(
    said: Said, graph: WordGraph, acoustics: Acoustics, sample_rate: int, rng: Generator
) -> tuple[Waveform, Alignment] | None:
    """The beginning or the end of a sentence, up to somewhere within a word; None where the rest is on the menu."""
    samples, alignment = _sound(said, sample_rate)
    duration = len(samples) / sample_rate
    word_starts = {start for _, start, _ in alignment.words}
    places = [s for _, s, _ in alignment.phones if s not in word_starts and _KEPT[0] < s / duration < _KEPT[1]]
    halves = [half for place in places for half in ((0.0, place), (place, duration))]
    for index in rng.permutation(len(halves)):
        start_s, end_s = halves[index]
        part = alignment.part(start_s, end_s)
        if graph.read([word for word, _, _ in part.words]) is not None:
            continue
        sound = samples[int(start_s * sample_rate) : int(end_s * sample_rate)].copy()
        fade = min(int(_FADE_S * sample_rate), len(sound))
        sound[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        sound[len(sound) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        before, after = acoustics.pauses(sample_rate, rng)
        return np.pad(sound, (before, after)), part.shifted(before / sample_rate)
    return None


def _backwards(said: Said, acoustics: Acoustics, sample_rate: int, rng: Generator) -> Waveform:
    return np.pad(_sound(said, sample_rate)[0][::-1], acoustics.pauses(sample_rate, rng))


def _at_once(said: Sequence[Said], acoustics: Acoustics, sample_rate: int, rng: Generator) -> Waveform:
    """As loud as each other, give or take, and each from a moment of its own; as long as the longest of them."""
    sounds = [_sound(one, sample_rate)[0] for one in said]
    length = max(len(sound) for sound in sounds)
    total = np.zeros(length, dtype=np.float32)
    for sound in sounds:
        level = max(float(np.sqrt(np.mean(sound**2))), 1e-9)
        sound = np.pad(sound, (0, length - len(sound))) * np.float32(10 ** (rng.uniform(-4.0, 0.0) / 20) / level)
        total += np.roll(sound, int(rng.integers(length)))
    return np.pad(total / np.abs(total).max(), acoustics.pauses(sample_rate, rng))


def _sound(said: Said, sample_rate: int) -> tuple[Waveform, Alignment]:
    sentence, (speech, rate) = said
    samples = soxr.resample(speech.samples.astype(np.float32) / 32768.0, rate, sample_rate)
    return samples.astype(np.float32), align(speech, rate, sentence.text, sentence.spoken)
