"""The training loop of an adaptation: a few hundred steps on own clips and replayed ones, at a low rate."""

import math
import time
import warnings
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slu.adaptation.batches import draw_batches
from slu.adaptation.clips import Clips
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.adaptation.statistics import fix_statistics
from slu.features.augment import Augment
from slu.models import Recogniser, hears_frames
from slu.training.alignment import align_dataset
from slu.training.classifier import UtteranceClassifier
from slu.training.datamodule import Batch
from slu.training.schedule import constant

_WARM_UP = 10
"""Steps in which the rate rises."""
_PARTS = 20
"""Of the time allowed, in which the rate falls where there is too little for all steps."""


@dataclass(frozen=True)
class FineTuned:
    network: Recogniser
    steps: int
    cpu_s: float


def fine_tune(
    start: Recogniser, own: Clips, replay: Clips, recipe: Recipe, settings: AdaptSettings, *, seed: int = 0
) -> FineTuned:
    """A copy of `start` that has learnt from `own`, every row of which has a label, without forgetting `replay`.

    Augmented as in the bundle's training; own clips are drawn so that classes come equally often. Batch statistics
    stay as they are in `start`. Ends after `settings.steps`, or earlier when `settings.seconds` are used up; the rate
    falls to zero either way.
    """
    began = time.process_time()
    classifier = UtteranceClassifier(
        recipe.model, recipe.spec, recipe.front_end.size, recipe.loss, torch.optim.AdamW, constant, seed=seed
    )
    network = classifier.network
    network.load_state_dict(start.state_dict())
    data, beside = own.dataset(), replay.dataset()
    if hears_frames(recipe.model):
        align_dataset(network, data, recipe.spec)  # type: ignore[arg-type]
    augment = Augment(recipe.augment, recipe.front_end.hop_s, recipe.front_end.band_hz)
    frozen = [parameter for parameter in network.parameters() if not parameter.requires_grad]
    optimizer = torch.optim.AdamW(_groups(network, frozen, settings), weight_decay=0.0)
    rng = np.random.default_rng([settings.seed, seed])
    batches = draw_batches(data, beside, own, settings, rng)
    threads, steps = torch.get_num_threads(), 0
    while steps < settings.steps:
        spent = (time.process_time() - began) / (threads * settings.seconds)
        # In coarse parts, so that time changes nothing of a fit that it does not end.
        progress = max(steps / settings.steps, math.floor(_PARTS * spent) / _PARTS)
        if progress >= 1:
            break
        batch = next(batches)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        torch.manual_seed(int(rng.integers(2**62)))  # of dropout
        features, lengths, frames = augment.with_labels(batch.features, batch.lengths, batch.frame_labels, generator)
        network.train()
        fix_statistics(network)
        loss = _loss(classifier, batch._replace(features=features, lengths=lengths, frame_labels=frames))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(1.0, (steps + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * progress))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        steps += 1
    for parameter in frozen:
        parameter.requires_grad_(False)
    return FineTuned(deepcopy(network).eval(), steps, time.process_time() - began)


def _groups(network: Recogniser, frozen: list[nn.Parameter], settings: AdaptSettings) -> list[dict[str, Any]]:
    """Of parameters, each with its rate at the peak; those that were frozen learn only at a rate of their own."""
    groups = [{"params": [p for p in network.parameters() if p.requires_grad], "peak": settings.lr}]
    if frozen and settings.trunk_lr:
        groups.append({"params": [p.requires_grad_(True) for p in frozen], "peak": settings.trunk_lr})
    return groups


def _loss(classifier: UtteranceClassifier, batch: Batch) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*self.trainer.*")  # there is none, and nothing to log to
        return classifier.training_step(batch, 0)
