"""Parts that encoders share. Shapes: (batch, frames, channels); masks are True on real frames."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_DB = math.log(10) / 10


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """(batch,) -> (batch, frames), True where a frame belongs to the clip."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


class MaskedNorm(nn.Module):
    """Batch normalisation (Ioffe and Szegedy, 2015) whose statistics come from real frames only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if not self.training:  # statistics are fixed: normalising padding is harmless and faster
            mean, variance = self.norm.running_mean, self.norm.running_var
            assert mean is not None
            assert variance is not None
            return (x - mean) * (self.norm.weight * torch.rsqrt(variance + self.norm.eps)) + self.norm.bias
        y = torch.zeros_like(x)
        y[mask] = self.norm(x[mask])
        return y


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each frame: nothing is remembered of the training voices."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.norm(x)  # type: ignore[no-any-return]


NORMS: dict[str, type[MaskedNorm] | type[ChannelNorm]] = {"batch": MaskedNorm, "layer": ChannelNorm}


class UtteranceNorm(nn.Module):
    """Subtract the clip's own spectral baseline; divide by one standard deviation of the whole clip.

    `baseline` says how much of the clip's mean spectrum counts as channel rather than speech: `bands` all of
    it (each band's mean), `tilt` only a straight line over the bands, `level` only its overall level. In a
    long utterance the mean is the microphone; in a single short word it is half the word.
    One deviation for all bands keeps their relative contrast: a band that holds only floor stays flat.
    `none` leaves features as they are: for encoders that normalise their input themselves.
    """

    def __init__(self, n_features: int, baseline: str = "bands") -> None:
        super().__init__()
        if baseline not in ("bands", "tilt", "level", "none"):
            raise ValueError(f"normalise must be bands, tilt, level or none, got '{baseline}'")
        self.baseline = baseline
        ramp = torch.linspace(-1, 1, n_features)
        self.ramp: Tensor
        self.register_buffer("ramp", ramp / ramp.norm(), persistent=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if self.baseline == "none":
            return x.masked_fill(~mask.unsqueeze(-1), 0.0)
        weight = mask.unsqueeze(-1).to(x.dtype)
        count = weight.sum(1, keepdim=True).clamp(min=1.0)
        mean = (x * weight).sum(1, keepdim=True) / count
        if self.baseline != "bands":
            level = mean.mean(2, keepdim=True)
            slope = (mean * self.ramp).sum(2, keepdim=True) if self.baseline == "tilt" else torch.zeros_like(level)
            mean = level + slope * self.ramp
        centred = (x - mean) * weight
        variance = centred.square().sum((1, 2), keepdim=True) / (count * x.shape[2])
        return centred * torch.rsqrt(variance + 1e-3)


class SpeechNorm(nn.Module):
    """The floor at `range_db` below the loudest cell; then the baseline of the speech subtracted, in units of 10 dB.

    Features are natural logarithms of power. The baseline is that of UtteranceNorm, but of the frames within
    `speech_db` of the loudest alone: how long a clip's pauses are, and how deep its silence, changes nothing.
    `blur_bands` is the standard deviation of a blur over neighbouring bands: formants differ in width between a
    synthesiser and people more than in place.
    """

    def __init__(
        self, n_features: int, baseline: str, range_db: float = 45.0, speech_db: float = 25.0, blur_bands: float = 0.0
    ) -> None:
        super().__init__()
        if baseline not in ("bands", "tilt", "level"):
            raise ValueError(f"normalise must be speech_bands, speech_tilt or speech_level, got 'speech_{baseline}'")
        self.baseline, self.range, self.speech = baseline, range_db * _DB, speech_db * _DB
        self.blur: Tensor | None
        distance = torch.arange(n_features)[:, None] - torch.arange(n_features)[None, :]
        blur = torch.exp(-distance.square() / (2 * max(blur_bands, 1e-3) ** 2))
        self.register_buffer("blur", blur / blur.sum(0) if blur_bands else None, persistent=False)
        ramp = torch.linspace(-1, 1, n_features)
        self.ramp: Tensor
        self.register_buffer("ramp", ramp / ramp.norm(), persistent=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        outside = ~mask.unsqueeze(-1)
        x = torch.maximum(x, x.masked_fill(outside, -math.inf).amax((1, 2), keepdim=True) - self.range)
        if self.blur is not None:
            x = x @ self.blur
        level = x.logsumexp(2, keepdim=True).masked_fill(outside, -math.inf)
        weight = (level > level.amax(1, keepdim=True) - self.speech).to(x.dtype)
        mean = (x * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1.0)
        if self.baseline != "bands":
            flat = mean.mean(2, keepdim=True)
            slope = (mean * self.ramp).sum(2, keepdim=True) if self.baseline == "tilt" else torch.zeros_like(flat)
            mean = flat + slope * self.ramp
        return ((x - mean) / (10 * _DB)).masked_fill(outside, 0.0)


class SinusoidalPositions(nn.Module):
    """Adds the fixed encoding of Vaswani et al. (2017, section 3.5); any length is allowed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % 2:
            raise ValueError(f"d_model must be even, got {channels}")
        self.rate: Tensor
        rate = torch.exp(torch.arange(0, channels, 2) * (-math.log(10_000.0) / channels))
        self.register_buffer("rate", rate, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angle = torch.arange(x.shape[1], device=x.device).unsqueeze(1) * self.rate
        return x + torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).to(x.dtype)


class TransformerLayers(nn.Module):
    """Pre-norm Transformer encoder; padding is never attended to."""

    def __init__(self, channels: int, layers: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        if layers < 1 or heads < 1:
            raise ValueError(f"a Transformer needs at least one layer and one attention head, got {layers} and {heads}")
        if channels % heads:
            raise ValueError(f"d_model {channels} is not divisible by {heads} attention heads")
        layer = nn.TransformerEncoderLayer(
            channels, heads, feedforward, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(channels), enable_nested_tensor=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return self._written_down(x)
        return self.encoder(x, src_key_padding_mask=~mask)  # type: ignore[no-any-return]

    def _written_down(self, x: Tensor) -> Tensor:
        """The same of one clip, in operations of which none fixes the number of frames, as those of torch's own
        attention do when they are traced."""
        for layer in self.encoder.layers:
            attention = layer.self_attn
            queries, keys, values = (
                part.reshape(1, -1, attention.num_heads, attention.head_dim).transpose(1, 2)
                for part in F.linear(layer.norm1(x), attention.in_proj_weight, attention.in_proj_bias).chunk(3, 2)
            )
            weights = (queries @ keys.transpose(2, 3) * attention.head_dim**-0.5).softmax(3)
            x = x + attention.out_proj((weights @ values).transpose(1, 2).flatten(2))
            x = x + layer.linear2(F.gelu(layer.linear1(layer.norm2(x))))
        return self.encoder.norm(x)  # type: ignore[no-any-return, misc]


class AttentionPooling(nn.Module):
    """One query per head over the frames, then one linear classifier per head.

    A head can look where its word is; frames of padding get no weight.
    """

    def __init__(self, channels: int, classes: dict[str, int], dropout: float) -> None:
        super().__init__()
        self.names = list(classes)
        self.scores = nn.Linear(channels, len(classes))
        self.dropout = nn.Dropout(dropout)
        self.outputs = nn.ModuleList(nn.Linear(channels, count) for count in classes.values())

    def forward(self, x: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """(batch, frames, channels) -> logits (batch, classes) by head name."""
        weights = self.scores(x).masked_fill(~mask.unsqueeze(-1), -math.inf).softmax(dim=1)
        pooled = torch.einsum("btc,bth->hbc", x, weights)
        return {n: out(self.dropout(p)) for n, out, p in zip(self.names, self.outputs, pooled, strict=True)}
