"""Decoding: formats that people send, and everything that must be refused before it costs anything."""

import io
import struct
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from slu.audio.decode import AudioError, AudioLimits, decode, rms_db

RATE = 16_000


def sine(rate: int, duration_s: float = 1.0, hz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(duration_s * rate)) / rate)).astype(np.float32)


def encoded(samples: np.ndarray, rate: int, kind: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def muxed(
    container: str, codec: str, rate: int = 48_000, duration_s: float = 1.0, gains: tuple[float, ...] = (1.0,)
) -> bytes:
    """What phones (m4a) and browsers (webm) record; `gains` are those of the channels, one or two."""
    layout = ("mono", "stereo")[len(gains) - 1]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        wave = np.outer(np.array(gains, np.float32), sine(rate, duration_s))
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout=layout)
        frame.sample_rate = rate
        context = stream.codec_context
        resampler = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def is_the_sine(samples: np.ndarray, duration_s: float = 1.0) -> None:
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert samples.flags.c_contiguous
    assert len(samples) / RATE == pytest.approx(duration_s, abs=0.06)  # lossy codecs add up to a few frames
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * RATE / len(middle) == pytest.approx(440, abs=3)
    assert rms_db(middle) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.5)


def refusal(source: Path | bytes, limits: AudioLimits = AudioLimits()) -> str:
    with pytest.raises(AudioError) as caught:
        decode(source, RATE, limits)
    text = str(caught.value)
    assert text
    assert "0x" not in text
    assert "object" not in text
    assert "/" not in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 16_000),
        ("WAV", "PCM_24", 48_000),
        ("WAV", "FLOAT", 8_000),
        ("WAV", "ULAW", 8_000),
        ("FLAC", None, 22_050),
        ("FLAC", None, 96_000),
        ("MP3", None, 44_100),
        ("MP3", None, 16_000),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
    ],
)
def test_formats_of_soundfile(tmp_path: Path, kind: str, subtype: str | None, rate: int, channels: int) -> None:
    wave = np.repeat(sine(rate)[:, None], channels, axis=1)
    data = encoded(wave, rate, kind, subtype)
    is_the_sine(decode(data, RATE))
    for name in ("clip.bin", "clip.raw", "clip.m3u8"):  # what counts is the content, not the name
        (tmp_path / name).write_bytes(data)
        np.testing.assert_array_equal(decode(tmp_path / name, RATE), decode(data, RATE))


@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("webm", "libopus"), ("adts", "aac")])
def test_formats_of_ffmpeg(tmp_path: Path, container: str, codec: str) -> None:
    data = muxed(container, codec)
    is_the_sine(decode(data, RATE))
    (tmp_path / "clip").write_bytes(data)
    np.testing.assert_array_equal(decode(tmp_path / "clip", RATE), decode(data, RATE))


def test_lossless_at_the_same_rate_is_exact() -> None:
    wave = np.round(sine(RATE) * 32768) / 32768
    np.testing.assert_array_equal(decode(encoded(wave, RATE, "FLAC"), RATE), wave.astype(np.float32))


def test_resampling_removes_what_the_new_rate_cannot_hold() -> None:
    assert rms_db(decode(encoded(sine(48_000, hz=11_000), 48_000, "WAV"), RATE)[800:-800]) < -80


@pytest.mark.parametrize("kind", ["WAV", "AIFF"])
def test_no_samples(kind: str) -> None:
    assert refusal(encoded(np.zeros(0, np.float32), RATE, kind)) == "there are no samples in it"


def test_no_audio_in_a_video() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert refusal(file.getvalue()) == "there is no audio in it"


@pytest.mark.parametrize(
    ("make", "readable"),
    [
        (lambda: encoded(sine(RATE), RATE, "FLAC"), False),
        (lambda: encoded(sine(RATE), RATE, "OGG"), False),
        (lambda: encoded(sine(RATE), RATE, "MP3"), True),
        (lambda: encoded(sine(RATE), RATE, "WAV"), True),
        (lambda: muxed("webm", "libopus"), True),
        (lambda: muxed("ipod", "aac"), False),
    ],
    ids=["flac", "ogg", "mp3", "wav", "webm", "m4a"],
)
def test_a_truncated_file_is_refused_or_gives_its_first_part(make: Callable[[], bytes], readable: bool) -> None:
    data = make()
    half = data[: len(data) // 2]
    if readable:
        samples = decode(half, RATE)
        assert 0.2 * RATE < len(samples) < 0.6 * RATE
        assert rms_db(samples) == pytest.approx(-13.5, abs=1)
    else:
        assert "known format" in refusal(half)
    assert "known format" in refusal(data[:30])


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.raw", "a.txt", "a.m4a"])
@pytest.mark.parametrize("content", [b"", b"RIFF", b"a letter to a friend, not a recording\n" * 200, bytes(5000)])
def test_what_is_not_audio_is_refused_whatever_its_name(
    tmp_path: Path, name: str, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert "known format" in refusal(tmp_path / name)
    assert "known format" in refusal(content)
    assert "Traceback" not in capfd.readouterr().err


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nobody.wav") == "No such file or directory"
    assert refusal(tmp_path) == "Is a directory"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_sound(value: float) -> None:
    wave = sine(RATE)
    wave[RATE // 2] = value
    expected = "far outside the range" if np.isfinite(value) else "NaN or infinite"
    assert expected in refusal(encoded(wave, RATE, "WAV", "FLOAT"))


def test_an_hour_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sf.SoundFile(tmp_path / "hour.flac", "w", 8_000, 1, format="FLAC") as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8_000, np.int16))
    started = time.process_time()
    head = decode(tmp_path / "hour.flac", RATE, AudioLimits(max_duration_s=2.0, truncate=True))
    assert time.process_time() - started < 0.5
    assert len(head) == 2 * RATE
    monkeypatch.setattr(sf.SoundFile, "read", lambda *_, **__: pytest.fail("a sample was read"))
    assert refusal(tmp_path / "hour.flac") == "it lasts 3600 s, the limit is 30 s"


@pytest.mark.parametrize("data", [encoded(sine(RATE, 2), RATE, "WAV"), muxed("webm", "libopus", duration_s=2)])
def test_the_limit_holds_on_both_paths(data: bytes) -> None:
    is_the_sine(decode(data, RATE, AudioLimits(max_duration_s=2.1)), 2.0)
    assert "the limit" in refusal(data, AudioLimits(max_duration_s=1.9))
    assert "the limit" in refusal(data, AudioLimits(max_samples=16_000))
    is_the_sine(decode(data, RATE, AudioLimits(max_duration_s=0.5, truncate=True)), 0.5)


@pytest.mark.parametrize("rate", [0, 1, 3_999, 200_000, 4_000_000_000])
def test_declared_rates_that_no_microphone_has(rate: int) -> None:
    data = bytearray(encoded(sine(RATE), RATE, "WAV"))
    data[24:28] = struct.pack("<I", rate)
    text = refusal(bytes(data))
    assert "known format" in text or f"{rate} Hz is outside" in text


@pytest.mark.parametrize("channels", [0, 9, 65_535])
def test_declared_channels_that_no_recording_has(channels: int) -> None:
    data = bytearray(encoded(sine(RATE), RATE, "WAV"))
    data[22:24] = struct.pack("<H", channels)
    text = refusal(bytes(data))
    assert "known format" in text or "channels" in text


PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTM3U\n{clip}\n",
    "ffconcat": "ffconcat version 1.0\nfile {clip}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "mpd": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{clip}</BaseURL></MPD>",
    "wav": "ffconcat version 1.0\nfile {clip}\n",
}


@pytest.mark.parametrize("ending", PLAYLISTS)
def test_playlists_cannot_name_other_files(tmp_path: Path, ending: str) -> None:
    clip = tmp_path / "secret.wav"
    clip.write_bytes(encoded(sine(RATE), RATE, "WAV"))
    playlist = tmp_path / f"list.{ending}"
    playlist.write_text(PLAYLISTS[ending].format(clip=clip))
    assert "known format" in refusal(playlist)
    assert "known format" in refusal(playlist.read_bytes())


def test_level() -> None:
    assert rms_db(np.ones(100, np.float32)) == pytest.approx(0.0)
    assert rms_db(np.full(100, 0.1, np.float32)) == pytest.approx(-20.0, abs=1e-4)
    assert rms_db(np.zeros(100, np.float32)) == -120.0
    assert rms_db(np.zeros(0, np.float32)) == -120.0
