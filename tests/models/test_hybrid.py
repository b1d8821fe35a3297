"""The hybrid recogniser: frame scores, their search, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch

from slu.decoding.grammar import Grammar
from slu.decoding.graph import Arc, WordGraph
from slu.inference.arrays import log_softmax
from slu.inference.conclusion import FrameScores, mixed
from slu.models import build_recogniser, hears_frames
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.models.layers import SpeechNorm
from slu.spec import Head, TaskSpec

GRAPH = WordGraph(2, 1, (Arc(0, 1, "satu", (("digit", "1"),)), Arc(0, 1, "dua", (("digit", "2"),))))
GRAMMAR = Grammar(GRAPH, {"satu": (("s", "a", "t", "u"),), "dua": (("d", "u", "a"),)}, ("_", "a", "d", "s", "t", "u"))
SPEC = TaskSpec("digits", (Head("digit", ("1", "2")),), grammar=GRAMMAR.to_json())
SETTINGS: dict[str, Any] = {
    "_target_": "slu.models.hybrid.Hybrid",
    "channels": 16,
    "blocks": 2,
    "decoding": {"phones": 0.5, "words": 0.5, "baseline": "tilt"},
}


def recogniser(**changes: Any) -> HybridRecogniser:
    torch.manual_seed(0)
    network = build_recogniser({**SETTINGS, **changes}, 20, SPEC)
    assert isinstance(network, HybridRecogniser)
    return network.eval()


def test_answers_do_not_depend_on_padding_or_neighbours() -> None:
    network, features = recogniser(), torch.randn(2, 90, 20)
    with torch.inference_mode():
        together = network(features, torch.tensor([90, 61]))["digit"]
        alone = network(features[1:, :61], torch.tensor([61]))["digit"]
    assert together.shape == (2, 2)
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=1e-4)


def test_frames_are_a_stride_apart() -> None:
    (heard,) = recogniser().listen(torch.randn(1, 90, 20), torch.tensor([90]))
    assert heard.lengths.tolist() == [23]
    assert heard.phones.shape == (1, 23, 6)
    assert heard.words.shape == (1, 23, 3)


def test_aligns_a_clip_with_its_label() -> None:
    network, names = recogniser(), GRAMMAR.words
    path = network.align(torch.randn(80, 20), {"digit": "2"})
    assert path is not None
    assert {names[word] for _, word in path} == {"", "dua"} or {names[word] for _, word in path} == {"dua"}
    assert network.align(torch.randn(4, 20), {"digit": "1"}) is None, "one frame has no room for four phones"
    assert network.align(torch.randn(80, 20), {"digit": "7"}) is None, "the menu has no such class"


def test_priors_are_taken_out() -> None:
    network, features = recogniser(), torch.randn(1, 40, 20)
    (heard,) = network.listen(features, torch.tensor([40]))
    scores = FrameScores(heard.phones.detach().numpy(), heard.words.detach().numpy(), {})
    before, _ = network.conclusion().likelihoods(scores)
    network.learn_priors(torch.tensor([95.0, 0, 0, 0, 0, 0]), torch.ones(3))
    after, _ = network.conclusion().likelihoods(scores)
    change = (after - before)[0, 0]
    assert change[0] < change[1], "the pause was frequent in training"


def test_needs_a_grammar_and_known_settings() -> None:
    assert hears_frames(SETTINGS)
    assert not hears_frames({"_target_": "slu.models.nowhere.Nothing"})
    assert not hears_frames({"_target_": "slu.models.m1.M1"})
    with pytest.raises(ValueError, match="needs a menu"):
        build_recogniser(SETTINGS, 20, TaskSpec("digits", SPEC.heads))
    with pytest.raises(ValueError, match=r"model\.decoding"):
        build_recogniser({**SETTINGS, "decoding": {"beam": 3}}, 20, SPEC)
    with pytest.raises(ValueError, match="speech_bands"):
        build_recogniser({**SETTINGS, "decoding": {"baseline": "mel"}}, 20, SPEC)
    with pytest.raises(ValueError, match="stride"):
        build_recogniser({**SETTINGS, "stride": 3}, 20, SPEC)


@pytest.mark.parametrize("baseline", ["bands", "tilt", "level"])
def test_the_norm_hears_speech_not_pauses(baseline: str) -> None:
    """Longer pauses, another level and a deeper floor change nothing in the speech."""
    speech = torch.randn(1, 30, 20) * 2
    quiet = torch.full((1, 40, 20), -30.0)
    short, long = torch.cat([speech, quiet[:, :5]], 1), torch.cat([speech, quiet - 20], 1) + 7.0
    norm = SpeechNorm(20, baseline)
    a, b = (norm(x, torch.ones(x.shape[:2], dtype=torch.bool))[:, :30] for x in (short, long))
    torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_two_listeners_are_averaged_by_their_shares() -> None:
    beside = {"_target_": "slu.models.hybrid.Hybrid", "channels": 8, "blocks": 1, "baseline": "level"}
    pair = recogniser(beside={**beside, "share": 0.25})
    assert pair.conclusion().shares == (0.75, 0.25)
    heard = pair.listen(torch.randn(1, 90, 20), torch.tensor([90]))
    alone = [FrameScores(*(v.detach().numpy() for v in (one.phones, one.words)), {}) for one in heard]
    expected = 0.75 * log_softmax(alone[0].words) + 0.25 * log_softmax(alone[1].words)
    np.testing.assert_allclose(mixed(alone, (0.75, 0.25)).words, expected, rtol=1e-5)


def test_two_listeners_need_one_stride_and_frames() -> None:
    beside = {"_target_": "slu.models.hybrid.Hybrid", "channels": 8, "blocks": 1}
    with pytest.raises(ValueError, match="one stride"):
        recogniser(beside={**beside, "stride": 8})
    with pytest.raises(ValueError, match="share is between 0 and 1"):
        recogniser(beside={**beside, "share": 1.5})
    with pytest.raises(ValueError, match="does not hear frame by frame"):
        recogniser(beside={"_target_": "slu.models.m2.M2"})
    with pytest.raises(ValueError, match="only what hears frame by frame"):
        build_recogniser({"_target_": "slu.models.m2.M2", "beside": beside}, 20, SPEC)
