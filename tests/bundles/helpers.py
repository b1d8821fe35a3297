"""A tiny untrained recogniser and its bundle, for tests."""

from pathlib import Path
from typing import Any

import torch

from slu.bundles import Bundle, load_bundle, save_bundle
from slu.features import build_front_end
from slu.models import Recogniser, build_recogniser
from slu.spec import Head, TaskSpec

MODEL: dict[str, Any] = {
    "_target_": "slu.models.m1.M1",
    "channels": [12, 16],
    "strides": [2, 2],
    "layers": 1,
    "attention_heads": 2,
    "feedforward": 16,
}
HEADS = (Head("product", ("tea", "coffee", "milk")), Head("quantity", ("1", "2"), "qty"))


def make_spec(**changes: Any) -> TaskSpec:
    values: dict[str, Any] = {
        "task": "drinks",
        "heads": HEADS,
        "front_end": {"name": "logmel", "n_mels": 16, "n_fft": 512},
        "min_duration_s": 0.2,
        "max_duration_s": 2.0,
        "min_confidence": 0.0,
    }
    return TaskSpec(**values | changes)


def make_recogniser(spec: TaskSpec, seed: int = 0) -> Recogniser:
    torch.manual_seed(seed)
    recogniser = build_recogniser(MODEL, build_front_end(spec.front_end).size, spec)
    with torch.no_grad():
        recogniser(torch.randn(4, 30, 16), torch.tensor([30, 20, 30, 25]))  # batch statistics of their own
    return recogniser.eval()


def write_bundle(folder: Path, *, seed: int = 0, metrics: dict[str, Any] | None = None, **changes: Any) -> None:
    spec = make_spec(**changes)
    save_bundle(folder, make_recogniser(spec, seed), spec, {"model": MODEL}, metrics or {})


def tiny_bundle(folder: Path, **options: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_bundle(folder, **options)
    return folder


def make_bundle(folder: Path, **options: Any) -> Bundle:
    return load_bundle(tiny_bundle(folder, **options))
