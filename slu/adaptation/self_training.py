"""Learning from clips without labels: what the network itself hears in them, where it is sure (Lee, 2013).

Believing only the surest answers of every class keeps a network from drifting to the classes that it hears too often
(Zou et al., 2018).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from slu.adaptation.clips import Clips
from slu.inference.decision import decide, stated, temper
from slu.models import Recogniser
from slu.spec import TaskSpec

_BATCH = 32
Scores = Mapping[str, NDArray[np.float32]]


@torch.inference_mode()
def hear(network: Recogniser, clips: Clips) -> dict[str, NDArray[np.float32]]:
    """(rows, classes) probabilities by head, at the temperatures of the heads."""
    network.eval()
    features = clips.features()
    order = np.argsort([len(f) for f in features], kind="stable")
    scores = {h.name: np.zeros((len(features), len(h.classes)), np.float32) for h in clips.spec.heads}
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        batch = [features[row] for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True)
        for name, logits in network(padded, torch.tensor([len(f) for f in batch])).items():
            scores[name][rows] = logits.softmax(dim=1).numpy()
    return {head.name: temper(scores[head.name], head.temperature) for head in clips.spec.heads}


def believed(scores: Scores, spec: TaskSpec, share: float, threshold: float) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The labels of every row by head, and which rows to believe.

    A row is believed when its confidence (that of all heads together) reaches the threshold and it is among the surest
    `share` of those that are given the same class by some head.
    """
    answers = {head.name: decide(head, scores[head.name]) for head in spec.heads}
    confidence = np.multiply.reduce([stated(scores[name], ids) for name, ids in answers.items()])
    chosen = np.zeros(len(confidence), dtype=bool)
    for ids in answers.values():
        for index in np.unique(ids):
            rows = np.flatnonzero(ids == index)
            surest = rows[np.argsort(-confidence[rows], kind="stable")]
            chosen[surest[: int(np.ceil(share * len(rows)))]] = True
    labels = {head.name: np.array(head.classes, dtype=object)[answers[head.name]] for head in spec.heads}
    return pd.DataFrame(labels), chosen & (confidence >= threshold)


def self_labelled(network: Recogniser, clips: Clips, share: float, threshold: float) -> Clips:
    """Those of the clips that the network is sure of, labelled with what it hears."""
    labels, chosen = believed(hear(network, clips), clips.spec, share, threshold)
    table = clips.table.assign(**{name: labels[name].to_numpy() for name in labels.columns})
    return replace(clips, table=table[chosen].reset_index(drop=True))
