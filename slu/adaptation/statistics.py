"""Batch normalisation in adaptation: its statistics move towards the clips once, and then stay where they are.

With a handful of clips, statistics of every batch would be those of a few voices, and would differ between training
and use. So they are estimated on all clips at once and mixed with those of the training (Schneider et al., 2020);
fine-tuning runs with the result fixed, as prediction will, and learns weights alone.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from slu.models import Recogniser
from slu.models.layers import MaskedNorm

_BATCH = 64


def fix_statistics(network: nn.Module) -> None:
    """Of a network in training mode: batches are normalised as in prediction."""
    for module in network.modules():
        if isinstance(module, (MaskedNorm, _BatchNorm)):
            module.eval()


@torch.no_grad()
def mix_statistics(network: Recogniser, features: Sequence[Tensor], prior_clips: float) -> None:
    """Move running means and variances to those of clips (frames, size), in place, by n / (n + `prior_clips`).

    A network without batch normalisation stays as it is.
    """
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    if not norms or not features:
        return
    was_training, before = network.training, [_state(norm) for norm in norms]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for module in network.modules():
        if isinstance(module, (MaskedNorm, _BatchNorm)):
            module.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    order = sorted(range(len(features)), key=lambda i: len(features[i]))
    count = max(1, round(len(features) / _BATCH))
    for part in range(count):  # every batch has clips of all lengths
        clips = [features[i] for i in order[part::count]]
        lengths = torch.tensor([len(clip) for clip in clips])
        network.outputs(torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), lengths)
    weight = len(features) / (len(features) + prior_clips)
    for norm, (mean, variance), momentum in zip(norms, before, momenta, strict=True):
        new_mean, new_variance = _state(norm)
        norm.running_mean.copy_(torch.lerp(mean, new_mean, weight))  # type: ignore[union-attr]
        norm.running_var.copy_(torch.lerp(variance, new_variance, weight))  # type: ignore[union-attr]
        norm.momentum = momentum
    network.train(was_training)


def _state(norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean.clone(), norm.running_var.clone()
