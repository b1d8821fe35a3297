"""What looks bad about a correction, noted as flags. A flag decides nothing: it asks somebody to listen.

conflict   another correction gives the same clip other labels (all of them are flagged), or a review rejected the same
duplicate  an earlier one gives the same clip the same labels; it counts once
flood      one client sent more than its share within an hour; all of that hour are flagged
silence    there is nothing to hear in the clip
noise      there is sound in it, but nothing that stands out as speech does
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence

from slu.feedback.entries import Row
from slu.feedback.schema import CONFLICT, DUPLICATE, FLAGS, FLOOD, NOISE, REJECTED, SILENCE
from slu.inference import prediction

SILENCE_DB = -70.0
"""As slu.audio.segment has it, which imports numpy."""
NOISE_SNR_DB = 4.0
"""Loudest over quietest frames, as slu.audio.measure estimates it: below it the level hardly moves. Of 2,351 spoken
clips of four corpora none lies there, of 27 background noises a third: noise whose level changes, as babble, is missed.
"""
HOUR = datetime.timedelta(hours=1)


def sound_flags(reason: str | None, level_db: float | None, snr_db: float | None) -> set[str]:
    """`reason` is the answer's, as in slu.inference.prediction."""
    if reason == prediction.SILENCE or (level_db is not None and level_db < SILENCE_DB):
        return {SILENCE}
    return {NOISE} if reason == prediction.NOISE or (snr_db is not None and snr_db < NOISE_SNR_DB) else set()


def clip_flags(rows: Sequence[Row]) -> dict[int, set[str]]:
    """By id, of corrections of one clip in the order of their arrival. Those that were rejected or erased are left out,
    but what was rejected once is doubtful for whoever says it again."""
    rejected = {same_labels(row.actual) for row in rows if row.state == REJECTED}
    first: set[str] = set()
    flags: dict[int, set[str]] = {}
    for row in (row for row in rows if row.counts):
        said = same_labels(row.actual)
        flags[row.id] = ({DUPLICATE} if said in first else set()) | ({CONFLICT} if said in rejected else set())
        first.add(said)
    if len(first) > 1:
        for known in flags.values():
            known.add(CONFLICT)
    return flags


def flooded(times: Mapping[int, datetime.datetime], per_hour: int) -> set[int]:
    """Ids, of one client's corrections by id, that lie in an hour with more than `per_hour`."""
    order = sorted(times, key=lambda one: times[one])
    found: set[int] = set()
    start = 0
    for end, one in enumerate(order):
        while times[one] - times[order[start]] >= HOUR:
            start += 1
        if end - start + 1 > per_hour:
            found.update(order[start : end + 1])
    return found


def merged(row: Row, known: Iterable[str], about: Iterable[str]) -> list[str]:
    """The row's flags, with those of the kinds `about` as they are now `known`."""
    flags = (set(row.flags) - set(about)) | set(known)
    return [name for name in FLAGS if name in flags]


def same_labels(labels: Mapping[str, str]) -> str:
    """Equal for equal labels, in whatever order."""
    return json.dumps(labels, sort_keys=True)


OF_CLIP, OF_SOUND, OF_CLIENT = (CONFLICT, DUPLICATE), (SILENCE, NOISE), (FLOOD,)
