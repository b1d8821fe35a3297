"""Features, training steps and single-clip inference, per model."""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile as sf
import torch
import torch.nn.functional as F

from slu.audio.decode import Waveform, decode
from slu.audio.noise import coloured_noise
from slu.benchmarks.timing import cpu_ms
from slu.features import FrontEnd, build_front_end
from slu.features.augment import Augment, AugmentSettings
from slu.models import build_recogniser
from slu.spec import Head, TaskSpec

CLIP_S = 1.8
"""The mean clip of the embedded corpus."""

EPOCH_CLIPS = 2_500
"""The training clips of the embedded corpus."""

_HEADS = (Head("product", tuple("abcdefghij")), Head("quantity", tuple("12345")))


@dataclass(frozen=True)
class Pair:
    """A model (as `conf/model` describes it) and the front end that it listens through."""

    model: Mapping[str, Any]
    front_end: FrontEnd


def clip(rate: int, seed: int = 0) -> Waveform:
    return 0.1 * coloured_noise(int(CLIP_S * rate), 3.0, np.random.default_rng(seed))


def feature_speed(front_ends: Mapping[str, Mapping[str, Any]], rounds: int) -> dict[str, float]:
    """Clips per CPU second, by front end."""

    def compute(front_end: FrontEnd) -> Callable[[], object]:
        wave = torch.from_numpy(clip(front_end.sample_rate))
        return torch.inference_mode()(lambda: [front_end(wave) for _ in range(10)])

    spent = cpu_ms({name: compute(build_front_end(s)) for name, s in front_ends.items()}, rounds)
    return {name: 1e4 / ms for name, ms in spent.items()}


def training_speed(pairs: Mapping[str, Pair], augment: AugmentSettings, batch: int, rounds: int) -> dict[str, float]:
    """Clips per CPU second of one training step: augmentation (of features that can be), forward, backward, optimiser.

    Features are computed once per clip, not per epoch: they are not part of it.
    """
    spent = cpu_ms({name: _training_step(pair, augment, batch) for name, pair in pairs.items()}, rounds)
    return {name: 1e3 * batch / ms for name, ms in spent.items()}


def _training_step(pair: Pair, augment: AugmentSettings, batch: int) -> Callable[[], object]:
    front_end, spec = pair.front_end, TaskSpec("benchmark", _HEADS)
    frames = int(CLIP_S / front_end.hop_s) + 1
    network = build_recogniser(pair.model, front_end.size, spec).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    features, lengths = torch.randn(batch, frames, front_end.size), torch.full((batch,), frames)
    labels = {head.name: torch.randint(len(head.classes), (batch,)) for head in _HEADS}
    possible = augment if front_end.band_hz is not None else AugmentSettings()
    transform, generator = Augment(possible, front_end.hop_s, front_end.band_hz), torch.Generator()

    def step() -> None:
        logits = network(*transform(features, lengths, generator))
        loss = torch.stack([F.cross_entropy(logits[name], target) for name, target in labels.items()]).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def inference_speed(pairs: Mapping[str, Pair], rounds: int) -> dict[str, dict[str, float]]:
    """CPU milliseconds for one clip: decoding, the features of the model's front end, and the model three ways."""
    calls: dict[str, Callable[[], object]] = {}
    for name, pair in pairs.items():
        calls |= {f"{name} {what}": call for what, call in _prediction(pair).items()}
    spent = cpu_ms(calls, rounds)
    ways = ("decode", "features", "eager", "inference_mode", "exported")
    return {name: {way: spent[f"{name} {way}"] for way in ways} for name in pairs}


def _prediction(pair: Pair) -> dict[str, Callable[[], object]]:
    front_end, file = pair.front_end, io.BytesIO()
    sf.write(file, clip(front_end.sample_rate), front_end.sample_rate, format="FLAC")
    data = file.getvalue()
    wave = torch.from_numpy(decode(data, front_end.sample_rate))
    features = front_end(wave).unsqueeze(0)
    lengths = torch.tensor([features.shape[1]])
    network = build_recogniser(pair.model, front_end.size, TaskSpec("benchmark", _HEADS)).eval()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*were assigned during export.*")  # how torch keeps a recurrent cell
        exported = torch.export.export(network, (features, lengths)).module()
    return {
        "decode": lambda: decode(data, front_end.sample_rate),
        "features": torch.inference_mode()(lambda: front_end(wave)),
        "eager": lambda: network(features, lengths),
        "inference_mode": torch.inference_mode()(lambda: network(features, lengths)),
        "exported": torch.inference_mode()(lambda: exported(features, lengths)),
    }
