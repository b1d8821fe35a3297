"""The power spectrum itself, on a linear frequency axis: fine enough to tell the harmonics of a voice apart."""

import math

import torch
from torch import Tensor

from slu.features.base import FrontEnd, power_spectrum


class Spectrum(FrontEnd):
    """(samples,) -> (frames, n_fft // 2 + 1), natural logarithm of power, clipped to `range_db` below the loudest cell.

    At 8 kHz a telephone and a studio microphone look alike above their common band, and a window of 64 ms
    separates the harmonics of any voice. Mel bands, their cepstra and autocorrelations are all functions of it,
    so an encoder can compute them after noise and channels were added to the powers.
    """

    def __init__(
        self, *, sample_rate: int = 8_000, n_fft: int = 512, hop_length: int = 160, range_db: float = 70.0
    ) -> None:
        super().__init__()
        if not 0 < hop_length <= n_fft or range_db <= 0:
            raise ValueError(
                "front end 'spectrum': need 0 < hop_length <= n_fft and range_db > 0, "
                f"got {hop_length}, {n_fft} and {range_db:g}"
            )
        self.sample_rate, self.size, self.hop_s = sample_rate, n_fft // 2 + 1, hop_length / sample_rate
        self.n_fft, self.hop_length, self.range = n_fft, hop_length, range_db / 10 * math.log(10)
        self.window: Tensor
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("band_hz", torch.linspace(0, sample_rate / 2, self.size), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        if waveform.shape[-1] < self.n_fft:
            waveform = torch.nn.functional.pad(waveform, (0, self.n_fft - waveform.shape[-1]))
        power = torch.log(power_spectrum(waveform, self.n_fft, self.hop_length, self.window) + 1e-12)
        return power.clamp(min=float(power.max()) - self.range)
