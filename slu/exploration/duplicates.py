"""The same recording more than once: sample by sample, or after a change that does not make it another recording.

Candidates are each clip's nearest neighbours by fingerprint; the correlation of the waveforms decides. Measured:

- Different recordings stay at or below 0.96: in 73,500 pairs of takes of one digit by one speaker (Free Spoken
  Digit Dataset, a third of a second each) the highest is 0.959; in Arabic commands of one second 0.82; in
  whole sentences (RAVDESS, coffee orders, synthesised orders, also by one voice) 0.63.
- Copies with another gain, padding, 20 ms cut off, resampled: 0.98 and more. With white noise at 20 dB SNR 0.99,
  at 15 dB 0.97, at 10 dB 0.92 to 0.98. MP3 of clips at 16 kHz 0.99; of the digits, at 8 kHz, 0.92 to 0.99.

At 0.97, of 300 changed copies per corpus all were found for gain, padding, resampling, noise down to 15 dB and
(at 16 kHz) MP3, 95 % for MP3 of the 8 kHz digits, and none of the pairs that were no copies.
Copies that lost a tenth of their length at one end and a twentieth at the other: 74 % to all of them, by corpus.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from slu.audio.decode import AudioError, Waveform
from slu.exploration.cache import ClipCache
from slu.exploration.clips import ClipFacts, Unreadable, load_clip
from slu.exploration.fingerprint import correlation, narrow

SAME_RECORDING = 0.97
"""Correlation from which two clips count as one recording."""

_NEIGHBOURS = 8
_SIMILAR = 0.85
_SILENT_DB = -100.0
_BLOCK = 1 << 23
"""Similarities computed at once: 32 MiB."""
_WAVEFORMS = 512


@dataclass(frozen=True)
class Pair:
    """Two rows of the data set, the earlier one first."""

    first: int
    second: int
    kind: Literal["identical", "near"]
    """Sample by sample, or only to the ear."""
    correlation: float


def find_pairs(
    facts: Sequence[ClipFacts | Unreadable | None],
    audio: Sequence[Path | None],
    cache: ClipCache,
    progress: Callable[[int, int], None],
    threshold: float = SAME_RECORDING,
) -> tuple[list[Pair], list[float]]:
    """Copies, and the correlations of all candidates that are not identical.

    Of more than two identical clips, each is paired with the first. Silence is nobody's copy.
    """
    heard = {
        row: found
        for row, found in enumerate(facts)
        if isinstance(found, ClipFacts) and found.measures.level_db > _SILENT_DB
    }
    originals: dict[str, int] = {}
    pairs = []
    for row, found in heard.items():
        first = originals.setdefault(found.samples_hash, row)
        if first != row:
            pairs.append(Pair(first, row, "identical", 1.0))
    rows = list(originals.values())
    candidates = [(rows[a], rows[b]) for a, b in _candidates([heard[row].fingerprint for row in rows])]
    waveform = lru_cache(_WAVEFORMS)(_waveform)
    correlations = []
    for done, (first, second) in enumerate(candidates, start=1):
        hashes = heard[first].file_hash, heard[second].file_hash
        value = cache.correlation(*hashes)
        if value is None:
            waves = waveform(audio[first]), waveform(audio[second])
            value = 0.0 if waves[0] is None or waves[1] is None else correlation(waves[0], waves[1])
            cache.put_correlation(*hashes, value)
        correlations.append(value)
        if value >= threshold:
            pairs.append(Pair(first, second, "near", value))
        progress(done, len(candidates))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second)), correlations


def _waveform(path: Path | None) -> Waveform | None:
    try:
        if path is not None:
            audio, samples = load_clip(path)
            return narrow(samples, audio.sample_rate)
    except AudioError:  # it was readable a moment ago
        pass
    return None


def _candidates(fingerprints: Sequence[NDArray[np.float16]]) -> list[tuple[int, int]]:
    """Pairs worth comparing: each clip and its nearest neighbours, as far as they are similar at all."""
    if len(fingerprints) < 2:
        return []
    matrix = np.stack(fingerprints).astype(np.float32)
    found: set[tuple[int, int]] = set()
    for start, similar in _similarities(matrix):
        similar[np.arange(len(similar)), start + np.arange(len(similar))] = -1.0
        count = min(_NEIGHBOURS, len(matrix) - 1)
        nearest = np.argpartition(-similar, count - 1, axis=1)[:, :count]
        for offset, neighbours in enumerate(nearest):
            row = start + offset
            found.update((min(row, n), max(row, n)) for n in neighbours.tolist() if similar[offset, n] >= _SIMILAR)
    return sorted(found)


def _similarities(matrix: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Blocks of rows of the similarity matrix, which as a whole would not fit into memory."""
    size = max(1, _BLOCK // len(matrix))
    for start in range(0, len(matrix), size):
        yield start, matrix[start : start + size] @ matrix.T


def group(pairs: Sequence[Pair]) -> list[list[int]]:
    """Rows that are one recording, directly or through others; each group and the groups in order."""
    leader: dict[int, int] = {}

    def find(row: int) -> int:
        while leader.setdefault(row, row) != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for pair in pairs:
        first, second = sorted((find(pair.first), find(pair.second)))
        leader[second] = first
    groups: dict[int, list[int]] = {}
    for row in sorted(leader):
        groups.setdefault(find(row), []).append(row)
    return list(groups.values())
