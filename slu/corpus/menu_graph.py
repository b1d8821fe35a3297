"""From the sentences of a menu to its word graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slu.corpus.menu_grammar import is_plain
from slu.corpus.menu_parts import AnyOrder, Choice, InOrder, Part, Slot, Text
from slu.decoding.compact import compact
from slu.decoding.graph import NOT_MENTIONED, Arc, WordGraph
from slu.decoding.words import words_of

_START, _FINAL = 0, 1


def build_graph(sentences: Sequence[Part], forms: Mapping[str, Mapping[str, Sequence[str]]]) -> WordGraph:
    """`forms`: slot -> class -> ways to say it. Every sentence can say every slot, or leave it out.

    Raises ValueError for a slot that is written together with a word.
    """
    builder = _Builder({slot: _trie(classes) for slot, classes in forms.items()})
    for sentence in sentences:
        _check_spaces(sentence)
    builder.choice(Choice(tuple(sentences)), _START, _FINAL)
    return compact(builder.arcs, _START, _FINAL)


@dataclass
class _Trie:
    """The forms of a slot by their words; a class is decided where no other one can follow."""

    words: dict[str, "_Trie"] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    """Classes of which a form ends here."""
    classes: set[str] = field(default_factory=set)


def _trie(classes: Mapping[str, Sequence[str]]) -> _Trie:
    root = _Trie()
    for label, spoken in classes.items():
        for form in spoken:
            place = root
            place.classes.add(label)
            for word in words_of(form):
                place = place.words.setdefault(word, _Trie())
                place.classes.add(label)
            if label not in place.ends:
                place.ends.append(label)
    return root


class _Builder:
    def __init__(self, tries: Mapping[str, _Trie]) -> None:
        self.arcs: list[Arc] = []
        self.tries = tries
        self._last = _FINAL

    def _node(self) -> int:
        self._last += 1
        return self._last

    def part(self, part: Part, source: int, target: int) -> None:
        """Arcs that say the part on the way from `source` to `target`, and decide each of its slots once."""
        if isinstance(part, Text):
            self.words(words_of(part.text), source, target)
        elif isinstance(part, Slot):
            self.slot(part.name, self.tries[part.name], source, target, decided=False)
        elif isinstance(part, InOrder):
            self.sequence(part.parts, source, target)
        elif isinstance(part, Choice):
            self.choice(part, source, target)
        elif isinstance(part, AnyOrder):
            self.any_order(part.parts, source, target)

    def words(self, words: Sequence[str], source: int, target: int) -> None:
        for word in words[:-1]:
            node = self._node()
            self.arcs.append(Arc(source, node, word))
            source = node
        self.arcs.append(Arc(source, target, words[-1] if words else ""))

    def slot(self, name: str, trie: _Trie, source: int, target: int, *, decided: bool) -> None:
        for word, rest in trie.words.items():
            labels = ((name, next(iter(rest.classes))),) if len(rest.classes) == 1 and not decided else ()
            node = self._node()
            self.arcs.append(Arc(source, node, word, labels))
            self.slot(name, rest, node, target, decided=decided or bool(labels))
        for label in trie.ends:
            self.arcs.append(Arc(source, target, "", () if decided else ((name, label),)))

    def sequence(self, parts: Sequence[Part], source: int, target: int) -> None:
        for part in parts[:-1]:
            node = self._node()
            self.part(part, source, node)
            source = node
        if parts:
            self.part(parts[-1], source, target)
        else:
            self.arcs.append(Arc(source, target))

    def choice(self, choice: Choice, source: int, target: int) -> None:
        for option in choice.options:
            node = self._node()
            self.part(option, source, node)
            self.left_out(choice.slots - option.slots, node, target)

    def any_order(self, parts: Sequence[Part], source: int, target: int) -> None:
        """One node per set of parts that were said, instead of one path per order."""
        every = frozenset(range(len(parts)))
        nodes = {frozenset[int](): source}
        waiting = [frozenset[int]()]
        while waiting:
            said = waiting.pop(0)
            rest = every - said
            if all(_may_be_left_out(parts[i]) for i in rest):
                self.left_out(frozenset().union(*(parts[i].slots for i in rest)), nodes[said], target)
            for i in sorted(rest):
                more = said | {i}
                if more not in nodes:
                    nodes[more] = self._node()
                    waiting.append(more)
                self.part(_said(parts[i]), nodes[said], nodes[more])

    def left_out(self, slots: frozenset[str], source: int, target: int) -> None:
        self.arcs.append(Arc(source, target, "", tuple((name, NOT_MENTIONED) for name in sorted(slots))))


def _may_be_left_out(part: Part) -> bool:
    return isinstance(part, Choice) and Text("") in part.options


def _said(part: Part) -> Part:
    if isinstance(part, Choice) and _may_be_left_out(part):
        return Choice(tuple(option for option in part.options if option != Text("")))
    return part


def _check_spaces(sentence: Part) -> None:
    """Drawn as it stands, `{item}nya` would be one word, but here two; spaces are added where there are choices."""
    if not is_plain(sentence) or not isinstance(sentence, InOrder):
        return
    for left, right in zip(sentence.parts, sentence.parts[1:], strict=False):
        before = _last_token(left.text) if isinstance(left, Text) else "x"
        after = _first_token(right.text) if isinstance(right, Text) else "x"
        if words_of(before) and words_of(after):
            slots = ", ".join(f"{{{name}}}" for name in sorted(left.slots | right.slots))
            raise ValueError(f"{slots} is written together with another word; put a space between them")


def _last_token(text: str) -> str:
    return "" if not text or text[-1].isspace() else text.split()[-1]


def _first_token(text: str) -> str:
    return "" if not text or text[0].isspace() else text.split()[0]
