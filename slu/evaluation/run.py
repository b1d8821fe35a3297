"""Running a bundle over labelled clips: streamed in batches, through the same path as a prediction."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.bundles import Prediction, Predictor
from slu.common.errors import UserError
from slu.corpus.manifest import Manifest
from slu.evaluation.metrics import Indices, confusion_matrix, score
from slu.evaluation.noise_test import TestNoise
from slu.spec import Head

_BATCH = 32
_BANK = 60


@dataclass(frozen=True)
class Evaluation:
    metrics: dict[str, Any]
    predictions: list[Prediction]
    rows: list[int]
    """Rows of the manifest that the predictions belong to."""
    broken: list[str] = field(default_factory=list)
    """Clips that could not be read: where and why."""
    truth: dict[str, Indices] = field(default_factory=dict)
    guess: dict[str, Indices] = field(default_factory=dict)
    """Class indices by head, in the order of `rows`; -1 is no label."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Per clip, in the order of `rows`: every labelled head answered as labelled."""
        return np.all([(self.truth[name] == self.guess[name]) | (self.truth[name] < 0) for name in self.truth], axis=0)

    def confusion(self, head: Head) -> NDArray[np.int64]:
        return confusion_matrix(self.truth[head.name], self.guess[head.name], len(head.classes))

    def table(self, manifest: Manifest) -> pd.DataFrame:
        """The manifest's rows that were read, with the answers beside the labels."""
        answers = pd.DataFrame(
            [
                {f"heard_{name}": label for name, label in p.labels.items()}
                | {"confidence": round(p.confidence, 4), "understood": p.understood, "reason": p.reason}
                for p in self.predictions
            ],
            index=manifest.table.index[self.rows],
        )
        return manifest.table.iloc[self.rows].join(answers)


def evaluate(
    predictor: Predictor,
    manifest: Manifest,
    *,
    snr_db: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Score every readable clip, clean or with generated noise at `snr_db`.

    Raises UserError when not one clip can be read.
    """
    rate = predictor.bundle.front_end.sample_rate
    noise = None if snr_db is None else TestNoise(_bank(manifest, rate), rate)
    predictions: list[Prediction] = []
    rows: list[int] = []
    broken: list[str] = []
    total = len(manifest.table)
    for start in range(0, total, _BATCH):
        batch: list[Waveform] = []
        for row, waveform in _read(manifest, range(start, min(start + _BATCH, total)), rate, broken):
            rows.append(row)
            batch.append(waveform if noise is None or snr_db is None else noise.add(waveform, snr_db, row))
        predictions += predictor.predict_waveforms(batch) if batch else []
        progress(min(start + _BATCH, total), total)
    if not rows:
        raise UserError(f"{manifest.path}: not one of {total} clips can be read; {broken[0]}")
    table = manifest.table.iloc[rows]
    heads = [head for head in predictor.bundle.spec.heads if head.name in table.columns]
    truth, guess = {}, {}
    for head in heads:
        ids = head.to_ids()
        truth[head.name] = np.array([ids.get(label, -1) for label in table[head.name]], dtype=np.int64)
        guess[head.name] = np.array([ids[p.labels[head.name]] for p in predictions], dtype=np.int64)
    speakers = table["speaker"].tolist() if "speaker" in table.columns else None
    metrics = score(truth, guess, {head.name: head.classes for head in heads}, speakers)
    return Evaluation(metrics, predictions, rows, broken, truth, guess)


def _read(manifest: Manifest, rows: Sequence[int], rate: int, broken: list[str]) -> Iterator[tuple[int, Waveform]]:
    for row in rows:
        try:
            yield row, decode(manifest.audio_path(row), rate, AudioLimits(max_duration_s=30.0))
        except AudioError as error:
            broken.append(f"{manifest.where(row)}: {error}")


def _bank(manifest: Manifest, rate: int) -> list[Waveform]:
    """Clips spread evenly over the manifest, so that babble has many voices."""
    rows = np.unique(np.linspace(0, len(manifest.table) - 1, _BANK).astype(int)).tolist()
    return [waveform for _, waveform in _read(manifest, rows, rate, [])]


def subset(manifest: Manifest, column: str, value: str) -> Manifest:
    """The rows of one split or speaker; they keep their numbers, so messages still name the file's lines."""
    return Manifest(manifest.path, manifest.table[manifest.table[column] == value])
