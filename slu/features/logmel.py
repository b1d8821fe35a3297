"""Log-mel energies: the logarithm of a mel-spaced filter bank on the power spectrum."""

import torch
import torchaudio.functional as AF
from torch import Tensor

from slu.features.base import FrontEnd, power_spectrum

MOST_HZ = 200_000
"""Of half a sample rate: no recording has more."""


class LogMel(FrontEnd):
    """(samples,) -> (frames, n_mels), natural logarithm of power, clipped to `range_db` below the loudest cell.

    The clip makes digital silence and a quiet room look alike: without it, the zeros that lossy codecs
    leave between words become the strongest feature of a clip.
    """

    def __init__(
        self,
        *,
        sample_rate: int = 16_000,
        n_mels: int = 64,
        n_fft: int = 512,
        win_length: int = 400,
        hop_length: int = 160,
        f_min: float = 60.0,
        f_max: float | None = None,
        range_db: float = 80.0,
    ) -> None:
        super().__init__()
        if not 0 < hop_length <= win_length <= n_fft:
            raise ValueError(
                "front end 'logmel': need 0 < hop_length <= win_length <= n_fft, "
                f"got {hop_length}, {win_length}, {n_fft}"
            )
        f_max = f_max or sample_rate / 2
        if not (1 <= n_mels <= n_fft // 2 + 1 and range_db > 0 and 0 <= f_min < f_max <= sample_rate / 2 < MOST_HZ):
            raise ValueError(
                "front end 'logmel': need 1 <= n_mels <= n_fft / 2 + 1, range_db > 0 and 0 <= f_min < f_max <= "
                f"sample_rate / 2 < {MOST_HZ}, got {n_mels}, {range_db:g}, {f_min:g}, {f_max:g} at {sample_rate} Hz"
            )
        self.sample_rate, self.size, self.hop_s = sample_rate, n_mels, hop_length / sample_rate
        self.n_fft, self.win_length, self.hop_length = n_fft, win_length, hop_length
        self.range = range_db / 10 * float(torch.tensor(10.0).log())
        self.window: Tensor
        self.filters: Tensor
        self.register_buffer("window", torch.hann_window(win_length), persistent=False)
        filters = AF.melscale_fbanks(n_fft // 2 + 1, f_min, f_max, n_mels, sample_rate, mel_scale="htk")
        self.register_buffer("filters", filters, persistent=False)
        bins = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1)
        centres = (bins @ filters) / filters.sum(0).clamp(min=1e-9)
        self.register_buffer("band_hz", centres, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        if waveform.shape[-1] < self.win_length:
            waveform = torch.nn.functional.pad(waveform, (0, self.win_length - waveform.shape[-1]))
        power = power_spectrum(waveform, self.n_fft, self.hop_length, self.window)
        mel = torch.log(power @ self.filters + 1e-12)
        return mel.clamp(min=float(mel.max()) - self.range)
