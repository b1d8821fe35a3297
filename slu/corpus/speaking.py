"""One fresh process that speaks a whole list in order: the library keeps state between calls.

A voice with a stated pitch is measured as it speaks: where the median fundamental of a clip is not what it should be
(languages, words and moods move it by up to a third), the clip is spoken again with the pitch corrected.
"""

import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import numpy as np

from slu.audio.pitch import median_pitch
from slu.common.errors import UserError
from slu.corpus.espeak import Engine, Prosody, Speech

_CHUNK = 32
_TRIES = 4
_CORRECTED = (25, 95)
"""Bounds of the corrected pitch in espeak's units; further down it falls below zero hertz, and crashes."""
_NEAR = 1.07
"""A clip whose pitch is within this factor of what was asked is kept."""
_SEARCH = 1.8
"""The pitch is looked for within this factor of what was asked: an octave's error would be corrected away from it."""


@dataclass(frozen=True)
class Item:
    """What is said, in which voice and how."""

    text: str
    language: str
    variant: str
    prosody: Prosody
    pitch_hz: float = 0.0
    """Median fundamental of the clip; 0: whatever the voice and the prosody give."""


def speak_all(items: Sequence[Item], seed: int, variants: Mapping[str, str]) -> Iterator[tuple[Speech, int]]:
    """The speech and its sample rate, item by item. `variants` maps invented variants to the text of their files.

    Raises UserError when espeak-ng cannot speak a language or does not have a voice.
    """
    languages = sorted({item.language for item in items})
    chunks = [items[i : i + _CHUNK] for i in range(0, len(items), _CHUNK)]
    context = multiprocessing.get_context("spawn")
    shipped = any(item.variant not in variants for item in items)
    arguments = (seed, dict(variants), languages, shipped)
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=_start, initargs=arguments)
    try:
        for chunk in executor.map(_speak_chunk, chunks):
            yield from chunk
    except BrokenProcessPool:
        raise UserError("the espeak-ng process ended unexpectedly; run the command again") from None
    finally:
        executor.shutdown(cancel_futures=True)


# The child process: one engine, kept in a global. The initialiser only notes its settings: what it raises
# would be lost, whereas what a task raises reaches the parent.
_settings: tuple[int, dict[str, str], list[str], bool]
_engine: Engine | None = None


def _start(seed: int, extra: dict[str, str], languages: list[str], shipped: bool) -> None:
    global _settings
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    _settings = (seed, extra, languages, shipped)


def _speak_chunk(items: list[Item]) -> list[tuple[Speech, int]]:
    global _engine
    if _engine is None:
        seed, extra, languages, shipped = _settings
        _engine = Engine(seed, extra, languages, shipped=shipped)
    return [(speak_item(_engine, item), _engine.sample_rate) for item in items]


def speak_item(engine: Engine, item: Item) -> Speech:
    """Of at most four tries the one whose pitch is nearest to what was asked, or the first that is near enough."""
    engine.set_voice(item.language, item.variant)
    speech = engine.speak(item.text, item.prosody)
    if not item.pitch_hz:
        return speech
    prosody, best, nearest = item.prosody, speech, np.inf
    for attempt in range(_TRIES):
        if attempt:
            speech = engine.speak(item.text, prosody)
        samples = speech.samples.astype(np.float32) / 32768.0
        heard = median_pitch(samples, engine.sample_rate, item.pitch_hz / _SEARCH, item.pitch_hz * _SEARCH)
        distance = abs(np.log(item.pitch_hz / heard)) if heard else np.inf
        if distance < nearest:
            best, nearest = speech, distance
        if heard is None or distance < np.log(_NEAR):
            break
        # espeak-ng doubles the base of the voice's pitch in 50 steps.
        step = round(50 * float(np.log2(item.pitch_hz / heard)))
        corrected = int(np.clip(prosody.pitch + (step or int(np.sign(item.pitch_hz - heard))), *_CORRECTED))
        if corrected == prosody.pitch:
            break
        prosody = replace(prosody, pitch=corrected)
    return best
