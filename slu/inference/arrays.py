"""The few functions of arrays that an answer takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


def log_softmax(values: Floats) -> Floats:
    """Along the last axis."""
    shifted = values - values.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def softmax(values: Floats) -> Floats:
    """Along the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def logistic(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0.0, -values)), np.float64)


def side_by_side(clips: list[Floats]) -> Floats:
    """(frames, …) each -> (batch, most frames, …), zeros beyond a clip's end; of arrays without frames, their stack."""
    longest = max(len(clip) for clip in clips)
    result = np.zeros((len(clips), longest, *clips[0].shape[1:]), np.float32)
    for row, clip in zip(result, clips, strict=True):
        row[: len(clip)] = clip
    return result
