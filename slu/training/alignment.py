"""Frame targets: those of synthetic speech from its synthesiser, those of recordings from the model itself.

A recording has labels but no times. The sentence that fits it best among those that mean its labels gives them, found
by the model as it is at the start of an epoch (forced alignment), as often as the model gets better.
"""

import lightning as L
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from slu.corpus.alignments import find_alignments
from slu.decoding.grammar import Grammar
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.spec import TaskSpec
from slu.training.datamodule import NO_LABEL, UtteranceDataset
from slu.training.frame_labels import FrameTargets


def frame_targets(table: pd.DataFrame, spec: TaskSpec) -> FrameTargets | None:
    """Of the clips of a table of features whose times are known; None for a task without a grammar."""
    if not spec.grammar:
        return None
    grammar = Grammar.from_json(spec.grammar)
    return FrameTargets(grammar.phones, grammar.words, find_alignments(table["file_name"].astype(str)))


def align(network: HybridRecogniser, features: Tensor, labels: dict[str, str]) -> Tensor | None:
    """(frames, 2) phone and word of every feature frame of a clip that says `labels`; None where no sentence fits."""
    was_training = network.training
    path = network.eval().align(features.to(network.phone_prior.device), labels)
    network.train(was_training)
    if path is None:
        return None
    return torch.tensor(path).repeat_interleave(network.stride, dim=0)[: len(features)]


def align_dataset(network: HybridRecogniser, data: UtteranceDataset, spec: TaskSpec) -> int:
    """Give every labelled clip of unknown times those that the network hears; returns how many got some."""
    assert data.frame_labels is not None
    aligned = 0
    for row in np.flatnonzero((data.labels != NO_LABEL).all(axis=1)):
        if not data.frame_labels.is_given(int(row)):
            ids = data.labels[row]
            labels = {head.name: head.classes[index] for head, index in zip(spec.heads, ids, strict=True)}
            found = align(network, data[int(row)][0], labels)
            if found is not None:
                data.frame_labels.learn(int(row), found)
                aligned += 1
    return aligned


def learn_priors(network: HybridRecogniser, data: UtteranceDataset) -> None:
    """From the frames whose phones and words are known."""
    assert data.frame_labels is not None
    phones, words = len(network.grammar.phones), len(network.grammar.words)
    counts = [data.frame_labels.counts(kind, size) for kind, size in enumerate((phones, words))]
    network.learn_priors(*(torch.from_numpy(c).float() for c in counts))


class AlignRecordings(Callback):
    """Aligns the recordings among the training clips at the start of every epoch from the `start`-th on."""

    def __init__(self, start: int = 1) -> None:
        self.start = start

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        data = trainer.datamodule.datasets["train"]  # type: ignore[attr-defined]
        network = pl_module.recogniser()  # type: ignore[operator]
        if trainer.current_epoch >= self.start:
            align_dataset(network, data, pl_module.spec)  # type: ignore[arg-type]
