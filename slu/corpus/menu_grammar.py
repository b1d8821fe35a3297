"""The notation of a menu's sentences, as in Home Assistant's templates: what can be left out, swapped and repeated.

`{size}` a slot · `(a|an)` one of them · `[please]` or not · `([{size}];[{roast}])` in any order · `[um]*2` up to twice.
On every way through a sentence, a slot is said at most once.
"""

import re
from collections.abc import Mapping

from numpy.random import Generator

from slu.corpus.menu_parts import AnyOrder, Choice, InOrder, Part, Slot, Text

_TOKEN = re.compile(r"\{[^{}]*\}|[()\[\]|;]|\*\d+|[^()\[\]{}|;*]+|.", re.DOTALL)
_CLOSING = {"(": ")", "[": "]"}
_MOST_SWAPPED = 5
_MOST_REPEATED = 4


def parse_sentence(text: str) -> Part:
    """Raises ValueError that says what is wrong with the notation."""
    try:
        part, rest = _sequence(_TOKEN.findall(text), closing="")
        if rest:
            raise ValueError(f"a '{rest[0]}' closes nothing")
        _check_once(part)
    except ValueError as error:
        raise ValueError(f"carrier '{text}': {error}") from None
    return part


def is_plain(part: Part) -> bool:
    """Only words and slots: nothing to choose."""
    return all(isinstance(node, Text | Slot | InOrder) for node in part.nodes())


def draw_text(part: Part, wanted: frozenset[str], forms: Mapping[str, str], rng: Generator) -> str:
    """A random sentence that says just the slots `wanted`, each in its form. Plain sentences keep their spacing."""
    texts = part.draw(wanted, forms, rng)
    if is_plain(part):
        return "".join(texts)
    return re.sub(r" +([,.;:!?])", r"\1", " ".join(" ".join(texts).split()))


def _sequence(tokens: list[str], closing: str) -> tuple[Part, list[str]]:
    """What stands before the next `|`, `;` or bracket that closes, and the tokens from there."""
    parts: list[Part] = []
    while tokens:
        token, *rest = tokens
        if token in (")", "]") or (closing and token in ("|", ";")):
            break
        if token in _CLOSING:
            part, tokens = _group(rest, token)
        elif token.startswith("{") and token.endswith("}") and len(token) > 2:
            part, tokens = Slot(token[1:-1]), rest
        elif token in ("{", "}", "{}"):
            raise ValueError(f"'{token}' is not a slot; write one as {{name}}")
        elif token.startswith("*") and len(token) > 1 and parts and isinstance(parts[-1], Choice | AnyOrder):
            part, tokens = _repeated(parts.pop(), int(token[1:])), rest
        else:
            part, tokens = Text(token), rest
        parts.append(part)
    return (parts[0] if len(parts) == 1 else InOrder(tuple(parts))), tokens


def _group(tokens: list[str], opening: str) -> tuple[Part, list[str]]:
    parts, separators = [], set()
    while True:
        part, tokens = _sequence(tokens, _CLOSING[opening])
        parts.append(part)
        if not tokens:
            raise ValueError(f"a '{opening}' is not closed")
        separator, *tokens = tokens
        if separator in (")", "]"):
            break
        separators.add(separator)
    if separator != _CLOSING[opening]:
        raise ValueError(f"a '{opening}' is closed by '{separator}'")
    if len(separators) > 1:
        raise ValueError("'|' and ';' stand in one pair of brackets; put brackets around one of them")
    if any(_is_silent(part) for part in parts):
        raise ValueError(f"a '{opening}' has nothing to say on one side; use [...] for what may be left out")
    if separators == {";"}:
        if len(parts) > _MOST_SWAPPED:
            raise ValueError(f"{len(parts)} parts in any order are too many; {_MOST_SWAPPED} are the most")
        group: Part = AnyOrder(tuple(parts))
        return (group if opening == "(" else Choice((Text(""), group))), tokens
    return Choice((*((Text(""),) if opening == "[" else ()), *parts)), tokens


def _is_silent(part: Part) -> bool:
    return not part.slots and not any(isinstance(node, Text) and node.text.strip() for node in part.nodes())


def _repeated(part: Part, times: int) -> Part:
    if not 1 <= times <= _MOST_REPEATED:
        raise ValueError(f"*{times}: a part is repeated up to {_MOST_REPEATED} times")
    more = part if isinstance(part, Choice) and Text("") in part.options else Choice((Text(""), part))
    return InOrder((part, *[more] * (times - 1)))


def _check_once(part: Part) -> None:
    for node in part.nodes():
        if isinstance(node, InOrder | AnyOrder):
            said: set[str] = set()
            for piece in node.parts:
                if twice := sorted(said & piece.slots):
                    raise ValueError(f"it can say {{{twice[0]}}} more than once")
                said |= piece.slots
