"""How much room text takes, so that it can be made to fit its box before anybody opens the file.

Widths are those of DejaVu Sans, which comes with Matplotlib and so is the same everywhere, scaled to Arial; the
scale is on the wide side. What does not fit even at the smallest size is shortened, and ends in an ellipsis.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from matplotlib.font_manager import FontProperties, fontManager, get_font

Face = Literal["plain", "bold", "mono"]

SMALLEST = 12.0
"""Points. Nobody at the back of a room reads less."""
LINE = 1.2
"""Height of a line over the size of its letters."""
GAP = 0.45
"""Space between paragraphs over the size of the letters."""

_SCALE = {"plain": 0.92, "bold": 0.88, "mono": 1.0}
_POINTS = 72.0


@cache
def _character_width(character: str, face: Face) -> float:
    """In multiples of the size."""
    family = "DejaVu Sans Mono" if face == "mono" else "DejaVu Sans"
    properties = FontProperties(family=family, weight="bold" if face == "bold" else "normal")
    font = get_font(fontManager.findfont(properties))
    if not font.get_char_index(ord(character)):
        return 1.0  # another script; its characters are at most as wide as high
    font.set_size(100, 72)
    glyph = font.load_char(ord(character))
    return float(glyph.linearHoriAdvance) / 65536 / 100 * _SCALE[face]


def text_width(text: str, size: float, face: Face = "plain") -> float:
    """Inches, on one line."""
    return sum(_character_width(c, face) for c in text) * size / _POINTS


def wrap(text: str, width: float, size: float, face: Face = "plain") -> list[str]:
    """Lines of at most `width` inches; a word that is longer than a line is broken."""
    lines: list[str] = []
    words: list[str] = []
    used, space = 0.0, text_width(" ", size, face)
    for word in text.split(" "):
        needed = text_width(word, size, face)
        if words and used + space + needed > width:
            lines.append(" ".join(words))
            words, used = [], 0.0
        while not words and needed > width and len(word) > 1:
            cut = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or text_width(word[:n], size, face) <= width)
            lines.append(word[:cut])
            word = word[cut:]
            needed = text_width(word, size, face)
        used += needed + (space if words else 0.0)
        words.append(word)
    return [*lines, " ".join(words)]


def text_height(paragraphs: Sequence[str], width: float, size: float, face: Face = "plain", gap: float = GAP) -> float:
    """Inches."""
    lines = sum(len(wrap(paragraph, width, size, face)) for paragraph in paragraphs)
    return (lines * LINE + max(0, len(paragraphs) - 1) * gap) * size / _POINTS


@dataclass(frozen=True)
class Fitted:
    size: float
    paragraphs: list[str]


def fit(
    paragraphs: Sequence[str],
    width: float,
    height: float,
    largest: float,
    smallest: float = SMALLEST,
    face: Face = "plain",
    gap: float = GAP,
) -> Fitted:
    """The largest size at which the text fits into the box (inches); at the smallest it is shortened."""
    size = largest
    while size > smallest and text_height(paragraphs, width, size, face, gap) > height:
        size = max(smallest, size - 1)
    if text_height(paragraphs, width, size, face, gap) <= height:
        return Fitted(size, list(paragraphs))
    kept: list[str] = []
    for paragraph in paragraphs:
        if text_height([*kept, paragraph], width, size, face, gap) <= height:
            kept.append(paragraph)
            continue
        left = height - text_height([*kept, ""], width, size, face, gap) + LINE * size / _POINTS
        room = int(left / (LINE * size / _POINTS) + 1e-6)
        if room >= 1 or not kept:
            kept.append(shorten(paragraph, max(1, room), width, size, face))
        else:
            kept[-1] = shorten(f"{kept[-1]} …", len(wrap(kept[-1], width, size, face)), width, size, face)
        break
    return Fitted(size, kept)


def shorten(text: str, lines: int, width: float, size: float, face: Face = "plain") -> str:
    """To so many lines; what is left out shows as an ellipsis. Whole words, unless the next one is a long one."""

    def fits(candidate: str) -> bool:
        return len(wrap(candidate, width, size, face)) <= lines

    if fits(text):
        return text
    words = text.split(" ")
    kept = _most(len(words) - 1, lambda n: fits(" ".join(words[:n]) + " …"))
    start, word = "".join(f"{w} " for w in words[:kept]), words[kept]
    if kept and text_width(word, size, face) < width / 2:
        return f"{start}…"
    return f"{start}{word[: _most(len(word), lambda n: fits(f'{start}{word[:n]}…'))]}…"


def _most(largest: int, fits: Callable[[int], bool]) -> int:
    """The largest number that fits, of 0 (which is taken as it is) to `largest`; what fits more fits less."""
    low, high = 0, largest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
