"""Planted copies are found, everything else is left alone; what was compared once is not compared again."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from slu.exploration import duplicates
from slu.exploration.cache import open_cache, read_clips
from slu.exploration.duplicates import Pair, find_pairs, group
from tests.conftest import RATE
from tests.exploration.helpers import COPIES, utterance


def quiet(done: int, total: int) -> None:
    pass


def pairs_in(paths: list[Path | None], folder: Path) -> tuple[list[Pair], list[float]]:
    with open_cache(folder / "cache") as cache:
        return find_pairs(read_clips(paths, cache, quiet), paths, cache, quiet)


def write(folder: Path, name: str, wave: np.ndarray, **how: str) -> Path:
    sf.write(folder / name, wave, RATE, **how)
    return folder / name


def test_every_planted_copy_is_found_and_nothing_else(tmp_path: Path) -> None:
    paths: list[Path | None] = [write(tmp_path, f"{seed}.wav", utterance(seed)) for seed in range(40)]
    for number, (name, change) in enumerate(COPIES.items()):
        paths.append(write(tmp_path, f"{name}.wav", change(utterance(3 * number))))
    pairs, correlations = pairs_in(paths, tmp_path)
    assert [(pair.first, pair.second) for pair in pairs] == [(3 * n, 40 + n) for n in range(len(COPIES))]
    assert {pair.kind for pair in pairs} == {"near"}
    assert all(pair.correlation >= duplicates.SAME_RECORDING for pair in pairs)
    assert len(correlations) >= len(pairs)


def test_the_same_samples_in_another_file_are_identical(tmp_path: Path) -> None:
    pcm = np.round(32767 * utterance(0)).astype(np.int16)
    paths = [write(tmp_path, name, pcm) for name in ("a.wav", "b.flac")]
    paths += [write(tmp_path, "c.wav", np.stack([pcm, pcm], axis=1))]
    pairs, correlations = pairs_in([*paths, None], tmp_path)
    assert pairs == [Pair(0, 1, "identical", 1.0), Pair(0, 2, "identical", 1.0)]
    assert correlations == []


def test_silence_is_nobodys_copy(tmp_path: Path) -> None:
    paths: list[Path | None] = [write(tmp_path, f"{n}.wav", np.zeros(RATE)) for n in range(3)]
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    assert pairs_in([*paths, tmp_path / "broken.wav", None], tmp_path) == ([], [])


def test_blocks_give_what_the_whole_matrix_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[Path | None] = [write(tmp_path, f"{seed}.wav", utterance(seed % 9)) for seed in range(9)]
    paths += [write(tmp_path, f"{seed}-quiet.wav", 0.3 * utterance(seed)) for seed in range(9)]
    whole = pairs_in(paths, tmp_path)
    monkeypatch.setattr(duplicates, "_BLOCK", 1)
    assert pairs_in(paths, tmp_path) == whole
    assert len(whole[0]) == 9


def test_a_pair_is_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[Path | None] = [write(tmp_path, "a.wav", utterance(0)), write(tmp_path, "b.wav", 0.5 * utterance(0))]
    first = pairs_in(paths, tmp_path)
    monkeypatch.setattr(duplicates, "correlation", None)
    assert pairs_in(paths, tmp_path) == first
    assert [(pair.first, pair.second) for pair in pairs_in(list(reversed(paths)), tmp_path)[0]] == [(0, 1)]


def test_groups_join_what_is_linked() -> None:
    links = [(0, 5), (2, 3), (5, 7), (1, 3), (8, 9)]
    pairs = [Pair(first, second, "near", 0.99) for first, second in links]
    assert group(pairs) == [[0, 5, 7], [1, 2, 3], [8, 9]]
    assert group([]) == []
