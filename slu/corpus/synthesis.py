"""A corpus spoken by espeak-ng from a menu: same settings and seed, same bytes.

Another process speaks (slu.corpus.speaking); this one places each utterance in its room, adds the noise
floor that every real recording has, and writes FLAC and what is heard when. Clips of other speech, and without any
voice, can be added.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from numpy.random import Generator

from slu.audio.decode import Waveform
from slu.common.files import atomic_directory
from slu.corpus.alignments import write_alignments
from slu.corpus.menu import Menu, Sentence
from slu.corpus.no_voice import SOURCE, draw_no_voice
from slu.corpus.other_speech import SOURCE as OTHER_SPEECH
from slu.corpus.other_speech import OtherClip
from slu.corpus.rendering import in_turn, render_other
from slu.corpus.speaking import Item, speak_all
from slu.corpus.synthesis_plan import SPLITS, SynthesisSettings, Utterance, plan, plan_other
from slu.corpus.voices import Speaker
from slu.decoding.alignment import Alignment

# Raised whenever the same settings would give other bytes, so that older corpora count as stale.
VERSION = 1


def synthesise(
    menu: Menu, settings: SynthesisSettings, folder: Path, progress: Callable[[int, int], None]
) -> pd.DataFrame:
    """Write `folder/audio/*.flac` and their alignments, and return the manifest; the folder appears only when all is
    done.

    Raises UserError when espeak-ng cannot speak the menu's language or one of the voices.
    """
    utterances, others = plan(menu, settings), plan_other(menu, settings)
    with atomic_directory(folder) as target:
        total = len(utterances) + sum(settings.no_voice.values()) + len(others)
        corpus = _Writer(target, settings, progress, total)
        _speak_menu(menu, utterances, settings, corpus)
        longest = corpus.longest
        for split, number in ((s, n) for s in SPLITS for n in range(settings.no_voice.get(s, 0))):
            rng = np.random.default_rng([settings.seed, len(SPLITS) + 2, SPLITS.index(split), number])
            kind, samples = draw_no_voice(settings.sample_rate, settings.acoustics.level_db, rng)
            row = {"speaker": f"{split}-none-{number:03d}", "split": split, "text": kind, "source": SOURCE}
            corpus.add(f"{split}_none_{number:06d}", samples, Alignment((), ()), row)
        _speak_other(menu, others, settings, longest, corpus)
        write_alignments(target, corpus.alignments)
        manifest = pd.DataFrame(corpus.rows).fillna("")
        manifest.to_csv(target / "metadata.csv", index=False)
    return manifest


class _Writer:
    """Collects the rows of the manifest, and writes the clips."""

    def __init__(
        self, target: Path, settings: SynthesisSettings, progress: Callable[[int, int], None], total: int
    ) -> None:
        self.target, self.sample_rate, self.progress, self.total = target, settings.sample_rate, progress, total
        self.rows: list[dict[str, str]] = []
        self.alignments: dict[str, Alignment] = {}
        self.longest = 0
        """Samples of the longest clip so far."""
        (target / "audio").mkdir()

    def add(self, name: str, samples: Waveform, alignment: Alignment | None, row: Mapping[str, str]) -> None:
        place = f"audio/{name}.flac"
        encoded = io.BytesIO()  # libsndfile does not tell a full disk from other mishaps, Python does
        sf.write(encoded, np.round(samples * 32767).astype(np.int16), self.sample_rate, format="FLAC")
        (self.target / place).write_bytes(encoded.getbuffer())
        self.rows.append({"file_name": place, **row})
        if alignment is not None:
            self.alignments[place] = alignment
        self.longest = max(self.longest, len(samples))
        self.progress(len(self.rows), self.total)


def _speak_menu(menu: Menu, utterances: list[Utterance], settings: SynthesisSettings, corpus: _Writer) -> None:
    pairs = [(sentence, u.speaker) for u in utterances for sentence in u.sentences]
    items = _items(pairs, np.random.default_rng([settings.seed, len(SPLITS) + 1]))
    spoken = speak_all(items, settings.seed, _invented(u.speaker for u in utterances))
    for index, utterance in enumerate(utterances):
        rng = np.random.default_rng([settings.seed, len(SPLITS), index])
        said = zip(utterance.sentences, spoken, strict=False)
        samples, alignment = in_turn(said, settings.acoustics, settings.sample_rate, rng)
        train = utterance.split == "train"
        samples = settings.acoustics.recorded(samples, settings.sample_rate, rng, in_rooms=train)
        row = _row(utterance, several_languages=len(menu.spoken_languages) > 1)
        corpus.add(f"{utterance.split}_{index:06d}", samples, alignment, row)


def _speak_other(
    menu: Menu, others: list[tuple[str, OtherClip]], settings: SynthesisSettings, longest: int, corpus: _Writer
) -> None:
    """Cut to the `longest` clip of the menu, in samples: length alone should not give it away."""
    if not others:
        return
    graph, acoustics, rate = menu.word_graph(), settings.acoustics, settings.sample_rate
    pairs = [pair for _, clip in others for pair in clip.said]
    items = _items(pairs, np.random.default_rng([settings.seed, len(SPLITS) + 5]))
    spoken = speak_all(items, settings.seed, _invented(speaker for _, speaker in pairs))
    for index, (split, clip) in enumerate(others):
        rng = np.random.default_rng([settings.seed, len(SPLITS) + 6, index])
        said = list(zip((sentence for sentence, _ in clip.said), spoken, strict=False))
        kind, samples, alignment = render_other(clip.kind, said, graph, acoustics, rate, rng)
        if len(samples) > longest:
            samples, alignment = samples[:longest], alignment and alignment.part(0.0, longest / rate)
        samples = acoustics.recorded(samples, rate, rng, in_rooms=split == "train")
        row = {
            "speaker": clip.speaker.name,
            "split": split,
            "text": " / ".join(sentence.text for sentence, _ in clip.said),
            "source": f"{OTHER_SPEECH}: {kind}",
        }
        corpus.add(f"{split}_other_{index:06d}", samples, alignment, row)


def _row(utterance: Utterance, *, several_languages: bool) -> dict[str, str]:
    speaker = utterance.speaker
    return {
        **utterance.sentence.labels,
        **speaker.labels,
        "speaker": speaker.name,
        "split": utterance.split,
        "text": " ".join(sentence.text for sentence in utterance.sentences),
        **({"language": speaker.language} if several_languages else {}),
        "source": f"espeak-ng {speaker.language}",
    }


def _invented(speakers: Iterable[Speaker]) -> dict[str, str]:
    return {speaker.voice: speaker.variant_text for speaker in speakers if speaker.variant_text}


def _items(pairs: Iterable[tuple[Sentence, Speaker]], rng: Generator) -> list[Item]:
    """Every sentence at its speaker's pace and pitch, give or take a tenth: people are not metronomes."""
    items = []
    for sentence, speaker in pairs:
        rate = round(speaker.prosody.rate * rng.uniform(0.9, 1.1))
        step = int(rng.integers(-8, 9))
        pitch = speaker.prosody.pitch if speaker.pitch_hz else int(np.clip(speaker.prosody.pitch + step, 0, 99))
        prosody = replace(speaker.prosody, rate=rate, pitch=pitch)
        pitch_hz = speaker.pitch_hz * 2 ** (step / 125)
        items.append(Item(sentence.spoken, speaker.language, speaker.voice, prosody, pitch_hz))
    return items
