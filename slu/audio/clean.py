"""`AudioCleaner`: a recording made quieter around the voice, equally loud, and brighter, in this order.

Each step is a switch of `CleanSettings`. Silence stays silence: where nothing is left above `FLOOR_DB`, nothing is
amplified. The samples stay floats, so a peak that the gain lifts above 1 is kept as it is and never cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slu.audio.decode import Waveform, rms_db
from slu.common.errors import UserError
from slu.common.settings import parse_settings

FLOOR_DB = -80.0
"""Level (RMS, dB full scale) below which a clip is silence: at a target of -20 dB no gain exceeds 60 dB."""

_N_FFT, _HOP = 1024, 256
_PADDING = 16 * _HOP
_BLOCK_S = 30.0


@dataclass(frozen=True)
class CleanSettings:
    denoise: bool = True
    """Stationary spectral gating (noisereduce): what stands out of the clip's own steady sound is kept."""
    level_db: float | None = -20.0
    """RMS level of the whole clip in dB full scale; None leaves the level alone."""
    pre_emphasis: float | None = 0.97
    """y[t] = x[t] - a x[t-1]; None or 0 leaves the spectrum alone."""

    def __post_init__(self) -> None:
        if self.level_db is not None and not FLOOR_DB < self.level_db <= 0:
            raise ValueError(f"level_db lies above {FLOOR_DB:g} and at most at 0, got {self.level_db:g}")
        if self.pre_emphasis is not None and not 0 <= self.pre_emphasis < 1:
            raise ValueError(f"pre_emphasis is at least 0 and below 1, got {self.pre_emphasis:g}")


class AudioCleaner:
    """Callable on mono float32 samples (samples,) at `sample_rate`; gives the same shape and type."""

    def __init__(self, settings: CleanSettings, sample_rate: int) -> None:
        self.settings, self.sample_rate = settings, sample_rate

    def __call__(self, samples: Waveform) -> Waveform:
        s = self.settings
        if s.denoise and len(samples) >= _N_FFT:  # less than one window shows no noise to tell from the voice
            samples = self._denoise(samples)
        if s.level_db is not None and (level := rms_db(samples)) > FLOOR_DB:
            samples = samples * np.float32(10 ** ((s.level_db - level) / 20))
        if s.pre_emphasis:
            samples = np.concatenate([samples[:1], samples[1:] - np.float32(s.pre_emphasis) * samples[:-1]])
        return samples

    def _denoise(self, samples: Waveform) -> Waveform:
        """In blocks of at most half a minute, each with its own noise: memory stays flat however long the clip."""
        from noisereduce import reduce_noise  # 1.5 s of imports that only a denoising front end pays for

        count = -(-len(samples) // int(_BLOCK_S * self.sample_rate))
        blocks = [
            reduce_noise(
                block,
                self.sample_rate,
                stationary=True,
                n_fft=_N_FFT,
                padding=_PADDING,  # the library's 30,000 zeros cost twice the clip and change nothing that is heard
                time_mask_smooth_ms=max(50.0, 1001.0 * _HOP / self.sample_rate),  # at least one hop, else it refuses
                chunk_size=None,  # chunks would go through a temporary file
            )
            for block in np.array_split(samples, count)
        ]
        return np.concatenate(blocks).astype(np.float32, copy=False)


def build_cleaner(settings: Mapping[str, Any] | None, sample_rate: int) -> AudioCleaner | None:
    """None where nothing is to be done. Raises ValueError naming the setting that is wrong."""
    if settings is None:
        return None
    try:
        parsed = parse_settings(CleanSettings, settings, "clean")
    except UserError as error:
        raise ValueError(str(error)) from None
    if not (parsed.denoise or parsed.level_db is not None or parsed.pre_emphasis):
        return None
    return AudioCleaner(parsed, sample_rate)
