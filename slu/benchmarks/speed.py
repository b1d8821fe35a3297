"""Features, training steps and single-clip inference, per model."""

import io
from collections.abc import Callable, Mapping
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

_HEADS = (Head("product", tuple("abcdefghij")), Head("quantity", tuple("12345")))


def clip(rate: int, seed: int = 0) -> Waveform:
    return 0.1 * coloured_noise(int(CLIP_S * rate), 3.0, np.random.default_rng(seed))


def feature_speed(front_ends: Mapping[str, Mapping[str, Any]], rounds: int) -> dict[str, float]:
    """Clips per CPU second, by front end."""

    def compute(front_end: FrontEnd) -> Callable[[], object]:
        wave = torch.from_numpy(clip(front_end.sample_rate))
        return torch.inference_mode()(lambda: [front_end(wave) for _ in range(10)])

    spent = cpu_ms({name: compute(build_front_end(s)) for name, s in front_ends.items()}, rounds)
    return {name: 1e4 / ms for name, ms in spent.items()}


def training_speed(
    models: Mapping[str, Mapping[str, Any]], front_end: FrontEnd, augment: AugmentSettings, batch: int, rounds: int
) -> dict[str, float]:
    """Clips per CPU second of one training step: augmentation, forward, backward, optimiser."""
    frames = int(CLIP_S / front_end.hop_s) + 1
    spent = cpu_ms({name: _training_step(s, front_end, augment, batch, frames) for name, s in models.items()}, rounds)
    return {name: 1e3 * batch / ms for name, ms in spent.items()}


def _training_step(
    settings: Mapping[str, Any], front_end: FrontEnd, augment: AugmentSettings, batch: int, frames: int
) -> Callable[[], object]:
    spec = TaskSpec("benchmark", _HEADS)
    network = build_recogniser(settings, front_end.size, spec).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    features, lengths = torch.randn(batch, frames, front_end.size), torch.full((batch,), frames)
    labels = {head.name: torch.randint(len(head.classes), (batch,)) for head in _HEADS}
    transform, generator = Augment(augment, front_end.hop_s), torch.Generator()

    def step() -> None:
        logits = network(*transform(features, lengths, generator))
        loss = torch.stack([F.cross_entropy(logits[name], target) for name, target in labels.items()]).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def inference_speed(
    models: Mapping[str, Mapping[str, Any]], front_end: FrontEnd, rounds: int
) -> dict[str, dict[str, float]]:
    """CPU milliseconds for one clip: decoding and features (the same for every model), and the model three ways."""
    file = io.BytesIO()
    sf.write(file, clip(front_end.sample_rate), front_end.sample_rate, format="FLAC")
    data = file.getvalue()
    wave = torch.from_numpy(decode(data, front_end.sample_rate))
    features = front_end(wave).unsqueeze(0)
    lengths = torch.tensor([features.shape[1]])
    calls: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(data, front_end.sample_rate),
        "features": torch.inference_mode()(lambda: front_end(wave)),
    }
    for name, settings in models.items():
        network = build_recogniser(settings, front_end.size, TaskSpec("benchmark", _HEADS)).eval()
        exported = torch.export.export(network, (features, lengths)).module()
        calls[f"{name} eager"] = _bound(network, features, lengths)
        calls[f"{name} inference_mode"] = torch.inference_mode()(_bound(network, features, lengths))
        calls[f"{name} exported"] = torch.inference_mode()(_bound(exported, features, lengths))
    spent = cpu_ms(calls, rounds)
    shared = {"decode": spent["decode"], "features": spent["features"]}
    ways = ("eager", "inference_mode", "exported")
    return {name: {**shared, **{way: spent[f"{name} {way}"] for way in ways}} for name in models}


def _bound(network: Callable[..., object], *inputs: torch.Tensor) -> Callable[[], object]:
    return lambda: network(*inputs)
