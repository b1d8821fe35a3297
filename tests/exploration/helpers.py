"""Clips that are all different recordings, and changes that leave a recording the same."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
import soxr

from slu.exploration.dataset import Dataset, from_manifest
from slu.exploration.explore import explore
from slu.exploration.findings import Findings
from slu.exploration.settings import ExplorationSettings
from tests.conftest import RATE

SETTINGS = ExplorationSettings(min_duration_s=0.1, max_duration_s=10.0)


def utterance(seed: int, duration_s: float = 0.8) -> np.ndarray:
    """Like speech to a fingerprint: a wandering voice in syllables, hisses, a noise floor. RMS about 0.1."""
    rng = np.random.default_rng(seed)
    count = int(duration_s * RATE)
    time = np.arange(count) / RATE
    pitch = rng.uniform(90, 220) * np.exp(0.2 * np.interp(time, np.linspace(0, duration_s, 6), rng.standard_normal(6)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(rng.uniform(0.1, 1) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 16))
    syllables = np.interp(time, np.linspace(0, duration_s, 12), rng.uniform(0, 1, 12) ** 2)
    hiss = rng.standard_normal(count) * np.interp(time, np.linspace(0, duration_s, 9), rng.uniform(0, 1, 9) ** 3)
    edges = np.minimum(1, 20 * np.minimum(time, duration_s - time))
    wave = edges * (syllables * voice + hiss) + 0.003 * rng.standard_normal(count)
    return (0.1 * wave / np.sqrt(np.mean(wave**2))).astype(np.float32)


def _noisy(wave: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(99).standard_normal(len(wave)).astype(np.float32)
    return wave + np.sqrt(np.mean(wave**2)) / 10 ** (snr_db / 20) * noise


def _mp3(wave: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    sf.write(file, wave, RATE, format="MP3")
    file.seek(0)
    return sf.read(file, dtype="float32")[0]


def _resampled(wave: np.ndarray) -> np.ndarray:
    """By way of 44.1 kHz, and late by a fraction of a sample."""
    return soxr.resample(soxr.resample(wave, RATE, 44_100)[1:], 44_100, RATE)


COPIES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "gain": lambda wave: 0.2 * wave,
    "padded": lambda wave: np.pad(wave, (4000, 2000)),
    "trimmed": lambda wave: wave[320:-320],
    "noise floor": lambda wave: _noisy(wave, 20.0),
    "mp3": _mp3,
    "resampled": _resampled,
    "all of it": lambda wave: _noisy(np.pad(_mp3(0.3 * wave), (3000, 1500)), 25.0),
}


def write_corpus(
    folder: Path, rows: Sequence[Mapping[str, str]], waves: Mapping[str, np.ndarray] | None = None
) -> Path:
    """A manifest with `rows`, and for each a clip of its own unless `waves` has one by file name."""
    for number, row in enumerate(rows):
        path = folder / row["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        wave = (waves or {}).get(row["file_name"])
        sf.write(path, utterance(number) if wave is None else wave, RATE)
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


def rows_of(count: int, speakers: int = 12, **columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows whose `word` alternates and whose speakers take turns; the split goes by speaker: last test, the one
    before it val."""
    names = [f"s{number:02d}" for number in range(speakers)]
    sides = dict.fromkeys(names, "train") | {names[-1]: "test"} | ({names[-2]: "val"} if speakers > 2 else {})
    rows = []
    for number in range(count):
        speaker = names[number % speakers]
        word = ("yes", "no")[number // speakers % 2]
        extra = {name: values[number % len(values)] for name, values in columns.items()}
        row = {"file_name": f"audio/{number:03d}.wav", "word": word, "speaker": speaker, "split": sides[speaker]}
        rows.append({**row, **extra})
    return rows


def tables_only(folder: Path, rows: Sequence[Mapping[str, str]], heads: Sequence[str] = ("word",)) -> Dataset:
    """A data set whose audio was never there."""
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return from_manifest(folder / "metadata.csv", heads)


def findings_of(dataset: Dataset, folder: Path, settings: ExplorationSettings = SETTINGS) -> Findings:
    return explore(dataset, settings, folder / "exploration")
