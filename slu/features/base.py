"""What a front end is: one waveform in, a matrix of frames out."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class FrontEnd(nn.Module, ABC):
    """Maps mono samples (samples,) at `sample_rate` to features (frames, size)."""

    sample_rate: int
    size: int
    hop_s: float
    """Seconds between frames."""
    band_hz: Tensor | None
    """(size,) centre of each band in Hz, where features are natural logarithms of power per band; else None.
    Only such features can be augmented, and get noise in validation, after they are computed."""

    @abstractmethod
    def forward(self, waveform: Tensor) -> Tensor: ...


def power_spectrum(waveform: Tensor, n_fft: int, hop_length: int, window: Tensor) -> Tensor:
    """(samples,) -> (frames, n_fft // 2 + 1) powers; the first frame is centred on the first sample."""
    spectrum = torch.stft(
        waveform,
        n_fft,
        hop_length,
        len(window),
        window,
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    return (spectrum.real.square() + spectrum.imag.square()).transpose(-1, -2)
