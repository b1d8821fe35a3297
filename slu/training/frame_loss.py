"""What frames should be, against what a network hears in them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from slu.features.augment import IGNORE
from slu.models.listener import FrameScores


def frame_loss(heard: FrameScores, labels: Tensor | None, stride: int) -> Tensor:
    """Cross-entropy of the phones plus that of the words, each the mean over the frames that have a label.

    `labels` (batch, features, 2) as the data module gives them; the network's frame t is about feature t * stride.
    """
    total = torch.zeros((), device=heard.phones.device)
    if labels is None:
        return total
    targets = labels[:, ::stride]
    for logits, target in zip((heard.phones, heard.words), targets.unbind(-1), strict=True):
        if (target != IGNORE).any():
            total = total + F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORE)
    return total
