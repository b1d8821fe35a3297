"""What can be said of a clip without knowing what was said in it."""

from dataclasses import dataclass

import numpy as np

from slu.audio.decode import Waveform, rms_db

_FRAME_S = 0.02
_RAIL = 0.9999
"""Share of the clip's peak from which a sample counts as lying at the rail: flat, to 16 bits."""
_SILENCE_BELOW_PEAK_DB = 40.0


@dataclass(frozen=True)
class Measures:
    duration_s: float
    level_db: float
    """RMS over the whole clip, dB full scale; -120 is digital silence."""
    peak_db: float
    clipped_share: float
    """Of the samples, those cut off flat: in runs of at least three at the peak. Shows at the rate of the recording;
    resampling and lossy coding round the tops off."""
    silent_share: float
    """Of the 20 ms frames, more than 40 dB below the loudest one."""
    snr_db: float
    """Estimated: level of the loudest frames (95th percentile) above that of the quietest (10th)."""
    zero_share: float
    """Of the 20 ms frames, those with nothing but zeros: digital silence, which no microphone records."""


def measure(samples: Waveform, sample_rate: int) -> Measures:
    """`samples` is mono in about [-1, 1], not empty."""
    frame = max(1, int(_FRAME_S * sample_rate))
    padded = samples if len(samples) >= frame else np.pad(samples, (0, frame - len(samples)))
    frames = padded[: len(padded) // frame * frame].reshape(-1, frame).astype(np.float64)
    levels = 10 * np.log10(np.maximum(np.mean(frames**2, axis=1), 1e-12))
    peak = float(np.abs(samples).max())
    loud, quiet = np.percentile(levels, [95, 10])
    return Measures(
        duration_s=len(samples) / sample_rate,
        level_db=rms_db(samples),
        peak_db=20 * float(np.log10(max(peak, 1e-6))),
        clipped_share=_clipped_share(samples, peak),
        silent_share=float(np.mean(levels < levels.max() - _SILENCE_BELOW_PEAK_DB)),
        snr_db=float(loud - quiet),
        zero_share=float(np.mean(~frames.any(axis=1))),
    )


def _clipped_share(samples: Waveform, peak: float) -> float:
    if peak < 0.5:  # a recording that was cut off and then turned down keeps flat tops; quiet ones are not looked at
        return 0.0
    at_rail = np.abs(samples) >= _RAIL * peak
    edges = np.diff(np.concatenate([[0], at_rail.astype(np.int8), [0]]))
    runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return float(runs[runs >= 3].sum() / len(samples))
