"""What every encoder must keep: padding and neighbours do not matter, order does, everything learns."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from slu.features import LogMel, Mfcc
from slu.models import Recogniser, build_recogniser
from slu.spec import Head, TaskSpec

BANDS = 16
SPEC = TaskSpec("t", (Head("product", ("a", "b", "c")), Head("quantity", ("1", "2"))))
TRANSFORMER = {"layers": 2, "attention_heads": 2, "feedforward": 24, "dropout": 0.0}
RECURRENT = {"_target_": "slu.models.recurrent.Recurrent", "hidden": 16, "dense": 12, "dropout": 0.0}
SMALL: dict[str, dict[str, Any]] = {
    "m1": {**TRANSFORMER, "_target_": "slu.models.m1.M1", "channels": [12, 16], "strides": [2, 2], "kernel_size": 3},
    "m1_conv2d": {
        **TRANSFORMER,
        "_target_": "slu.models.m1_conv2d.M1Conv2d",
        "channels": [4, 8],
        "pools": [[2, 2], [1, 2]],
        "d_model": 16,
    },
    "m2": {**TRANSFORMER, "_target_": "slu.models.m2.M2", "stack": 4, "d_model": 16},
    "rnn": {**RECURRENT, "cell": "rnn"},
    "rnn_last": {**RECURRENT, "cell": "rnn", "pooling": "last", "bidirectional": True, "recurrent_init": "identity"},
    "lstm": {**RECURRENT, "cell": "lstm", "layers": 2, "bidirectional": True},
    "lstm_max": {**RECURRENT, "cell": "lstm", "pooling": "max", "recurrent_init": "uniform"},
    "gru": {**RECURRENT, "cell": "gru", "pooling": "attention", "input_norm": "layer"},
    "gru_last": {**RECURRENT, "cell": "gru", "pooling": "last", "input_norm": "none", "pooled_norm": False},
}
LENGTHS = [41, 26, 7, 1]


def build(name: str, **changes: Any) -> Recogniser:
    """A small recogniser whose batch statistics are not the initial ones."""
    torch.manual_seed(0)
    model = build_recogniser({**SMALL[name], **changes}, BANDS, SPEC)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(3 * torch.randn(4, 30, BANDS) - 5, torch.tensor([30, 25, 20, 30]))
    return model.eval()


def clips() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, BANDS, generator=generator) * 3 - 8 for length in LENGTHS]


@pytest.mark.parametrize("filling", [0.0, 1e3])
@pytest.mark.parametrize("normalise", ["bands", "tilt", "level", "none"])
@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_neither_padding_nor_neighbours_change_an_answer(name: str, normalise: str, filling: float) -> None:
    model = build(name, normalise=normalise)
    padded = torch.full((len(LENGTHS), max(LENGTHS) + 13, BANDS), filling)
    for row, clip in enumerate(clips()):
        padded[row, : len(clip)] = clip
    together = model(padded, torch.tensor(LENGTHS))
    for row, clip in enumerate(clips()):
        alone = model(clip[None], torch.tensor([len(clip)]))
        for head in SPEC.head_names:
            torch.testing.assert_close(together[head][row], alone[head][0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_encoders_ignore_padding_on_their_own(name: str) -> None:
    encoder = build(name).encoder
    clip, padding = torch.randn(1, 22, BANDS), torch.full((1, 9, BANDS), 1e3)
    alone, frames = encoder(clip, torch.tensor([22]))
    padded, padded_frames = encoder(torch.cat([clip, padding], 1), torch.tensor([22]))
    assert alone.shape == (1, int(frames), encoder.d_model)
    assert int(frames) == int(padded_frames)
    torch.testing.assert_close(padded[:, : int(frames)], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_logits_by_head_and_different_for_different_clips(name: str) -> None:
    model = build(name)
    logits = model(torch.stack([clips()[0], clips()[0].flip(1)]), torch.tensor([41, 41]))
    assert {head: tuple(values.shape) for head, values in logits.items()} == {"product": (2, 3), "quantity": (2, 2)}
    assert not torch.allclose(logits["product"][0], logits["product"][1], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "changes", "group"),
    # Settings without any view of neighbouring frames, so that only the positions can tell the order.
    [("m1", {"kernel_size": 1, "strides": [1, 1]}, 1), ("m2", {"stack": 4}, 4), ("m2", {"stack": 1, "step": 1}, 1)],
)
@torch.no_grad()
def test_the_order_of_frames_matters_because_of_positions(name: str, changes: dict[str, Any], group: int) -> None:
    model = build(name, **changes)
    clip = clips()[0][:40]
    groups = torch.randperm(40 // group, generator=torch.Generator().manual_seed(0))
    shuffled = clip.reshape(-1, group, BANDS)[groups].reshape(40, BANDS)

    def change() -> float:
        logits = model(torch.stack([clip, shuffled]), torch.tensor([40, 40]))["product"]
        return float((logits[0] - logits[1]).abs().max())

    assert change() > 1e-3
    model.encoder.positions = nn.Identity()
    assert change() < 1e-5


@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_every_parameter(name: str) -> None:
    model = build(name).train()
    padded = nn.utils.rnn.pad_sequence(clips(), batch_first=True)
    frames = model.encoder(padded, torch.tensor(LENGTHS))[0].shape[1]
    logits = model(padded, torch.tensor(LENGTHS))
    targets = {"product": torch.tensor([0, 1, 2, 0]), "quantity": torch.tensor([0, 1, 0, 1])}
    sum(nn.functional.cross_entropy(logits[head], targets[head]) for head in logits).backward()  # type: ignore[union-attr]
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        # The same bias for all frames cannot change a softmax over frames, and nothing changes one over one frame.
        if not parameter_name.endswith("scores.bias") and (frames > 1 or not parameter_name.startswith("heads.scores")):
            assert parameter.grad.abs().max() > 1e-8, parameter_name


@pytest.mark.parametrize("name", SMALL)
def test_a_few_steps_lower_the_loss(name: str) -> None:
    model = build(name).train()
    padded, lengths = nn.utils.rnn.pad_sequence(clips()[:3], batch_first=True), torch.tensor(LENGTHS[:3])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = nn.functional.cross_entropy(model(padded, lengths)["product"], torch.tensor([0, 1, 2]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("m1", {"channels": [12]}),
        ("m1", {"channels": [], "strides": []}),
        ("m1", {"strides": [2, 0]}),
        ("m1", {"kernel_size": 4}),
        ("m1", {"kernel_size": -1}),
        ("m1", {"channels": [12, 15]}),
        ("m1", {"attention_heads": 3}),
        ("m1", {"attention_heads": 0}),
        ("m1", {"layers": 0}),
        ("m1", {"dropout": 1.5}),
        ("m1", {"dropout": "some"}),
        ("m1", {"kernel": 3}),
        ("m1_conv2d", {"pools": [[2, 2]]}),
        ("m1_conv2d", {"pools": [[2, 8], [2, 8]]}),
        ("m1_conv2d", {"pools": [[2, 0], [2, 2]]}),
        ("m2", {"stack": 0}),
        ("m2", {"d_model": 0}),
        ("m2", {"d_model": 18, "attention_heads": 4}),
        ("m2", {"d_model": -16}),
        ("m2", {"normalise": "nothing"}),
        ("rnn", {"cell": "tanh"}),
        ("rnn", {"hidden": 0}),
        ("rnn", {"layers": -1}),
        ("rnn", {"pooling": "first"}),
        ("rnn", {"input_norm": "bands"}),
        ("rnn", {"recurrent_init": "zeros"}),
        ("rnn", {"attention_heads": 2}),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_bad_settings_are_value_errors(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        build_recogniser({**SMALL[name], **changes}, BANDS, SPEC)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "M1",
        "os.system",
        "builtins.eval",
        "torch.nn.Linear",
        "slu.models",
        "slu.modelsx.m1.M1",
        "slu.features.LogMel",
        "slu.models.m1.F.gelu",
        "slu.models.m1.nn",
        "slu.models.m1.Nobody",
        "slu.models.m9.M9",
        "slu.models.layers.MaskedNorm",
        "slu.models.recogniser.build_recogniser",
    ],
)
def test_only_encoders_of_slu_models_are_built(target: str) -> None:
    with pytest.raises(ValueError, match=f"{target}'"):
        build_recogniser({"_target_": target}, BANDS, SPEC)
    with pytest.raises(ValueError, match="model ''"):
        build_recogniser({}, BANDS, SPEC)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_an_exported_model_gives_the_same_answers(name: str) -> None:
    model, inputs = build(name), (clips()[1][None], torch.tensor([LENGTHS[1]]))
    exported = torch.export.export(model, inputs).module()
    for head, logits in model(*inputs).items():
        torch.testing.assert_close(exported(*inputs)[head], logits)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("samples", [1, 400, 16_000])
@torch.no_grad()
def test_every_model_hears_every_front_end(name: str, samples: int) -> None:
    wave = torch.randn(samples, generator=torch.Generator().manual_seed(0))
    for front_end in (LogMel(n_mels=20), Mfcc(), Mfcc(n_mfcc=4, n_mels=20)):
        features = front_end(wave)
        model = build_recogniser(SMALL[name], front_end.size, SPEC).eval()
        logits = model(features[None], torch.tensor([len(features)]))
        assert all(values.isfinite().all() for values in logits.values())
