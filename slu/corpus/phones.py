"""espeak-ng's phones, reduced to what a short frame of sound can tell apart: 25 to 45 per language."""

import re

from slu.decoding.alignment import SILENCE

_STRESS = "',%="
_VARIANT = re.compile(r"(?<=.)[0-9:#\-\[\]_!|/]+$")
_ALIASES = {
    "a#": "@",  # the reduced vowel of the article "a"
    ";": "j",  # the glide between "me" and "a"
    "@L": "l",  # the last sound of "little"
    "*": "R",
    "**": "R",
    "o@": "O@",
    "aa": "a",
    "VR": "3",
    "IR": "3",
    "ss": "s",
    "?": SILENCE,  # a glottal stop is a gap
    "!": SILENCE,
}


def phone_name(mnemonic: str) -> str:
    """The phone that an espeak-ng mnemonic stands for: without stress, length and the number of its variant.

    `'i:` is i, `R2` is R, `t#` is t. Diphthongs (`aI`, `A@`), nasal vowels (`O~`) and palatal or retroflex
    consonants (`n^`, `t;`, `t.`) stay phones of their own. What begins with `_` is a pause: SILENCE.
    """
    bare = mnemonic.lstrip(_STRESS)
    if not bare or bare.startswith(SILENCE):
        return SILENCE
    bare = _ALIASES.get(bare, bare)
    bare = _VARIANT.sub("", bare)
    return _ALIASES.get(bare, bare)
