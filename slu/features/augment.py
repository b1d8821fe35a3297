"""Augmentation of batches of log powers per band: what rooms, microphones, people and noise do to a spectrogram.

Everything works on cached features, so an epoch never touches audio. Each part is drawn per utterance,
with its own probability, from the generator that is passed in: the same seed gives the same batch.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from slu.features.augment_settings import AugmentSettings as AugmentSettings

DB = math.log(10) / 10
"""One decibel in the features' unit, natural logarithm of power."""

IGNORE = -100
"""Of frame labels: nothing is known of this frame, or the clip has ended."""


class Augment:
    """Callable on (features (batch, frames, bands), lengths (batch,)); returns the same shapes, new lengths.

    `band_hz`, the centres of the bands, is needed for the parts whose settings are in Hz.
    """

    def __init__(self, settings: AugmentSettings, hop_s: float, band_hz: Tensor | None = None) -> None:
        if band_hz is None and (settings.low_cut_prob or settings.high_cut_prob):
            raise ValueError("low_cut and high_cut need features whose bands have frequencies")
        self.settings, self.hop_s, self.band_hz = settings, hop_s, band_hz

    def __call__(self, features: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        features, lengths, _ = self.with_labels(features, lengths, None, generator)
        return features, lengths

    def with_labels(
        self, features: Tensor, lengths: Tensor, labels: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The same, and with `labels` ((batch, frames, any number), integers), moved with the frames they are of."""
        s, g = self.settings, generator
        if s.crop_prob:
            features, lengths, labels = self._crop(features, lengths, labels, g)
        if s.warp_prob:
            features, lengths, labels = self._warp(features, lengths, labels, g)
        batch = len(features)
        valid = (torch.arange(features.shape[1]) < lengths[:, None]).unsqueeze(-1)
        if s.reverb_prob:
            features = self._reverb(features, g)
        if s.equaliser_prob:
            features = features + self._chosen(batch, s.equaliser_prob, g) * self._curves(batch, features.shape[2], g)
        if s.loudness_prob:
            gain = self._wander(batch, features.shape[1], 6, g).unsqueeze(-1) * s.loudness_db * DB
            features = features + self._chosen(batch, s.loudness_prob, g) * gain
        if s.low_cut_prob or s.high_cut_prob:
            features = features + self._channel(batch, g)
        if s.smooth_prob:
            features = self._smooth(features, g)
        if s.fill_prob:
            features = self._fill(features, g)
        if s.noise_prob:
            features = self._noise(features, lengths, valid, g)
        if s.band_prob:
            features = self._band(features, valid, g)
        if s.mask_prob:
            features = self._mask(features, lengths, valid, g)
        if labels is not None:
            labels = labels.masked_fill(~valid, IGNORE)
        return features.masked_fill(~valid, 0.0), lengths, labels

    def _chosen(self, batch: int, probability: float, g: torch.Generator) -> Tensor:
        return (torch.rand(batch, generator=g) < probability).float().view(-1, 1, 1)

    def _uniform(self, batch: int, bounds: tuple[float, float], g: torch.Generator) -> Tensor:
        return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(batch, generator=g)

    def _crop(
        self, features: Tensor, lengths: Tensor, labels: Tensor | None, g: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        batch, frames, _ = features.shape
        wanted = (self._uniform(batch, self.settings.crop_s, g) / self.hop_s).round().long().clamp(min=1)
        chosen = self._chosen(batch, self.settings.crop_prob, g).view(-1) > 0
        kept = torch.where(chosen, torch.minimum(wanted, lengths), lengths)
        start = (torch.rand(batch, generator=g) * (lengths - kept + 1)).long()
        index = (start[:, None] + torch.arange(int(kept.max()))).clamp(max=frames - 1)
        return _frames_at(features, index), kept, None if labels is None else _frames_at(labels, index)

    def _channel(self, batch: int, g: torch.Generator) -> Tensor:
        """(batch, 1, bands) attenuation, natural logarithm of power."""
        s, hz = self.settings, self.band_hz
        assert hz is not None
        low = self._uniform(batch, s.low_cut_hz, g).view(-1, 1, 1) * self._chosen(batch, s.low_cut_prob, g)
        below = torch.log2((low / hz.clamp(min=1.0)).clamp(min=1.0))
        high = self._uniform(batch, s.high_cut_hz, g).view(-1, 1, 1)
        above = self._chosen(batch, s.high_cut_prob, g) * torch.log2((hz / high).clamp(min=1.0))
        return -(24 * below + 96 * above).clamp(max=80.0) * DB

    def _warp(
        self, features: Tensor, lengths: Tensor, labels: Tensor | None, g: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Stretch time and frequency of each clip in one bilinear interpolation."""
        s = self.settings
        batch, frames, bands = features.shape
        chosen = self._chosen(batch, s.warp_prob, g).view(-1)
        stretch = 1 + chosen * (self._uniform(batch, s.stretch, g) - 1)
        vtlp = 1 + chosen * (self._uniform(batch, s.vtlp, g) - 1)
        new_lengths = (lengths * stretch).round().long().clamp(min=1)
        new_frames = int(new_lengths.max())
        time = torch.arange(new_frames) / stretch[:, None]
        time = time + s.time_jitter_s / self.hop_s * chosen[:, None] * self._wander(batch, new_frames, 8, g)
        time = torch.minimum(time, (lengths - 1)[:, None].float()).clamp(min=0)
        band = torch.arange(bands) / vtlp[:, None]
        band = band + s.band_jitter * chosen[:, None] * self._wander(batch, bands, 5, g)
        grid = torch.stack(
            torch.broadcast_tensors(  # type: ignore[no-untyped-call]
                (2 * band / max(bands - 1, 1) - 1)[:, None, :], (2 * time / max(frames - 1, 1) - 1)[:, :, None]
            ),
            dim=-1,
        )
        warped = F.grid_sample(features.unsqueeze(1), grid, padding_mode="border", align_corners=True)
        moved = None if labels is None else _frames_at(labels, time.round().long())
        return warped.squeeze(1), new_lengths, moved

    def _wander(self, batch: int, size: int, knots: int, g: torch.Generator) -> Tensor:
        """(batch, size) smooth random curves of unit variance at their knots."""
        return F.interpolate(
            torch.randn(batch, 1, knots, generator=g), size=size, mode="linear", align_corners=True
        ).squeeze(1)

    def _curves(self, batch: int, bands: int, g: torch.Generator) -> Tensor:
        knots = torch.randn(batch, 1, 6, generator=g)
        smooth = F.interpolate(knots, size=bands, mode="linear", align_corners=True)
        tilt = torch.randn(batch, 1, 1, generator=g) * torch.linspace(-1, 1, bands)
        return (smooth + tilt) * self.settings.equaliser_db * DB

    def _smooth(self, features: Tensor, g: torch.Generator) -> Tensor:
        batch, _, bands = features.shape
        width = self._uniform(batch, (0.5, 2.0), g) * self._chosen(batch, self.settings.smooth_prob, g).view(-1)
        distance = (torch.arange(bands)[:, None] - torch.arange(bands)[None, :]).square()
        kernel = torch.exp(-distance / (2 * width.clamp(min=1e-3).square()).view(-1, 1, 1))
        return features @ (kernel / kernel.sum(dim=1, keepdim=True))

    def _fill(self, features: Tensor, g: torch.Generator) -> Tensor:
        """Adds noise (chi-square, two degrees of freedom) in the shape of each frame's spectrum blurred over bands."""
        batch, _, bands = features.shape
        width = self._uniform(batch, (2.0, 8.0), g).view(-1, 1, 1)
        distance = (torch.arange(bands)[:, None] - torch.arange(bands)[None, :]).square()
        kernel = torch.exp(-distance / (2 * width.square()))
        gain = 10 ** (self._uniform(batch, self.settings.fill_db, g).view(-1, 1, 1) / 10)
        power = features.exp()
        noise = torch.empty_like(power).exponential_(generator=g).clamp(0.1, 3.0)
        leaked = self._chosen(batch, self.settings.fill_prob, g) * gain * noise
        return (power + leaked * (power @ (kernel / kernel.sum(dim=1, keepdim=True))) + 1e-12).log()

    def _reverb(self, features: Tensor, g: torch.Generator) -> Tensor:
        """Exponential smearing of power along time, a first-order model of a diffuse tail."""
        s = self.settings
        batch = len(features)
        rt60 = self._uniform(batch, s.reverb_rt60_s, g)
        decay = 10 ** (-6 * self.hop_s / rt60)
        strength = self._chosen(batch, s.reverb_prob, g).view(-1) * 10 ** (-self._uniform(batch, (3.0, 14.0), g) / 10)
        taps = min(40, features.shape[1])
        kernel = (strength * (1 - decay)).view(-1, 1) * decay.view(-1, 1) ** torch.arange(taps)
        kernel[:, 0] += 1.0
        power = features.exp().transpose(1, 2).reshape(1, -1, features.shape[1])
        weight = kernel.flip(1).repeat_interleave(features.shape[2], 0).unsqueeze(1)
        wet = F.conv1d(F.pad(power, (taps - 1, 0)), weight, groups=weight.shape[0])
        return (wet.view(batch, features.shape[2], -1).transpose(1, 2) + 1e-12).log()

    def _noise(self, features: Tensor, lengths: Tensor, valid: Tensor, g: torch.Generator) -> Tensor:
        s = self.settings
        batch, frames, bands = features.shape
        power = features.exp() * valid
        level = power.sum((1, 2)) / (lengths * bands)
        coloured = self._coloured(batch, frames, bands, g)
        fewest, most = s.babble_voices
        voices = (
            torch.full((batch,), most) if fewest == most else torch.randint(fewest, most + 1, (batch,), generator=g)
        )
        babble = torch.zeros_like(power)
        for number, shift in enumerate(torch.randperm(max(batch - 1, 1), generator=g)[:most] + 1):
            other = torch.roll(power, int(shift), 0)
            other = torch.roll(other, int(torch.randint(frames, (1,), generator=g)), 1)
            babble = babble + (number < voices).view(-1, 1, 1) * other
        pick = (torch.rand(batch, generator=g) < s.babble_share).float().view(-1, 1, 1)
        if batch == 1:
            pick = pick * 0
        noise = coloured / coloured.mean((1, 2), keepdim=True) * (1 - pick)
        noise = noise + pick * babble / babble.mean((1, 2), keepdim=True).clamp(min=1e-12)
        gain = level * 10 ** (-self._uniform(batch, s.noise_snr_db, g) / 10)
        return (power + self._chosen(batch, s.noise_prob, g) * gain.view(-1, 1, 1) * noise + 1e-12).log()

    def _coloured(self, batch: int, frames: int, bands: int, g: torch.Generator) -> Tensor:
        """Power of noise with a random smooth spectrum and a wandering level; cells are chi-square distributed."""
        slope = self._uniform(batch, (-14.0, 6.0), g).view(-1, 1, 1) * torch.linspace(0, 1, bands)
        shape = slope + 1.2 * F.interpolate(torch.randn(batch, 1, 5, generator=g), size=bands, mode="linear")
        level = F.interpolate(torch.randn(batch, 1, 6, generator=g), size=frames, mode="linear").transpose(1, 2)
        depth = self._uniform(batch, (0.0, 1.0), g).view(-1, 1, 1)
        # A mel band averages several FFT bins: about four degrees of freedom low down, more higher up.
        speckle = -(torch.rand(2, batch, frames, bands, generator=g).clamp(min=1e-6).log()).mean(0)
        return (0.5 * shape + depth * level).exp() * speckle

    def _band(self, features: Tensor, valid: Tensor, g: torch.Generator) -> Tensor:
        batch, _, bands = features.shape
        cutoff = self._uniform(batch, (0.62, 1.0), g).view(-1, 1, 1) * bands
        chosen = self._chosen(batch, self.settings.band_prob, g)
        floor = features.masked_fill(~valid, math.inf).amin((1, 2), keepdim=True)
        cut = (torch.arange(bands) > cutoff) & (chosen > 0)
        return torch.where(cut, floor + 0.3 * torch.randn(features.shape, generator=g).abs(), features)

    def _mask(self, features: Tensor, lengths: Tensor, valid: Tensor, g: torch.Generator) -> Tensor:
        s = self.settings
        batch, frames, bands = features.shape
        mean = (features * valid).sum((1, 2), keepdim=True) / (lengths.view(-1, 1, 1) * bands)
        hidden = torch.zeros(batch, frames, bands, dtype=torch.bool)
        chosen = self._chosen(batch, s.mask_prob, g) > 0
        for _ in range(s.masks):
            for size, total, axis in ((s.mask_frames, frames, 1), (s.mask_bands, bands, 2)):
                width = torch.rand(batch, generator=g) * size
                start = torch.rand(batch, generator=g) * (total - width).clamp(min=0)
                position = torch.arange(total)
                span = (position >= start[:, None]) & (position < (start + width)[:, None])
                hidden |= span.unsqueeze(3 - axis)
        return torch.where(hidden & chosen, mean, features)


def _frames_at(values: Tensor, index: Tensor) -> Tensor:
    """(batch, frames, size) and (batch, new frames) -> (batch, new frames, size)."""
    return values.gather(1, index.unsqueeze(-1).expand(-1, -1, values.shape[2]))
