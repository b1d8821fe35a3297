"""A thin binding to espeak-ng (the library and voices of the `espeakng-loader` package).

The library keeps global state, so one process has one engine, and the same calls in the same order
in a fresh process give the same bytes (with the seed of its own generator set). espeak-ng is GPL-3.0:
it is called as a dependency and nothing of it lives here.
"""

import ctypes
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from slu.common.errors import UserError

_SYNCHRONOUS, _PHONEME_EVENTS = 2, 0x1
_LIST_END, _WORD_EVENT, _PHONEME_EVENT = 0, 1, 7
_UTF8, _PHONEMES = 0x1, 0x100
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7
_MAX_VOICES = 349


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h; `id` is a union whose largest member has 8 bytes."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Prosody:
    """espeak's own units: words per minute, pitch and its range 0-100, extra gap between words in 10 ms."""

    rate: int = 175
    pitch: int = 50
    pitch_range: int = 50
    word_gap: int = 0


@dataclass(frozen=True)
class Speech:
    samples: NDArray[np.int16]
    words: tuple[tuple[int, int, float], ...]
    """Per word: position of its first character (from 0), number of characters, start in seconds. Two words that
    espeak-ng says as one, as in "on the", are one here."""
    phones: tuple[tuple[str, float, int], ...] = ()
    """Per phone: espeak-ng's name with stress marks (`_` and what begins with it is a pause), start in seconds (of a
    stop: of its release), and the index of its word, -1 before the first."""


def variants() -> list[str]:
    """Names of the shipped voice variants; an unknown name would silently fall back to the plain voice."""
    return sorted(p.name for p in (_data_path() / "voices" / "!v").iterdir())


def variant_text(name: str) -> str:
    """The file of a shipped variant."""
    return (_data_path() / "voices" / "!v" / name).read_text(encoding="utf-8", errors="ignore")


def _data_path() -> Path:
    return Path(espeakng_loader.get_data_path())


class Engine:
    """The engine of this process. `extra_variants` maps new variant names to the text of their files.

    `languages` are those that will be spoken when there are extra variants: espeak-ng lists at most 350
    voices, and silently loses the rest, so the other languages make room for the new variants; so do the shipped
    variants where `shipped` says that none of them will speak.
    """

    def __init__(
        self,
        seed: int,
        extra_variants: Mapping[str, str] | None = None,
        languages: Sequence[str] = (),
        *,
        shipped: bool = True,
    ) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        data = _data_path()
        if extra_variants:
            self._folder = tempfile.TemporaryDirectory(prefix="slu-espeak-")
            folder = Path(self._folder.name) / "espeak-ng-data"
            data = _with_variants(data, folder, extra_variants, languages, shipped)
        self._known = {p.name for p in (data / "voices" / "!v").iterdir()}
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self.sample_rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, str(data.parent).encode(), _PHONEME_EVENTS)
        if self.sample_rate <= 0:
            raise UserError("espeak-ng did not start: its data folder is missing or damaged; run `make setup` again")
        self._lib.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        self._blocks: list[NDArray[np.int16]] = []
        self._words: list[tuple[int, int, float]] = []
        self._phones: list[tuple[str, float, int]] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only a pointer to it
        self._lib.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def _receive(
        self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        if samples and count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _LIST_END:
            event = events[index]
            start_s = event.sample / self.sample_rate
            if event.type == _WORD_EVENT:
                self._words.append((event.text_position - 1, event.length, start_s))
            elif event.type == _PHONEME_EVENT:
                self._phones.append((event.id.decode(errors="replace"), start_s, len(self._words) - 1))
            index += 1
        return 0

    def set_voice(self, language: str, variant: str = "") -> None:
        """Raises UserError for a language or a variant that espeak-ng does not have."""
        name = f"{language}+{variant}" if variant else language
        if name == self._voice:
            return
        if variant and variant not in self._known:
            raise UserError(f"espeak-ng has no voice variant '{variant}'")
        if self._lib.espeak_SetVoiceByName(name.encode()) != 0:
            raise UserError(f"espeak-ng does not speak '{language}'")
        self._voice = name

    def speak(self, text: str, prosody: Prosody = Prosody()) -> Speech:
        """Samples at `self.sample_rate` Hz. The voice is the one set last; `[[...]]` in the text is phonemes."""
        for parameter, value in (
            (_RATE, prosody.rate),
            (_PITCH, prosody.pitch),
            (_RANGE, prosody.pitch_range),
            (_WORD_GAP, prosody.word_gap),
        ):
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._blocks, self._words, self._phones = [], [], []
        data = text.encode() + b"\0"
        status = self._lib.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, _UTF8 | _PHONEMES, None, None)
        if status != 0 or not self._blocks:
            raise UserError(f"espeak-ng could not say '{text}'")
        return Speech(np.concatenate(self._blocks), tuple(self._words), tuple(self._phones))


def _with_variants(data: Path, target: Path, extra: Mapping[str, str], languages: Sequence[str], shipped: bool) -> Path:
    """A data folder of links to the package's own files, plus the extra variant files."""
    if len(variants()) * shipped + len(languages) + len(extra) >= _MAX_VOICES:
        raise UserError(f"voices: {len(extra)} invented variants are too many; espeak-ng lists {_MAX_VOICES} voices")
    for source in data.rglob("*"):
        place = source.relative_to(data)
        link = target / place
        if place.parts[0] == "lang" and source.is_file() and not _speaks(source, languages):
            continue
        if place.parts[:2] == ("voices", "!v") and source.is_file() and not shipped:
            continue
        if source.is_dir():
            link.mkdir(parents=True, exist_ok=True)
        else:
            link.parent.mkdir(parents=True, exist_ok=True)
            try:
                link.symlink_to(source)
            except OSError:  # a file system without links
                shutil.copyfile(source, link)
    for name, text in extra.items():
        (target / "voices" / "!v" / name).write_text(text)
    return target


def _speaks(voice: Path, languages: Sequence[str]) -> bool:
    """Whether a language file answers to one of the names; `en` lists itself as en-gb too, `en-US` as en-us."""
    lines = voice.read_text(encoding="utf-8", errors="ignore").splitlines()
    names = {voice.name.lower(), *(line.split()[1].lower() for line in lines if line.startswith("language "))}
    return any(language.lower() in names for language in languages)
