"""`Voice`: who speaks rather than what is said, from the timbre and the pitch of a linear power spectrum."""

import math

import torch
import torch.nn.functional as F
import torchaudio.functional as AF
from torch import Tensor, nn

from slu.models.layers import MaskedNorm, frame_mask

_NATURAL = math.log(10) / 10
"""One decibel in the features' unit."""


class Voice(nn.Module):
    """(batch, frames, bins) of `features=spectrum`, lengths -> (batch, 1, 2 x channels), ones.

    Two small convolutional nets hear the same frames: one the mel bands (the vocal tract), the other the
    autocorrelation at the periods of human voices (the larynx), which a telephone's missing fundamental does not
    hide, because the harmonics keep their spacing. Their averages over the loud frames stand side by side, so that the
    linear head adds the evidence of both; frames `quiet_db` below the loudest have half a say, silence has none.
    """

    def __init__(
        self,
        n_features: int,
        *,
        f_max: float = 4_000.0,
        n_mels: int = 32,
        lags: int = 48,
        pitch_hz: tuple[float, float] = (70.0, 400.0),
        channels: int = 48,
        range_db: float = 70.0,
        quiet_db: float = 30.0,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if n_features < 4 * n_mels:
            raise ValueError(f"it reads the bins of features=spectrum; {n_features} features are too few")
        self.d_model = 2 * channels
        self.timbre, self.pitch = _MelBands(n_features, f_max, n_mels), _Periods(n_features, f_max, lags, pitch_hz)
        self.range, self.quiet = range_db * _NATURAL, quiet_db * _NATURAL
        self.nets = nn.ModuleList([_Branch(n_mels, channels), _Branch(lags, channels)])
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        mask = frame_mask(lengths, x.shape[1])
        padding = ~mask.unsqueeze(-1)
        loudest = x.masked_fill(padding, -math.inf).amax((1, 2), keepdim=True)
        x = (x - loudest).clamp(min=-self.range).masked_fill(padding, -self.range)
        level = x.logsumexp(2)
        loud = torch.sigmoid(2 * (level - level.amax(1, keepdim=True) + self.quiet)) * mask
        views = (self.timbre(x, loud), self.pitch(x, loud))
        branches = [net(view, lengths, loud) for net, view in zip(self.nets, views, strict=True)]
        return self.dropout(torch.cat(branches, dim=1)).unsqueeze(1), torch.ones_like(lengths)


class _MelBands(nn.Module):
    """Log-mel bands, the clip's level taken off."""

    def __init__(self, bins: int, f_max: float, n_mels: int) -> None:
        super().__init__()
        filters = AF.melscale_fbanks(bins, 80.0, 0.95 * f_max, n_mels, int(2 * f_max), mel_scale="htk")
        self.filters: Tensor
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor, loud: Tensor) -> Tensor:
        weight = loud.unsqueeze(-1)
        cells = weight.sum((1, 2), keepdim=True) * self.filters.shape[1]
        mel = torch.log(x.exp() @ self.filters + 1e-10)
        centred = (mel - (mel * weight).sum((1, 2), keepdim=True) / cells) * weight
        return centred * torch.rsqrt(centred.square().sum((1, 2), keepdim=True) / cells + 1e-3)


class _Periods(nn.Module):
    """Autocorrelation of the compressed, flattened spectrum at logarithmically spaced lags, per frame.

    The autocorrelation is the cosine transform of the power spectrum (Wiener-Khinchin). Compressing the powers and
    subtracting their envelope over `_ENVELOPE_HZ` first leaves the harmonics and takes off formants and channel, as
    multi-pitch analysis does it (Tolonen and Karjalainen, 2000). The peak of many harmonics is narrower than the
    distance between two lags, so each lag stands for the highest of `_FINER` around it.
    """

    _ENVELOPE_HZ = 500.0
    _COMPRESSION = 0.3
    _HIGHEST_HZ = 2000.0
    _FINER = 4

    def __init__(self, bins: int, f_max: float, lags: int, pitch_hz: tuple[float, float]) -> None:
        super().__init__()
        low, high = pitch_hz
        if not 0 < low < high:
            raise ValueError(f"pitch_hz must be a range of positive frequencies, got {[low, high]}")
        frequency = torch.linspace(0, f_max, bins)
        period = torch.logspace(math.log10(1 / high), math.log10(1 / low), lags * self._FINER)
        band = ((frequency >= 60) & (frequency <= min(self._HIGHEST_HZ, 0.95 * f_max))).float()
        self.reach = max(1, round(self._ENVELOPE_HZ / 2 / (f_max / (bins - 1))))
        self.band: Tensor
        self.cosines: Tensor
        self.register_buffer("band", band, persistent=False)
        cosines = torch.cos(2 * math.pi * frequency[:, None] * period)
        self.register_buffer("cosines", cosines * band[:, None], persistent=False)

    def forward(self, x: Tensor, loud: Tensor) -> Tensor:
        magnitude = (self._COMPRESSION * x).exp()
        envelope = F.avg_pool1d(magnitude, 2 * self.reach + 1, 1, self.reach, count_include_pad=False)
        harmonics = (magnitude - envelope) * self.band
        correlation = harmonics @ self.cosines / (harmonics.abs().sum(2, keepdim=True) + 1e-6)
        return 4 * F.max_pool1d(correlation, self._FINER) * loud.unsqueeze(-1)  # about unit variance in voiced frames


class _Branch(nn.Module):
    """Two strided convolutions over time, then the mean by loudness: (batch, frames, inputs) -> (batch, channels)."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, channels, 5, stride=2, padding=2, bias=False) for width in (inputs, channels)
        )
        self.norms = nn.ModuleList(MaskedNorm(channels) for _ in range(2))

    def forward(self, x: Tensor, lengths: Tensor, loud: Tensor) -> Tensor:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = convolution(x.transpose(1, 2)).transpose(1, 2)
            lengths = (lengths - 1).div(2, rounding_mode="floor") + 1
            mask = frame_mask(lengths, x.shape[1])
            x = F.gelu(norm(x, mask)).masked_fill(~mask.unsqueeze(-1), 0.0)
        say = (loud[:, ::4] * mask).unsqueeze(-1)  # two strides of two: frame t was centred on frame 4 t
        return (x * say).sum(1) / say.sum(1).clamp(min=1e-6)
