"""How each word is said, learnt from where it was heard."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import accumulate

from slu.decoding.alignment import Alignment

Lexicon = Mapping[str, tuple[tuple[str, ...], ...]]
"""Word -> its pronunciations, the most frequent one first, each a tuple of phones."""


def lexicon_of(
    alignments: Iterable[Alignment], share: float = 0.9, most: int = 4
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Of every word the most frequent pronunciations, until they cover `share` of its occurrences; `most` at most."""
    heard: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for alignment in alignments:
        for word, phones in alignment.pronunciations():
            if phones:
                heard[word][phones] += 1
    return {word: _frequent(heard[word], share, most) for word in sorted(heard)}


def _frequent(counts: Counter[tuple[str, ...]], share: float, most: int) -> tuple[tuple[str, ...], ...]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    covered = accumulate(count for _, count in ranked)
    wanted = 1 + sum(so_far < share * counts.total() for so_far in covered)
    return tuple(phones for phones, _ in ranked[: min(wanted, most)])
