"""What a front end is: one waveform in, a matrix of frames out."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class FrontEnd(nn.Module, ABC):
    """Maps mono samples (samples,) at `sample_rate` to features (frames, size)."""

    sample_rate: int
    size: int
    hop_s: float
    """Seconds between frames."""

    @abstractmethod
    def forward(self, waveform: Tensor) -> Tensor: ...
