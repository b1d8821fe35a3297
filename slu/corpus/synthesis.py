"""A corpus spoken by espeak-ng from a menu: same settings and seed, same bytes.

One fresh process speaks the whole list in order (the library keeps state between calls); this one
places each utterance in its room, adds the noise floor that every real recording has, and writes FLAC.
"""

import io
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import soundfile as sf
import soxr
from numpy.random import Generator
from pydantic import Field

from slu.audio.decode import Waveform
from slu.audio.noise import coloured_noise, mix, reverberate, room_response
from slu.common.errors import UserError
from slu.common.files import atomic_directory
from slu.corpus.espeak import Engine, Prosody, Speech
from slu.corpus.menu import Menu, Sentence, draw_sentences
from slu.corpus.voices import Speaker, VoiceSettings, draw_speakers

SPLITS = ("train", "val", "test")
_CHUNK = 32
# Raised whenever the same settings would give other bytes, so that older corpora count as stale.
VERSION = 1


@dataclass(frozen=True)
class Acoustics:
    """How a spoken utterance becomes a recording. Ranges are drawn uniformly per clip."""

    pause_s: tuple[float, float] = (0.05, 0.5)
    """Room tone before and after the words."""
    level_db: tuple[float, float] = (-35.0, -15.0)
    floor_snr_db: tuple[float, float] = (30.0, 55.0)
    room_share: float = 0.0
    """Share of the training clips that get a generated room; validation and test get none."""
    room_rt60_s: tuple[float, float] = (0.1, 0.5)
    room_direct_db: tuple[float, float] = (0.0, 12.0)


@dataclass(frozen=True)
class SynthesisSettings:
    counts: dict[str, Annotated[int, Field(ge=1)]]
    """Clips per split."""
    seed: Annotated[int, Field(ge=0)]
    sample_rate: Annotated[int, Field(ge=8000)]
    voices: VoiceSettings
    acoustics: Acoustics


@dataclass(frozen=True)
class Utterance:
    sentence: Sentence
    speaker: Speaker
    split: str


def plan(menu: Menu, settings: SynthesisSettings) -> list[Utterance]:
    """Who says what, in a fixed order: speakers take turns, sentences are balanced over the classes."""
    utterances = []
    for index, split in enumerate(SPLITS):
        rng = np.random.default_rng([settings.seed, index])
        speakers = draw_speakers(settings.voices, menu.language, split, rng)
        for number, sentence in enumerate(draw_sentences(menu, settings.counts[split], rng)):
            utterances.append(Utterance(sentence, speakers[number % len(speakers)], split))
    return utterances


def synthesise(
    menu: Menu, settings: SynthesisSettings, folder: Path, progress: Callable[[int, int], None]
) -> pd.DataFrame:
    """Write `folder/audio/*.flac` and return the manifest; the folder appears only when all is done.

    Raises UserError when espeak-ng cannot speak the menu's language or one of the voices.
    """
    utterances = plan(menu, settings)
    rows = []
    with atomic_directory(folder) as target:
        (target / "audio").mkdir()
        for index, (utterance, (speech, rate)) in enumerate(
            zip(utterances, _speak(utterances, settings.seed), strict=True)
        ):
            rng = np.random.default_rng([settings.seed, len(SPLITS), index])
            samples = _record(speech, rate, utterance.split, settings, rng)
            name = f"audio/{utterance.split}_{index:06d}.flac"
            encoded = io.BytesIO()  # libsndfile does not tell a full disk from other mishaps, Python does
            sf.write(encoded, np.round(samples * 32767).astype(np.int16), settings.sample_rate, format="FLAC")
            (target / name).write_bytes(encoded.getbuffer())
            rows.append(_row(name, utterance))
            progress(index + 1, len(utterances))
        manifest = pd.DataFrame(rows)
        manifest.to_csv(target / "metadata.csv", index=False)
    return manifest


def _row(name: str, utterance: Utterance) -> dict[str, str]:
    return {
        "file_name": name,
        **utterance.sentence.labels,
        "speaker": utterance.speaker.name,
        "split": utterance.split,
        "text": utterance.sentence.text,
        "source": f"espeak-ng {utterance.speaker.language}",
    }


def _record(speech: Speech, rate: int, split: str, settings: SynthesisSettings, rng: Generator) -> Waveform:
    acoustics = settings.acoustics
    samples = soxr.resample(speech.samples.astype(np.float32) / 32768.0, rate, settings.sample_rate)
    before, after = (int(rng.uniform(*acoustics.pause_s) * settings.sample_rate) for _ in range(2))
    samples = np.pad(samples, (before, after)).astype(np.float32)
    if split == "train" and rng.random() < acoustics.room_share:
        response = room_response(
            settings.sample_rate, rng.uniform(*acoustics.room_rt60_s), rng.uniform(*acoustics.room_direct_db), rng
        )
        samples = reverberate(samples, response)
    floor = coloured_noise(len(samples), rng.uniform(0.0, 6.0), rng)
    samples = mix(samples, floor, rng.uniform(*acoustics.floor_snr_db))
    level = 10 ** (rng.uniform(*acoustics.level_db) / 20)
    samples *= level / max(float(np.sqrt(np.mean(samples**2))), 1e-9)
    return samples / max(1.0, float(np.abs(samples).max()))


# The child process: one engine, kept in a global. The initialiser only notes its settings: what it raises
# would be lost, whereas what a task raises reaches the parent.
_settings: tuple[int, dict[str, str], list[str]]
_engine: Engine | None = None


def _start(seed: int, extra: dict[str, str], languages: list[str]) -> None:
    global _settings
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    _settings = (seed, extra, languages)


def _speak_chunk(items: list[tuple[str, str, str, dict[str, int]]]) -> list[tuple[Speech, int]]:
    global _engine
    _engine = _engine or Engine(*_settings)
    spoken = []
    for text, language, variant, prosody in items:
        _engine.set_voice(language, variant)
        spoken.append((_engine.speak(text, Prosody(**prosody)), _engine.sample_rate))
    return spoken


def _speak(utterances: list[Utterance], seed: int) -> Iterator[tuple[Speech, int]]:
    extra = {u.speaker.variant: u.speaker.variant_text for u in utterances if u.speaker.variant_text}
    languages = sorted({u.speaker.language for u in utterances})
    # Every clip at its speaker's pace, give or take a tenth: people are not metronomes.
    rng = np.random.default_rng([seed, len(SPLITS) + 1])
    items = []
    for utterance in utterances:
        prosody = asdict(utterance.speaker.prosody)
        prosody["rate"] = round(prosody["rate"] * rng.uniform(0.9, 1.1))
        prosody["pitch"] = int(np.clip(prosody["pitch"] + rng.integers(-8, 9), 0, 99))
        items.append((utterance.sentence.spoken, utterance.speaker.language, utterance.speaker.variant, prosody))
    chunks = [items[i : i + _CHUNK] for i in range(0, len(items), _CHUNK)]
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=_start, initargs=(seed, extra, languages))
    try:
        for chunk in executor.map(_speak_chunk, chunks):
            yield from chunk
    except BrokenProcessPool:
        raise UserError("the espeak-ng process ended unexpectedly; run the command again") from None
    finally:
        executor.shutdown(cancel_futures=True)
