"""The training loop of an adaptation: a few hundred steps on own clips and replayed ones, at a low rate."""

import math
import time
import warnings
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slu.adaptation.clips import Clips
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.adaptation.statistics import fix_statistics
from slu.corpus.labels import label_ids
from slu.features.augment import IGNORE, Augment
from slu.models import Recogniser, hears_frames
from slu.training.alignment import align_dataset
from slu.training.classifier import UtteranceClassifier
from slu.training.datamodule import Batch, UtteranceDataset
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
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=0.0)
    count = own_clips(len(own), settings)
    chances, rng = class_balance(own), np.random.default_rng([settings.seed, seed])
    threads, steps = torch.get_num_threads(), 0
    while steps < settings.steps:
        spent = (time.process_time() - began) / (threads * settings.seconds)
        # In coarse parts, so that time changes nothing of a fit that it does not end.
        progress = max(steps / settings.steps, math.floor(_PARTS * spent) / _PARTS)
        if progress >= 1:
            break
        mine = rng.choice(len(own), count, p=chances)
        others = rng.integers(len(replay), size=settings.batch_size - count)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        torch.manual_seed(int(rng.integers(2**62)))  # of dropout
        batch = joined(_batch(data, mine), _batch(beside, others))
        features, lengths, frames = augment.with_labels(batch.features, batch.lengths, batch.frame_labels, generator)
        network.train()
        fix_statistics(network)
        loss = _loss(classifier, batch._replace(features=features, lengths=lengths, frame_labels=frames))
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * min(1.0, (steps + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * progress))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        steps += 1
    return FineTuned(deepcopy(network).eval(), steps, time.process_time() - began)


def own_clips(clips: int, settings: AdaptSettings) -> int:
    """In a batch: the share that is asked for, unless so few clips would fill it with copies of themselves."""
    most = min(settings.recorded_share * settings.batch_size, settings.copies * clips)
    return min(max(1, round(most)), settings.batch_size - 1)


def _loss(classifier: UtteranceClassifier, batch: Batch) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*self.trainer.*")  # there is none, and nothing to log to
        return classifier.training_step(batch, 0)


def _batch(data: UtteranceDataset, rows: NDArray[np.int64]) -> Batch:
    return data.collate([data[int(row)] for row in rows])


def joined(first: Batch, second: Batch) -> Batch:
    """One batch of both, padded alike."""
    frames = max(first.features.shape[1], second.features.shape[1])
    times = None
    if first.frame_labels is not None and second.frame_labels is not None:
        times = torch.cat([_padded(b.frame_labels, frames, IGNORE) for b in (first, second)])  # type: ignore[arg-type]
    return Batch(
        torch.cat([_padded(b.features, frames, 0) for b in (first, second)]),
        torch.cat([first.lengths, second.lengths]),
        {name: torch.cat([ids, second.labels[name]]) for name, ids in first.labels.items()},
        torch.cat([first.rows, second.rows]),
        times,
    )


def _padded(values: Tensor, frames: int, fill: int) -> Tensor:
    return torch.nn.functional.pad(values, (0, 0, 0, frames - values.shape[1]), value=fill)


def class_balance(clips: Clips) -> NDArray[np.float64]:
    """Probability of each row to be drawn: over the heads, the mean of one by the count of its class."""
    weights = np.zeros(len(clips))
    for ids in label_ids(clips.table, clips.spec.heads).values():
        known = ids >= 0
        counts = np.bincount(ids[known], minlength=1)
        weights[known] += 1.0 / counts[ids[known]]
    return np.asarray(weights / weights.sum(), dtype=np.float64)
