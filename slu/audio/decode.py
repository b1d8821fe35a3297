"""Decoding with caps: the header is checked before a sample is read, and reading stops at the limit.

soundfile reads WAV, FLAC, MP3, OGG and OPUS. Whatever it refuses (M4A, WebM) goes to PyAV with a
whitelist of containers, because FFmpeg otherwise opens playlists that name other files.
"""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from slu.audio.mix import ChannelPowers

Waveform = NDArray[np.float32]

MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 4_000, 192_000
_BLOCK_S = 1.0
_AV_FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "ogg", "mp3", "flac", "wav", "aac")
# A known format is known by its beginning; FFmpeg would look for one through a megabyte, again and again.
_AV_OPTIONS = {"format_whitelist": ",".join(_AV_FORMATS), "formatprobesize": "65536"}


class AudioError(ValueError):
    """The audio cannot be used; the message says why, without the name of the file."""


@dataclass(frozen=True)
class AudioLimits:
    max_duration_s: float = 30.0
    truncate: bool = False
    """Read the first `max_duration_s` seconds of a longer file instead of refusing it."""
    max_samples: float = math.inf
    """Of all channels together: seconds of many channels at a high rate cost more than minutes of speech."""

    def frames(self, rate: int, channels: int) -> int:
        return int(min(self.max_duration_s * rate, self.max_samples / channels))


def decode(source: Path | bytes, sample_rate: int, limits: AudioLimits = AudioLimits()) -> Waveform:
    """Mono float32 samples in about [-1, 1] at `sample_rate` Hz, shape (samples,): the mean of the channels.

    Where that is 20 dB below the loudest channel, the channels cancel, and the loudest alone is taken.
    Raises AudioError for anything that is not usable audio: unreadable or empty data, rates or channel
    counts beyond the limits, NaN or infinite samples, or more than `limits.max_duration_s` seconds.
    """
    try:
        with _Reader(source) as file, sf.SoundFile(file) as handle:
            samples, rate = _read_soundfile(handle, limits)
    except sf.LibsndfileError:
        samples, rate = _read_av(source, limits)
    except OSError as error:
        raise AudioError(error.strerror or "the file cannot be read") from None
    if samples.size == 0:
        raise AudioError("there are no samples in it")
    if not np.isfinite(samples).all():
        raise AudioError("it holds NaN or infinite samples")
    if np.abs(samples).max() > 1e4:  # a float file in integer units, or garbage: either would drown everything
        raise AudioError("its samples are far outside the range -1 to 1")
    if rate != sample_rate:
        samples = soxr.resample(samples, rate, sample_rate)
    return np.ascontiguousarray(samples, dtype=np.float32)


@dataclass(frozen=True)
class AudioFacts:
    """What the header of a file says of its audio."""

    sample_rate: int
    channels: int
    format: str
    """Container and encoding, as in `FLAC PCM_16` or `matroska,webm opus`."""


def probe(source: Path | bytes) -> AudioFacts:
    """Read the header only. Raises AudioError for what `decode` would refuse by its header."""
    try:
        with _Reader(source) as file, sf.SoundFile(file) as handle:
            facts = AudioFacts(handle.samplerate, handle.channels, f"{handle.format} {handle.subtype}")
    except sf.LibsndfileError:
        with _open_av(source) as (container, stream):
            name = f"{container.format.name} {stream.codec_context.name}"
            facts = AudioFacts(int(stream.rate or 0), int(stream.channels or 0), name)
    except OSError as error:
        raise AudioError(error.strerror or "the file cannot be read") from None
    _check_header(facts.sample_rate, facts.channels)
    return facts


class _Reader:
    """An open file without its name: soundfile takes some endings for raw PCM, and FFmpeg fetches some names.

    FFmpeg also tries positions that a damaged file does not have; PyAV would print a traceback for each.
    """

    def __init__(self, source: Path | bytes) -> None:
        self._file: io.BytesIO | io.BufferedReader = (
            io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        )
        self.read, self.readinto, self.tell = self._file.read, self._file.readinto, self._file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _read_soundfile(handle: sf.SoundFile, limits: AudioLimits, only: int | None = None) -> tuple[Waveform, int]:
    rate, channels = handle.samplerate, handle.channels
    _check_header(rate, channels)
    cap = limits.frames(rate, channels)
    if not limits.truncate and handle.frames > cap and handle.frames < 2**62:
        raise AudioError(f"it lasts {handle.frames / rate:.0f} s, the limit is {round(cap / rate, 2):g} s")
    blocks: list[Waveform] = []
    powers = ChannelPowers(channels)
    even = np.full(channels, 1 / channels, np.float32)  # their mean; numpy is slow at it along so short an axis
    total = 0
    while total <= cap:
        block = handle.read(int(_BLOCK_S * rate), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block @ even if only is None else block[:, only].copy())
        powers.add(block, blocks[-1])
        total += len(block)
    if only is None and (loudest := powers.instead) is not None:  # read again: all channels are never in memory
        handle.seek(0)
        return _read_soundfile(handle, limits, loudest)
    return _join(blocks, cap, rate, limits), rate


def _read_av(source: Path | bytes, limits: AudioLimits, only: int | None = None) -> tuple[Waveform, int]:
    import av

    with _open_av(source) as (container, stream):
        _check_header(stream.rate or 0, stream.channels or 0)
        rate, channels = int(stream.rate), int(stream.channels)
        cap = limits.frames(rate, channels)
        to_mono = av.AudioResampler(format="flt", layout="mono", rate=rate)
        to_floats = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
        powers = ChannelPowers(channels)
        blocks: list[Waveform] = []
        total = 0
        for frame in container.decode(stream):
            each = [part.to_ndarray().T for part in to_floats.resample(frame)] if channels > 1 else []
            if only is None:
                mixed = [mono.to_ndarray().reshape(-1).astype(np.float32) for mono in to_mono.resample(frame)]
            else:
                mixed = [part[:, only].copy() for part in each]
            for part, mix in zip(each, mixed, strict=False):
                powers.add(part, mix)
            blocks += mixed
            total += sum(map(len, mixed))
            if total > cap:
                break
    if only is None and (loudest := powers.instead) is not None:
        return _read_av(source, limits, loudest)
    return _join(blocks, cap, rate, limits), rate


@contextmanager
def _open_av(source: Path | bytes) -> Iterator[tuple[Any, Any]]:
    """PyAV's container and its first audio stream. Whatever FFmpeg raises inside becomes an AudioError."""
    import av  # 100 MB of FFmpeg: loaded only when soundfile does not know the format

    try:
        with (
            _Reader(source) as file,
            av.open(file, mode="r", options=_AV_OPTIONS) as container,
        ):
            if not container.streams.audio:
                raise AudioError("there is no audio in it")
            if container.streams.audio[0].codec_context is None:
                raise AudioError("nobody here can decode its audio")
            yield container, container.streams.audio[0]
    except AudioError:
        raise
    except (av.FFmpegError, ValueError, OSError):
        raise AudioError("it is not audio in a known format (WAV, FLAC, MP3, OGG, OPUS, M4A, WebM)") from None


def _join(blocks: list[Waveform], cap: int, rate: int, limits: AudioLimits) -> Waveform:
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if len(samples) > cap and not limits.truncate:
        raise AudioError(f"it lasts more than the limit of {round(cap / rate, 2):g} s")
    return samples[:cap]


def _check_header(rate: int, channels: int) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"its sample rate of {rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"it has {channels} channels, at most {MAX_CHANNELS} are read")


def rms_db(samples: Waveform) -> float:
    """Root-mean-square level in dB relative to full scale; digital silence is -120 dB."""
    mean_square = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10.0 * float(np.log10(max(mean_square, 1e-12)))
