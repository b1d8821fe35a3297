"""The voice encoder: padding and level do not matter, pitch shows where it should, missing fundamental or not."""

from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from slu.features import Spectrum
from slu.models import Recogniser, build_recogniser
from slu.models.voice import Voice
from slu.spec import Head, TaskSpec
from tests.conftest import ROOT

SPEC = TaskSpec("t", (Head("gender", ("female", "male")),))
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "model" / "voice.yaml").read_text())


def voice(hz: float, seconds: float = 0.6, lowest: int = 1) -> Tensor:
    """Features of a harmonic sound without the harmonics below `lowest`."""
    time = np.arange(int(8000 * seconds)) / 8000
    samples = sum(np.sin(2 * np.pi * hz * k * time + k) for k in range(lowest, int(3500 / hz)))
    return Spectrum()(torch.from_numpy(0.05 * np.asarray(samples, dtype=np.float32)))


def network(**changes: Any) -> Recogniser:
    torch.manual_seed(0)
    model = build_recogniser({**SETTINGS, **changes}, 257, SPEC)
    model.train()
    with torch.no_grad():
        model(torch.randn(4, 30, 257) * 3 - 8, torch.tensor([30, 25, 20, 30]))
    return model.eval()


@pytest.mark.parametrize("filling", [0.0, 1e3])
def test_padding_does_not_matter(filling: float) -> None:
    model, clips = network(), [voice(120), voice(220, 0.3), voice(180, 0.05)]
    padded = torch.full((3, 60, 257), filling)
    for row, clip in enumerate(clips):
        padded[row, : len(clip)] = clip
    together = model(padded, torch.tensor([len(clip) for clip in clips]))["gender"]
    alone = torch.cat([model(clip[None], torch.tensor([len(clip)]))["gender"] for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_level_does_not_matter() -> None:
    model, clip = network(), voice(150)[None]
    lengths = torch.tensor([clip.shape[1]])
    torch.testing.assert_close(model(clip, lengths), model(clip - 9.0, lengths), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("lowest", [1, 3])
@pytest.mark.parametrize("hz", [90.0, 120.0, 180.0, 250.0])
def test_the_period_stands_out_even_without_its_fundamental(hz: float, lowest: int) -> None:
    encoder = build_recogniser(SETTINGS, 257, SPEC).encoder
    assert isinstance(encoder, Voice)
    clip = voice(hz, lowest=lowest)[None, 5:-5]
    lags = encoder.pitch(clip - clip.max(), torch.ones(clip.shape[:2]))[0].mean(0)
    periods = torch.logspace(np.log10(1 / 400), np.log10(1 / 70), 192).view(48, 4).mean(1)
    multiples = periods * hz  # the period itself, or twice it, which looks alike
    assert float((multiples[lags.argmax()] - multiples[lags.argmax()].round()).abs()) < 0.06
    assert float(lags[(multiples - 1).abs().argmin()]) > 0.7 * float(lags.max())


def test_silence_and_one_frame() -> None:
    model = network()
    for clip in (torch.full((1, 1, 257), -27.6), torch.full((1, 40, 257), -27.6)):
        assert model(clip, torch.tensor([clip.shape[1]]))["gender"].isfinite().all()


def test_it_learns_and_is_small() -> None:
    model = network(dropout=0.0)
    clips = torch.stack([voice(hz) for hz in (100, 120, 140, 200, 220, 240)])
    lengths, target = torch.full((6,), clips.shape[1]), torch.tensor([1, 1, 1, 0, 0, 0])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(15):
        loss = torch.nn.functional.cross_entropy(model(clips, lengths)["gender"], target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(loss.detach()) < 0.1
    assert sum(p.numel() for p in model.parameters()) < 60_000


@pytest.mark.parametrize(
    ("features", "changes", "message"), [(64, {}, "spectrum"), (257, {"pitch_hz": [300, 100]}, "pitch_hz")]
)
def test_it_refuses_what_it_cannot_hear(features: int, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_recogniser({**SETTINGS, **changes}, features, SPEC)


def test_it_exports() -> None:
    model, clip = network(), voice(200)[None]
    inputs = (clip, torch.tensor([clip.shape[1]]))
    torch.testing.assert_close(torch.export.export(model, inputs).module()(*inputs), model(*inputs))
