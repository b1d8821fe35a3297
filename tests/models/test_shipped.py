"""The models of `conf/model` as they are shipped: their sizes, and that mixed precision changes little."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from slu.corpus.menu import Menu
from slu.decoding.alignment import SILENCE
from slu.decoding.grammar import Grammar
from slu.features import build_front_end
from slu.models import Recogniser, build_recogniser, hears_frames
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.spec import Head, TaskSpec
from tests.conftest import ROOT

SHIPPED = pytest.mark.parametrize("path", sorted((ROOT / "conf" / "model").glob("*.yaml")), ids=lambda p: p.stem)
LENGTHS = [60, 51, 44, 38, 31, 60]
"""More clips than the speech embedding takes at once."""


def shipped(path: Path) -> tuple[Recogniser, int, TaskSpec]:
    """The recogniser of the warung's orders, the size of its features, and what it answers."""
    menu = yaml.safe_load((ROOT / "conf" / "menu" / "warung.yaml").read_text())
    spec = TaskSpec("orders", tuple(Head(name, tuple(head["classes"])) for name, head in menu["heads"].items()))
    graph = Menu.parse(menu, "warung").word_graph()
    lexicon = {word: (tuple(word),) for word in graph.words}
    letters = sorted({letter for word in graph.words for letter in word})
    grammar = Grammar(graph, lexicon, (SILENCE, *letters))
    spectrum = yaml.safe_load((ROOT / "conf" / "features" / "spectrum.yaml").read_text())
    size = build_front_end(spectrum).size if path.stem == "voice" else 64
    settings = yaml.safe_load(path.read_text())
    settings.pop("defaults", None)  # Hydra's
    if hears_frames(settings):
        spec = replace(spec, grammar=grammar.to_json())
    torch.manual_seed(0)
    return build_recogniser(settings, size, spec), size, spec


@SHIPPED
@torch.no_grad()
def test_every_shipped_model_fits(path: Path) -> None:
    model, size, spec = shipped(path)
    product = model.eval()(torch.randn(1, 30, size), torch.tensor([30]))["product"]
    assert product.shape == (1, len(spec.head("product").classes))
    if path.stem in ("m1", "m2", "hybrid", "pretrained", "pair"):
        assert sum(parameter.numel() for parameter in model.parameters()) < 1_500_000
    if path.stem in ("rnn", "lstm", "gru"):
        assert 4 * sum(parameter.numel() for parameter in model.parameters()) < 300_000, "bytes"


@SHIPPED
def test_mixed_precision_answers_and_learns_alike(path: Path) -> None:
    """As `trainer=gpu` has it, with the CPU's autocast: bfloat16 has 8 significant bits."""
    model, size, _ = shipped(path)
    features, lengths = 3 * torch.randn(len(LENGTHS), max(LENGTHS), size) - 8, torch.tensor(LENGTHS)
    heard, weights = [], dict(model.named_parameters())
    for mixed in (False, True):
        model.zero_grad()
        model.train()
        torch.manual_seed(1)  # what is dropped
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            every = model.listen(features, lengths) if isinstance(model, HybridRecogniser) else []
            logits = [one.heads for one in every] or [model(features, lengths)]
            loss = sum(torch.logsumexp(head.float(), 1).mean() for heads in logits for head in heads.values())
            loss = loss + sum(one.phones.float().square().mean() for one in every)
        assert isinstance(loss, torch.Tensor)
        loss.backward()
        assert all(w.grad.isfinite().all() for w in weights.values() if w.grad is not None)
        heard.append(torch.cat([head.float().flatten() for heads in logits for head in heads.values()]).detach())
    exact, rounded = heard
    assert (exact - rounded).norm() < 0.05 * exact.norm()
