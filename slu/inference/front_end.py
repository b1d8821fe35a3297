"""The front ends of `slu.features` once more, in numpy, for servers that do without torch.

They give the same features to within rounding: a bundle is checked against its own when its network is written down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slu.audio.decode import Waveform
from slu.inference.arrays import Floats


@dataclass(frozen=True)
class ArrayFrontEnd:
    sample_rate: int
    features: Callable[[Waveform], Floats]
    """Mono samples (samples,) -> (frames, size)."""


Maker: TypeAlias = Callable[..., ArrayFrontEnd]


def array_front_end(settings: Mapping[str, Any]) -> ArrayFrontEnd | None:
    """Of a task's front-end settings, which were checked when it was trained; None for one that needs torch."""
    values = dict(settings)
    make = _MAKERS.get(str(values.pop("name", "")))
    return None if make is None else make(**values)


def _log_mel(
    *,
    sample_rate: int = 16_000,
    n_mels: int = 64,
    n_fft: int = 512,
    win_length: int = 400,
    hop_length: int = 160,
    f_min: float = 60.0,
    f_max: float | None = None,
    range_db: float = 80.0,
) -> ArrayFrontEnd:
    filters = mel_filters(n_fft // 2 + 1, f_min, f_max or sample_rate / 2, n_mels, sample_rate)
    window = _window(win_length, n_fft)

    def features(waveform: Waveform) -> Floats:
        power = _power(_at_least(waveform, win_length), n_fft, hop_length, window)
        return _clipped(np.log(power @ filters + np.float32(1e-12)), range_db)

    return ArrayFrontEnd(sample_rate, features)


def _spectrum(
    *, sample_rate: int = 8_000, n_fft: int = 512, hop_length: int = 160, range_db: float = 70.0
) -> ArrayFrontEnd:
    window = _window(n_fft, n_fft)

    def features(waveform: Waveform) -> Floats:
        power = _power(_at_least(waveform, n_fft), n_fft, hop_length, window)
        return _clipped(np.log(power + np.float32(1e-12)), range_db)

    return ArrayFrontEnd(sample_rate, features)


_MAKERS: Mapping[str, Maker] = {"logmel": _log_mel, "spectrum": _spectrum}


def mel_filters(n_freqs: int, f_min: float, f_max: float, n_mels: int, sample_rate: int) -> Floats:
    """(n_freqs, n_mels) triangles between points that are equally far apart on the mel scale of the HTK book:
    mel = 2595 log10(1 + f / 700)."""
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (f_min, f_max))
    points = 700.0 * (10.0 ** (np.linspace(low, high, n_mels + 2) / 2595.0) - 1.0)
    distance = points[None, :] - np.linspace(0, sample_rate / 2, n_freqs)[:, None]
    width = np.diff(points)
    rising, falling = -distance[:, :-2] / width[:-1], distance[:, 2:] / width[1:]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def _window(length: int, n_fft: int) -> Floats:
    """A periodic Hann window in the middle of a frame."""
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    left = (n_fft - length) // 2
    return np.pad(hann, (left, n_fft - length - left))


def _at_least(waveform: Waveform, samples: int) -> Waveform:
    return waveform if len(waveform) >= samples else np.pad(waveform, (0, samples - len(waveform)))


def _power(waveform: Waveform, n_fft: int, hop: int, window: Floats) -> NDArray[np.float32]:
    """(frames, n_fft // 2 + 1); the first frame is centred on the first sample."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, n_fft // 2), n_fft)[::hop]
    spectrum = np.fft.rfft(frames * window)
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), np.float32)


def _clipped(log_power: Floats, range_db: float) -> Floats:
    """To `range_db` below the loudest cell."""
    return np.asarray(np.maximum(log_power, log_power.max() - range_db / 10 * np.log(10.0)), np.float32)
