"""MFCCs: mel-frequency cepstral coefficients (Davis and Mermelstein, 1980), of cleaned audio where asked for."""

from collections.abc import Mapping
from typing import Any

import torch
import torchaudio.functional as AF
from torch import Tensor

from slu.audio.clean import build_cleaner
from slu.features.base import FrontEnd, power_spectrum

_LEAST_POWER = 1e-10
"""-100 dB: digital silence is one constant frame, not minus infinity."""


class Mfcc(FrontEnd):
    """(samples,) -> (frames, n_mfcc): orthonormal cosine transform of mel power in dB, as librosa computes it.

    Mel cells are clipped to `range_db` below the loudest one. Cleaning is part of the front end, so that what
    is served is what was trained on. `band_hz` is None: coefficients are no powers, noise cannot be added to them.
    """

    def __init__(
        self,
        *,
        sample_rate: int = 16_000,
        n_mfcc: int = 13,
        n_fft: int = 2048,
        hop_length: int = 512,
        n_mels: int = 128,
        f_min: float = 0.0,
        f_max: float | None = None,
        range_db: float = 80.0,
        clean: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if not 0 < hop_length <= n_fft:
            raise ValueError(f"front end 'mfcc': need 0 < hop_length <= n_fft, got {hop_length}, {n_fft}")
        f_max = f_max or sample_rate / 2
        if not 1 <= n_mfcc <= n_mels or range_db <= 0 or not 0 <= f_min < f_max <= sample_rate / 2:
            raise ValueError(
                "front end 'mfcc': need 1 <= n_mfcc <= n_mels, range_db > 0 and 0 <= f_min < f_max <= "
                f"sample_rate / 2, got {n_mfcc}, {n_mels}, {range_db:g}, {f_min:g}, {f_max:g} at {sample_rate} Hz"
            )
        self.sample_rate, self.size, self.hop_s = sample_rate, n_mfcc, hop_length / sample_rate
        self.n_fft, self.hop_length, self.range_db = n_fft, hop_length, range_db
        self.band_hz = None
        self.clean = build_cleaner(clean, sample_rate)
        self.window: Tensor
        self.filters: Tensor
        self.cosines: Tensor
        filters = AF.melscale_fbanks(n_fft // 2 + 1, f_min, f_max, n_mels, sample_rate, "slaney", "slaney")
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("cosines", AF.create_dct(n_mfcc, n_mels, "ortho"), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        if self.clean is not None:
            waveform = torch.from_numpy(self.clean(waveform.numpy()))
        power = power_spectrum(waveform, self.n_fft, self.hop_length, self.window)
        decibels = 10 * torch.log10((power @ self.filters).clamp(min=_LEAST_POWER))
        return decibels.clamp(min=float(decibels.max()) - self.range_db) @ self.cosines
