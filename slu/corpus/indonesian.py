"""Orders in written Indonesian: `catat dua air mineral` is two of mineral water."""

import re
from collections.abc import Sequence

from slu.corpus.manifest import normalise_label

_WORDS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh")
_NUMBERS = {word: str(number) for number, word in enumerate(_WORDS)}


def read_number(text: str) -> str:
    """The digits of `5`, `5.0`, `05` or `lima`; empty when the text is not a whole number."""
    text = normalise_label(text.casefold())
    text = _NUMBERS.get(text, text)
    return (text.lstrip("0") or "0") if text.isascii() and text.isdecimal() else ""


def parse_order(sentence: str, ignored_words: Sequence[str] = ()) -> dict[str, str]:
    """Quantity: the number in the sentence; product: the rest, less the ignored words.

    What the sentence does not say is empty; with two numbers nobody knows which is meant, and both are.
    """
    ignored = {word.casefold() for word in ignored_words}
    words = [word for word in re.findall(r"[^\W_]+", sentence.casefold()) if word not in ignored]
    numbers = [word for word in words if read_number(word)]
    if len(numbers) > 1:
        return {"quantity": "", "product": ""}
    return {
        "quantity": read_number(numbers[0]) if numbers else "",
        "product": " ".join(word for word in words if word not in numbers),
    }
