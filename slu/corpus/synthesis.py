"""A corpus spoken by espeak-ng from a menu: same settings and seed, same bytes.

Another process speaks (slu.corpus.speaking); this one places each utterance in its room, adds the noise
floor that every real recording has, and writes FLAC. Clips without any voice can be added.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
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
from slu.corpus.aligning import align
from slu.corpus.alignments import write_alignments
from slu.corpus.espeak import Speech
from slu.corpus.menu import Menu, Sentence, draw_sentences
from slu.corpus.no_voice import SOURCE, draw_no_voice
from slu.corpus.speaking import Item, speak_all
from slu.corpus.voices import Speaker, VoiceSettings, draw_speakers
from slu.decoding.alignment import Alignment

SPLITS = ("train", "val", "test")
Count = Annotated[int, Field(ge=1)]
# Raised whenever the same settings would give other bytes, so that older corpora count as stale.
VERSION = 1


@dataclass(frozen=True)
class Acoustics:
    """How a spoken utterance becomes a recording. Ranges are drawn uniformly per clip."""

    pause_s: tuple[float, float] = (0.05, 0.5)
    """Room tone before and after each sentence."""
    level_db: tuple[float, float] = (-35.0, -15.0)
    floor_snr_db: tuple[float, float] = (30.0, 55.0)
    room_share: float = 0.0
    """Share of the training clips that get a generated room; validation and test get none."""
    room_rt60_s: tuple[float, float] = (0.1, 0.5)
    room_direct_db: tuple[float, float] = (0.0, 12.0)


@dataclass(frozen=True)
class SynthesisSettings:
    counts: dict[str, Count]
    """Clips per split."""
    seed: Annotated[int, Field(ge=0)]
    sample_rate: Annotated[int, Field(ge=8000)]
    voices: VoiceSettings
    acoustics: Acoustics
    no_voice: dict[str, Annotated[int, Field(ge=0)]] = field(default_factory=dict)
    """Clips per split that hold no voice, without labels."""
    sentences: tuple[Count, Count] = (1, 1)
    """Fewest and most in a clip, by one speaker in one room: eight or so are a recording of half a minute."""

    def __post_init__(self) -> None:
        if self.sentences[0] > self.sentences[1]:
            raise ValueError("sentences: the fewest of a clip come first")


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
        rng = np.random.default_rng([settings.seed, index])
        speakers = draw_speakers(settings.voices, menu.spoken_languages, split, rng)
        own = menu.spoken_languages  # other languages of speakers are accents, in which they read the menu's one
        languages = [s.language if s.language in own else own[0] for s in speakers]
        draw_more = np.random.default_rng([settings.seed, len(SPLITS) + 3, index])
        for number, sentence in enumerate(draw_sentences(menu, settings.counts[split], rng, languages)):
            turn = number % len(speakers)
            count = int(draw_more.integers(settings.sentences[0] - 1, settings.sentences[1]))
            more = tuple(draw_sentences(menu, count, draw_more, [languages[turn]]))
            utterances.append(Utterance(sentence, speakers[turn], split, more))
    return utterances


def synthesise(
    menu: Menu, settings: SynthesisSettings, folder: Path, progress: Callable[[int, int], None]
) -> pd.DataFrame:
    """Write `folder/audio/*.flac` and their alignments, and return the manifest; the folder appears only when all is
    done.

    Raises UserError when espeak-ng cannot speak the menu's language or one of the voices.
    """
    utterances = plan(menu, settings)
    total = len(utterances) + sum(settings.no_voice.values())
    spoken = speak_all(_items(utterances, settings.seed), settings.seed, _invented(utterances))
    rows: list[dict[str, str]] = []
    alignments: dict[str, Alignment] = {}
    with atomic_directory(folder) as target:
        (target / "audio").mkdir()
        for index, utterance in enumerate(utterances):
            rng = np.random.default_rng([settings.seed, len(SPLITS), index])
            said = zip(utterance.sentences, spoken, strict=False)
            samples, alignment = _record(said, utterance.split, settings, rng)
            name = f"audio/{utterance.split}_{index:06d}.flac"
            _write(target / name, samples, settings.sample_rate)
            alignments[name] = alignment
            rows.append(_row(name, utterance, several_languages=len(menu.spoken_languages) > 1))
            progress(len(rows), total)
        for split, number in ((s, n) for s in SPLITS for n in range(settings.no_voice.get(s, 0))):
            rng = np.random.default_rng([settings.seed, len(SPLITS) + 2, SPLITS.index(split), number])
            kind, samples = draw_no_voice(settings.sample_rate, settings.acoustics.level_db, rng)
            name = f"audio/{split}_none_{number:06d}.flac"
            _write(target / name, samples, settings.sample_rate)
            alignments[name] = Alignment((), ())
            speaker = f"{split}-none-{number:03d}"
            rows.append({"file_name": name, "speaker": speaker, "split": split, "text": kind, "source": SOURCE})
            progress(len(rows), total)
        write_alignments(target, alignments)
        manifest = pd.DataFrame(rows).fillna("")
        manifest.to_csv(target / "metadata.csv", index=False)
    return manifest


def _write(path: Path, samples: Waveform, sample_rate: int) -> None:
    encoded = io.BytesIO()  # libsndfile does not tell a full disk from other mishaps, Python does
    sf.write(encoded, np.round(samples * 32767).astype(np.int16), sample_rate, format="FLAC")
    path.write_bytes(encoded.getbuffer())


def _row(name: str, utterance: Utterance, *, several_languages: bool) -> dict[str, str]:
    speaker = utterance.speaker
    return {
        "file_name": name,
        **utterance.sentence.labels,
        **speaker.labels,
        "speaker": speaker.name,
        "split": utterance.split,
        "text": " ".join(sentence.text for sentence in utterance.sentences),
        **({"language": speaker.language} if several_languages else {}),
        "source": f"espeak-ng {speaker.language}",
    }


def _invented(utterances: list[Utterance]) -> dict[str, str]:
    return {u.speaker.voice: u.speaker.variant_text for u in utterances if u.speaker.variant_text}


def _record(
    said: Iterable[tuple[Sentence, tuple[Speech, int]]], split: str, settings: SynthesisSettings, rng: Generator
) -> tuple[Waveform, Alignment]:
    """One clip of what is said one after the other, and what is heard when."""
    acoustics, parts, alignment, length = settings.acoustics, [], Alignment((), ()), 0
    for sentence, (speech, rate) in said:
        samples = soxr.resample(speech.samples.astype(np.float32) / 32768.0, rate, settings.sample_rate)
        before, after = (int(rng.uniform(*acoustics.pause_s) * settings.sample_rate) for _ in range(2))
        start_s = (length + before) / settings.sample_rate
        alignment += align(speech, rate, sentence.text, sentence.spoken).shifted(start_s)
        parts.append(np.pad(samples, (before, after)).astype(np.float32))
        length += len(parts[-1])
    samples = np.concatenate(parts)
    if split == "train" and rng.random() < acoustics.room_share:
        response = room_response(
            settings.sample_rate, rng.uniform(*acoustics.room_rt60_s), rng.uniform(*acoustics.room_direct_db), rng
        )
        samples = reverberate(samples, response)
    floor = coloured_noise(len(samples), rng.uniform(0.0, 6.0), rng)
    samples = mix(samples, floor, rng.uniform(*acoustics.floor_snr_db))
    level = 10 ** (rng.uniform(*acoustics.level_db) / 20)
    samples *= level / max(float(np.sqrt(np.mean(samples**2))), 1e-9)
    return samples / max(1.0, float(np.abs(samples).max())), alignment


def _items(utterances: list[Utterance], seed: int) -> list[Item]:
    """Every sentence at its speaker's pace and pitch, give or take a tenth: people are not metronomes."""
    rng = np.random.default_rng([seed, len(SPLITS) + 1])
    items = []
    for sentence, speaker in ((s, u.speaker) for u in utterances for s in u.sentences):
        rate = round(speaker.prosody.rate * rng.uniform(0.9, 1.1))
        step = int(rng.integers(-8, 9))
        pitch = speaker.prosody.pitch if speaker.pitch_hz else int(np.clip(speaker.prosody.pitch + step, 0, 99))
        prosody = replace(speaker.prosody, rate=rate, pitch=pitch)
        pitch_hz = speaker.pitch_hz * 2 ** (step / 125)
        items.append(Item(sentence.spoken, speaker.language, speaker.voice, prosody, pitch_hz))
    return items
