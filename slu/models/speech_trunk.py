"""The published network under `slu.models.speech_embedding`, as it was trained by its authors (Lin et al., 2020)."""

from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
import torchaudio.functional as AF
from scipy.optimize import nnls
from torch import Tensor, nn

from slu.models.layers import frame_mask
from slu.models.published import published_weights


class _Stage(NamedTuple):
    """Convolutions (frames, bands) of the trunk, without padding along time, and the maximum that ends them."""

    channels: int
    kernels: tuple[tuple[int, int], ...]
    pool: tuple[int, int]


_FOUR = ((1, 3), (3, 1), (1, 3), (3, 1))
_STAGES = (
    _Stage(24, ((3, 3), (1, 3), (3, 1)), (2, 2)),
    _Stage(48, _FOUR, (1, 2)),
    _Stage(72, _FOUR, (2, 2)),
    _Stage(96, _FOUR, (1, 2)),
    _Stage(96, _FOUR, (2, 2)),
)
HEARD, SIZE = 64, _STAGES[-1].channels
"""Bands of `features=logmel` that are listened to, and the size of an embedding."""
_BANDS = 32
_REACH = 38
"""Input frames that an embedding sees on either side of its own."""
_TOGETHER = {"cpu": 4}
"""Clips that are convolved at a time: more of them leave the processor's caches, and take half as long again each. A
GPU takes all, for few at a time leave it idle."""
_LOUDNESS = 8.3
"""Mean over speech in what it was trained on: decimal logarithm of power, samples counted from -32768 to 32767."""


@cache
def coarser_bands() -> Tensor:
    """(64, 32): from the powers of the bands of `features=logmel` to those of the embedding, which are wider.

    The embedding's are 32 triangles of one area on Slaney's mel scale, from 60 to 3800 Hz. Sums of the finer ones come
    within a decibel of them on speech.
    """
    fine = AF.melscale_fbanks(257, 60.0, 8000.0, HEARD, 16_000, None, "htk").double().numpy()
    coarse = AF.melscale_fbanks(257, 60.0, 3800.0, _BANDS, 16_000, "slaney", "slaney").double().numpy()
    return torch.stack([torch.from_numpy(nnls(fine, band)[0]) for band in coarse.T], dim=1).float()


class Trunk(nn.Module):
    """The published network, over whole clips: (batch, frames, 32), lengths -> (batch, shorter, 96), lengths.

    It was published for windows of 76 frames at steps of 8. It has no padding along time, so that convolving over a
    clip gives the same embeddings as its windows one by one; without the last step, twice as many.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        if stride not in (4, 8):
            raise ValueError("SpeechEmbedding needs a stride of 4 or 8")
        self.stride = stride
        inputs = (1, *(stage.channels for stage in _STAGES))
        self.stages = nn.ModuleList(
            nn.ModuleList(
                nn.Conv2d(stage.channels if i else before, stage.channels, kernel, padding=(0, kernel[1] // 2))
                for i, kernel in enumerate(stage.kernels)
            )
            for before, stage in zip(inputs, _STAGES, strict=False)
        )
        self.last = nn.Conv2d(SIZE, SIZE, (3, 1), dilation=(8 // stride, 1), bias=False)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
            if parameter.ndim == 4:  # twice as fast as the default
                parameter.data = parameter.data.to(memory_format=torch.channels_last)

    def load_published(self) -> None:
        convs = [conv for conv in self.modules() if isinstance(conv, nn.Conv2d)]
        for conv, (weight, bias) in zip(convs, published_weights(), strict=True):
            conv.weight.copy_(weight)
            if conv.bias is not None and bias is not None:
                conv.bias.copy_(bias)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        inside = frame_mask(lengths, x.shape[1]).unsqueeze(-1)
        floor = x.masked_fill(~inside, torch.inf).amin((1, 2), keepdim=True)  # around a clip it is quiet
        x = torch.where(inside, x, floor)
        shorter = (lengths - 1).div(self.stride, rounding_mode="floor") + 1
        together = _TOGETHER.get(x.device.type, len(x))
        if len(x) <= together:
            return self._embed(x, floor), shorter
        result = x.new_zeros(len(x), int(shorter.max()), SIZE)
        alike = lengths.argsort(stable=True)  # clips of like length together: little is convolved in vain
        for rows in torch.split(alike, together):
            part = self._embed(x[rows, : int(lengths[rows].max())], floor[rows])
            result[rows, : part.shape[1]] = part.to(result.dtype)  # which mixed precision makes shorter
        return result, shorter

    def _embed(self, x: Tensor, floor: Tensor) -> Tensor:
        """(batch, frames, 32), and what is heard around each clip, (batch, 1, 1) -> (batch, shorter, 96)."""
        before, after = (floor.expand(-1, more, _BANDS) for more in (_REACH, _REACH + self.stride))
        part = torch.cat([before, x, after], 1) + _LOUDNESS
        y = self.convolve(part.unsqueeze(1).to(memory_format=torch.channels_last))
        return y[..., 0].transpose(1, 2)[:, : (x.shape[1] - 1) // self.stride + 1]

    def convolve(self, x: Tensor) -> Tensor:
        """(batch, 1, frames, 32) -> (batch, 96, fewer, 1)."""
        stages = [list(convs) for convs in self.stages]  # type: ignore[call-overload]
        first, halved = stages[0][0], 8 // self.stride
        for convs, stage in zip(stages, _STAGES, strict=True):
            for conv in convs:
                x = conv(x)
                if conv is first:  # trained with a rectifier before the normalisation that is in its weights now
                    x = torch.maximum(x, first.bias.view(-1, 1, 1))
                x = _rectified(x)
            step = (stage.pool[0] // halved, stage.pool[1]) if convs is stages[-1] else stage.pool
            x = F.max_pool2d(x, stage.pool, step)
        return self.last(x)  # type: ignore[no-any-return]


def _rectified(x: Tensor) -> Tensor:
    if x.requires_grad:  # in place, it would overwrite what the gradient is computed from
        return F.leaky_relu(x.clamp(min=-2.0), 0.2)
    return F.leaky_relu_(x.clamp_(min=-2.0), 0.2)
