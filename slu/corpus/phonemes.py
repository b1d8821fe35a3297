"""How espeak-ng's rules say single words, and which of them it may say wrongly."""

import ctypes
import multiprocessing
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

import espeakng_loader

from slu.common.errors import UserError
from slu.corpus.phones import phone_name
from slu.decoding.alignment import SILENCE

_SYNCHRONOUS, _UTF8, _PHONEMES, _IPA = 2, 0x1, 0x100, 2
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_BETWEEN = "\x1f"
_IPA_VOWELS = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝ\u0329")  # noqa: RUF001
"""The last one makes a consonant a syllable."""
_TWO_SOUNDS = {"id": ("e", "E", "@"), "ms": ("e", "E", "@")}
"""Language -> a letter that spelling leaves open, as espeak-ng says it by default, and the other way."""


@dataclass(frozen=True)
class Spoken:
    word: str
    mnemonics: str
    """In espeak-ng's own notation, as `pronunciations` of a menu take it."""
    ipa: str
    phones: tuple[str, ...]
    """As the lexicon names them."""
    doubt: str = ""
    """Why it may be said wrongly; empty where nothing is suspicious."""


def speak_words(words: Sequence[str], language: str) -> dict[str, Spoken]:
    """In a process of its own, for the library keeps state. `[[...]]` is phonemes, as in sentences.

    Raises UserError when espeak-ng does not speak the language.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        try:
            return dict(zip(words, executor.submit(_speak_words, list(words), language).result(), strict=True))
        except BrokenProcessPool:
            raise UserError("the espeak-ng process ended unexpectedly; run the command again") from None


def _speak_words(words: list[str], language: str) -> list[Spoken]:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    if library.espeak_Initialize(_SYNCHRONOUS, 0, str(Path(espeakng_loader.get_data_path()).parent).encode(), 0) <= 0:
        raise UserError("espeak-ng did not start: its data folder is missing or damaged; run `make setup` again")
    if library.espeak_SetVoiceByName(language.encode()) != 0:
        raise UserError(f"espeak-ng does not speak '{language}'")
    callback = _Callback(lambda *_: 0)
    library.espeak_SetSynthCallback(callback)
    # Whether [[...]] is phonemes is remembered from the last synthesis; `espeak_TextToPhonemes` has no flag for it.
    library.espeak_Synth(b"a\0", ctypes.c_size_t(2), 0, 1, 0, _UTF8 | _PHONEMES, None, None)
    translate = library.espeak_TextToPhonemes
    translate.restype = ctypes.c_char_p
    translate.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]

    def phonemes(text: str, mode: int = 0) -> str:
        place, parts = ctypes.c_char_p(text.encode()), []
        while place.value is not None:  # the library moves it on, clause by clause
            parts.append((translate(ctypes.byref(place), _UTF8, mode) or b"").decode())
        return " ".join(part for part in parts if part).strip()

    def phones(text: str) -> tuple[str, ...]:
        names = map(phone_name, phonemes(text, ord(_BETWEEN) << 8).replace(" ", _BETWEEN).split(_BETWEEN))
        return tuple(name for name in names if name != SILENCE and not name.startswith("("))

    spoken = []
    for word in words:
        said = Spoken(word, phonemes(word), phonemes(word, _IPA), phones(word))
        letters = tuple(phone for letter in word for phone in phones(letter)) if _is_cased(word) else ()
        spoken.append(replace(said, doubt=_doubt(said, letters, language)))
    return spoken


def _is_cased(word: str) -> bool:
    """Of an alphabet: where every sign is a word, spelling says nothing."""
    return len(word) > 1 and all(letter.upper() != letter.lower() for letter in word)


def _doubt(said: Spoken, letters: tuple[str, ...], language: str) -> str:
    """`letters`: the phones of the word's letters, each said alone."""
    if said.word.startswith("[["):
        return ""
    if any(character.isdigit() for character in said.word):
        return "a number: write it in words, as people say it"
    if strange := [c for c in said.word if unicodedata.category(c)[0] not in "LM" and c not in "'\u2019-."]:
        return f"'{strange[0]}' is no letter"
    if not said.phones:
        return "nothing is said"
    if "(" in said.mnemonics:
        return f"said by the rules of another language, {said.mnemonics.partition('(')[2].partition(')')[0]}"
    if said.phones == letters:
        return "spelt letter by letter"
    if not set(said.ipa) & _IPA_VOWELS:
        return "said without a vowel"
    if len(said.word) > 1 and said.word.isupper():
        return "capitals, but said as a word"
    if language in _TWO_SOUNDS:
        letter, default, other = _TWO_SOUNDS[language]
        if letter in said.word.lower() and default in said.phones:
            return f"'{letter}' said as {default}; spelling does not tell whether it is {other}"
    return ""
