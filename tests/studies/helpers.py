"""Made-up results of a learning curve, and tiny settings to make real ones."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from slu.features.augment import AugmentSettings
from slu.studies.fits import FitResult
from slu.training.classifier import LossSettings
from slu.training.datamodule import LoaderSettings
from slu.training.fit import FitSettings
from slu.training.schedule import constant
from tests.bundles.helpers import MODEL as TINY_M1

SPEAKERS, CLIPS = 20, 10
VOICES = {0.05: 5, 0.1: 10, 1.0: 100}

M1 = TINY_M1
M2: dict[str, Any] = {
    "_target_": "slu.models.m2.M2",
    "stack": 4,
    "step": 4,
    "d_model": 16,
    "layers": 1,
    "attention_heads": 2,
    "feedforward": 16,
}


def fit_settings(**changes: Any) -> FitSettings:
    values: dict[str, Any] = {
        "model": M1,
        "loss": LossSettings(),
        "loader": LoaderSettings(batch_size=16),
        "augment": AugmentSettings(),
        "optimizer": partial(torch.optim.AdamW, lr=1e-3),
        "scheduler": constant,
        "trainer": {"max_epochs": 1, "accelerator": "cpu", "devices": 1},
        "patience": 0,
        "seed": 0,
        "progress": False,
    }
    return FitSettings(**values | changes)


def made_up(accuracies: Mapping[str, Mapping[str, Sequence[float]]], seeds: Sequence[int] = (0, 1)) -> list[FitResult]:
    """`accuracies[model][condition]` by share, of 20 test speakers with 10 clips each."""
    results = []
    for seed in seeds:
        for number, (share, voices) in enumerate(VOICES.items()):
            for model, conditions in accuracies.items():
                right = {
                    condition: _marks(values[number], seed=100 * seed + number)
                    for condition, values in conditions.items()
                    if number < len(values)
                }
                results.append(
                    FitResult("", model, share, seed, voices, 25 * voices, 3, 60.0, 1000, tuple(_speakers()), right)
                )
    return results


def _speakers() -> list[str]:
    return [f"t{clip // CLIPS:02d}" for clip in range(SPEAKERS * CLIPS)]


def _marks(accuracy: float, seed: int) -> str:
    """Exactly this share of the clips is right, and which ones is equal for all models."""
    total = SPEAKERS * CLIPS
    order = np.random.default_rng(seed).permutation(total)
    marks = np.zeros(total, int)
    marks[order[: round(accuracy * total)]] = 1
    return "".join(map(str, marks))
