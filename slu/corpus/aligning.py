"""From espeak-ng's events to the alignment of a sentence's own words."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from slu.corpus.espeak import Speech
from slu.corpus.phones import phone_name
from slu.decoding.alignment import SILENCE, Alignment, Interval
from slu.decoding.words import words_of

_TOKEN = re.compile(r"(?:\[\[.*?\]\]|\S)+")
_CLOSURE_S = 0.04
"""espeak-ng reports a voiceless stop at its release; the silence before is a part of it."""
_VOICELESS = ("p", "t", "k", "c", "q")
_SHORTEST_S = 0.005


def spoken_tokens(spoken: str) -> list[str]:
    """What stands between spaces; `[[phonemes]]` stay together."""
    return _TOKEN.findall(spoken)


def align(speech: Speech, sample_rate: int, text: str, spoken: str) -> Alignment:
    """Seconds from the start of the speech. `spoken` is what espeak-ng was given: the text, in which `[[phonemes]]`
    may stand for a word. Every word of the text gets one interval.

    Words that espeak-ng says as one ("on the") share its phones by their numbers of letters.
    """
    starts = [token.start() for token in _TOKEN.finditer(spoken)]
    names = text.split()
    if len(starts) != len(names):
        raise ValueError(f"'{spoken}' has {len(starts)} words, '{text}' has {len(names)}")
    words = [(index, word) for index, name in enumerate(names) for word in words_of(name)]
    places = [index for index, _ in words]
    owners = []
    for position, *_ in speech.words:
        token = bisect_right(starts, position) - 1
        owners.append(max(bisect_right(places, token) - 1, 0))
    own: list[list[Interval]] = [[] for _ in words]
    for phone, event in _phones(speech, len(speech.samples) / sample_rate):
        if words and event >= 0:
            own[owners[event]].append(phone)
    own = [_trimmed(phones) for phones in own]
    _share([word for _, word in words], own)
    said = [(word, phones[0][1], phones[-1][2]) for (_, word), phones in zip(words, own, strict=True) if phones]
    return Alignment(tuple(said), tuple(phone for phones in own for phone in phones))


def _phones(speech: Speech, duration_s: float) -> list[tuple[Interval, int]]:
    """Each phone or pause with the index of its word event. A phone ends where the next thing starts."""
    names = [phone_name(name) for name, _, _ in speech.phones]
    starts = [start for _, start, _ in speech.phones]
    for i, (_, start, event) in enumerate(speech.phones):
        first = event >= 0 and (i == 0 or speech.phones[i - 1][2] != event)
        of_word, stop = speech.words[event][2], names[i].startswith(_VOICELESS)
        if names[i] == SILENCE:
            continue
        if i == 0 or names[i - 1] == SILENCE:
            if stop:
                starts[i] = max(of_word if first else 0.0, start - _CLOSURE_S / 2)
        elif first and of_word > starts[i - 1] + _SHORTEST_S:
            starts[i] = of_word
        elif stop:
            starts[i] = max(start - _CLOSURE_S, (starts[i - 1] + start) / 2)
    ends = [*starts[1:], duration_s]
    for i in range(1, len(names)):
        # A dark l, as in "twelve", is reported at its end: it takes the last third of its vowel.
        if names[i] != SILENCE != names[i - 1] and ends[i] - starts[i] < _SHORTEST_S:
            starts[i] = ends[i - 1] = starts[i - 1] + 2 / 3 * (starts[i] - starts[i - 1])
    return [
        ((name, start, end), event)
        for name, start, end, (_, _, event) in zip(names, starts, ends, speech.phones, strict=True)
        if end > start
    ]


def _trimmed(phones: list[Interval]) -> list[Interval]:
    """Without the pauses at both ends."""
    spoken = [i for i, phone in enumerate(phones) if phone[0] != SILENCE]
    return phones[spoken[0] : spoken[-1] + 1] if spoken else []


def _share(words: Sequence[str], own: list[list[Interval]]) -> None:
    """Give words without phones some of those of the word before them, or of the first one that has any."""
    heard = [i for i, phones in enumerate(own) if phones]
    for group, following in zip(heard, [*heard[1:], len(words)], strict=True):
        first = 0 if group == heard[0] else group
        phones, count = own[group], following - first
        if count == 1:
            continue
        letters = list(accumulate(len(word) for word in words[first:following]))
        cuts = [round(len(phones) * so_far / letters[-1]) for so_far in letters]
        for i in range(count):
            cuts[i] = min(max(cuts[i], (cuts[i - 1] if i else 0) + 1), len(phones))
            own[first + i] = _trimmed(phones[cuts[i - 1] if i else 0 : cuts[i]])
