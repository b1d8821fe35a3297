"""Samples into bytes that a browser plays."""

import io

import numpy as np
import soundfile as sf

from slu.audio.decode import Waveform

FLAC = "audio/flac"


def encode_flac(samples: Waveform, rate: int) -> bytes:
    """Of at least one sample, 16-bit: every browser plays it, and it keeps what was heard, which MP3 would not.

    Samples beyond [-1, 1] turn the whole clip down instead of being cut off.
    """
    buffer = io.BytesIO()
    peak = max(1.0, float(np.abs(samples).max()))
    sf.write(buffer, samples / peak, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
