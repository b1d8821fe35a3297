"""A tiny bundle that was trained on tones, and tones of somebody else."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf
import torch

from slu.adaptation.clips import Clips
from slu.adaptation.fine_tune import fine_tune
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.adaptation.statistics import mix_statistics
from slu.bundles.bundle import save_bundle
from slu.corpus.manifest import read_manifest
from slu.features import build_front_end
from slu.features.augment import AugmentSettings
from slu.models import build_recogniser, m1
from slu.spec import Head, TaskSpec
from slu.training.classifier import LossSettings
from slu.training.preprocessing import preprocess
from tests.conftest import RATE, tone
from tests.studies.helpers import M1
from tests.training.test_preprocessing import LOGMEL


class FrozenEntry(m1.M1):
    """Its first convolution stays as it was published, but for an adaptation with a rate for it."""

    def __init__(self, n_features: int, **settings: Any) -> None:
        super().__init__(n_features, **settings)
        next(self.parameters()).requires_grad_(False)


HEADS = (Head("pitch", ("low", "high")), Head("length", ("short", "long")))
SPEC = TaskSpec("tones", HEADS, LOGMEL, min_confidence=0.0)
CONFIG: dict[str, Any] = {"model": M1, "augment": {"noise_prob": 0.5}, "loss": {"label_smoothing": 0.0}}


def train_bundle(tones: Path, folder: Path) -> Path:
    """On the tones' training rows, by the loop that adapts; from scratch it takes a higher rate and more steps."""
    torch.manual_seed(0)
    front_end = build_front_end(LOGMEL)
    table = preprocess(read_manifest(tones, HEADS), SPEC, folder / "outputs").table
    clips = Clips(tones, table[table["split"] == "train"].reset_index(drop=True), SPEC, front_end.hop_s)
    network = build_recogniser(M1, front_end.size, SPEC)
    mix_statistics(network, clips.features(), 0)
    recipe = Recipe(M1, SPEC, front_end, LossSettings(), AugmentSettings())
    settings = AdaptSettings(steps=80, batch_size=16, lr=5e-3)
    bundle = folder / "bundle"
    bundle.mkdir()
    metrics = {"data": "0", "split": "speaker-disjoint", "leaking_speakers": [], "manifest": str(tones)}
    network = fine_tune(network, clips, clips, recipe, settings).network
    save_bundle(bundle, network, SPEC, CONFIG, metrics, {"clips": [], "speakers": []})
    return bundle


def new_person(
    folder: Path, clips: int, name: str = "new", pitch_hz: float = 240, ratio: float = 2.2, swapped: bool = False
) -> Path:
    """A manifest of tones whose highs are nearly as low as other people's lows; `swapped`: with wrong labels."""
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(clips):
        high, long = index % 2, index // 2 % 2
        wave = tone(pitch_hz * (ratio if high else 1), 0.8 if long else 0.3, noise=0.02, seed=1000 + index)
        sf.write(folder / f"audio/{name}{index}.flac", np.asarray(wave), RATE)
        labels = {"pitch": ("low", "high")[high != swapped], "length": ("short", "long")[long]}
        rows.append({"file_name": f"audio/{name}{index}.flac", "speaker": name, **labels})
    pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"
