"""Requests that no honest client sends, each by a name."""

import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from tests.conftest import RATE, tone
from tests.serving.helpers import GOOD, audio

CUTS = (0.02, 0.1, 0.3, 0.5, 0.9)


def encoded(wave: np.ndarray, container: str, codec: str, rate: int = 48_000) -> bytes:
    """By FFmpeg, for what soundfile does not write."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)
    return file.getvalue()


def formats() -> dict[str, bytes]:
    """A clip that is answered, in every format that is read."""
    wave, fine = tone(300, 0.6), np.repeat(tone(300, 0.6), 3)
    return {
        "WAV": GOOD,
        "FLAC": audio(wave, "FLAC"),
        "OGG": audio(wave, "OGG"),
        "OPUS": audio(wave, "OGG", subtype="OPUS"),
        "MP3": audio(wave, "MP3"),
        "WebM": encoded(fine, "webm", "libopus"),
        "M4A": encoded(fine, "ipod", "aac"),
    }


def patched(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def without_length(flac: bytes) -> bytes:
    """Its header says of the number of samples that it is unknown."""
    return patched(flac, 21, bytes([flac[21] & 0xF0, 0, 0, 0, 0]))


def bodies() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    whole = formats()
    hour = audio(np.zeros(3600 * RATE, np.int16), "FLAC")
    wide = audio(np.zeros((29 * 192_000, 8), np.int16), "FLAC", 192_000)
    long = np.zeros(120 * 48_000, np.float32)
    found = {
        "text": b"hello there", "zip": b"PK\x03\x04" + rng.bytes(200), "svg": b"<svg><script/></svg>",
        "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        "m3u": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "pls": b"[playlist]\nFile1=/etc/passwd\n",
        "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file:///etc/</BaseURL></MPD>',
        "no such format": patched(GOOD, 20, b"\x34\x12"), "no such codec": whole["WebM"].replace(b"A_OPUS", b"A_XPUS"),
        "one byte": b"R", "zeros": bytes(1_000_000), "header alone": GOOD[:44],
        "rate of 2e9": patched(GOOD, 24, (2_000_000_000).to_bytes(4, "little")),
        "rate of 0": patched(GOOD, 24, bytes(4)), "no channel": patched(GOOD, 22, bytes(2)),
        "60,000 channels": patched(GOOD, 22, (60_000).to_bytes(2, "little")),
        "a length of 4 GB": patched(GOOD, 40, b"\xff\xff\xff\xff"),
        "NaN": audio(np.full(8000, np.nan), subtype="FLOAT"), "inf": audio(np.full(8000, np.inf), subtype="FLOAT"),
        "1e30": audio(np.full(8000, 1e30), subtype="FLOAT"), "silence": audio(np.zeros(8000)),
        "one sample": audio(np.zeros(1)), "full scale": audio(rng.choice([-1.0, 1.0], RATE)),
        "an hour": hour,
        "an hour of unknown length": without_length(hour),
        "8 channels at 192 kHz": wide, "8 channels of unknown length": without_length(wide),
        "2 minutes of MP3": audio(long[: 120 * 8000], "MP3", 8000),
        "2 minutes of OGG": audio(long[: 120 * 8000], "OGG", 8000),
        "2 minutes of OPUS": audio(long, "OGG", 48_000, "OPUS"),
        "2 minutes of WebM": encoded(long, "webm", "libopus"), "2 minutes of M4A": encoded(long, "ipod", "aac"),
        "FLAC and HTML": whole["FLAC"] + b"<script>", "zip and WAV": b"PK\x03\x04" + GOOD,
        "WAV and zip": GOOD + b"PK\x05\x06" + bytes(18), "GIF and WAV": b"GIF89a" + GOOD, "PDF and MP3": b"%PDF-1.7\n" +
        whole["MP3"], "tags and MP3": b"ID3\x04\x00\x00\x00\x10\x00\x00" + bytes(262_144) + whole["MP3"],
        "tags without an end": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + whole["MP3"], "WAV and WAV": GOOD + GOOD,
        "WAV in pieces": GOOD[:400] + whole["WebM"] + GOOD[400:], "WebM alone": b"\x1aE\xdf\xa3" + rng.bytes(100),
    }  # fmt: skip
    found |= {f"{name} cut at {cut}": data[: int(cut * len(data))] for name, data in whole.items() for cut in CUTS}
    for name, data in whole.items():  # one bit in a hundred bytes is another
        noise = rng.integers(0, 256, len(data)) * (rng.random(len(data)) < 0.01)
        found[f"{name} with noise"] = (np.frombuffer(data, np.uint8) ^ noise.astype(np.uint8)).tobytes()
    return found | {f"random {i}": rng.bytes(int(rng.integers(1, 100_000))) for i in range(20)}


FORM, BOUNDED = "multipart/form-data", {"Content-Type": "multipart/form-data; boundary=x"}


def form(*parts: bytes, end: bytes = b"--x--\r\n") -> dict[str, Any]:
    """`parts`: headers, an empty line, the content."""
    return {"content": b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end, "headers": BOUNDED}


def named(name: bytes) -> dict[str, Any]:
    """A good clip in a file of that name."""
    return form(b'Content-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % name + GOOD)


NAMES = {
    "up": b"../../etc/passwd", "root": b"/etc/passwd", "zero": b"a\0.wav", "device": b"CON", "long": b"a" * 100_000,
    "unicode": "\u202e\U0001f600\ufeff.wav".encode(), "no unicode": b"\xff\xfe.wav", "drive": b"C:\\\\win.ini",
    "lines": b"a%0d%0aX-Evil: 1", "shell": b"$(reboot);`reboot`|a.wav", "none": b"", "url": b"http://127.0.0.1:9/a.wav",
}  # fmt: skip
BEGINNINGS = {"MP3": b"\xff\xfb\x90\0", "M4A": b"\0\0\0\x20ftypM4A ", "OGG": b"OggS", "WebM": b"\x1aE\xdf\xa3", "": b""}
_FILE = b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
_FIELD = b'Content-Disposition: form-data; name="f"\r\n\r\n'


class Chunks:
    """A body whose length is not said."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"x" * 1_000_000] * 11)


def predictions() -> dict[str, dict[str, Any]]:
    """What is wrong with the request, and not with its sound; and what is as long as it may be."""
    good, noise = ("a.wav", GOOD), np.random.default_rng(1).bytes(9_900_000)
    found: dict[str, dict[str, Any]] = {
        "nothing": {},
        "an empty file": {"files": {"file": ("a.wav", b"")}},
        "no file": {"data": {"x": "1"}},
        "another field": {"files": {"upload": good}},
        "40 files": {"files": [("file", good)] * 40},
        "16 small files of 30 s": {"files": [("file", ("a.flac", audio(np.zeros(30 * RATE), "FLAC")))] * 16},
        "16 small files of 8 channels": {
            "files": [("file", ("a.flac", audio(np.zeros((1_400_000, 8), np.int16), "FLAC", 192_000)))] * 16
        },
        "1,000 fields": {"data": {f"f{i}": "1" for i in range(1000)}, "files": {"file": good}},
        "9 MB of fields": form(*[_FIELD + b"x" * 9_000] * 1000),
        "no boundary": {"content": b"junk", "headers": {"Content-Type": FORM}},
        "junk as a form": {"content": b"junk", "headers": BOUNDED},
        "half a header": {"content": b"--x\r\nContent-Type: no", "headers": BOUNDED},
        "a form without an end": form(_FILE + GOOD, end=b""),
        "a form of boundaries": {"content": b"--x\r\n" * 100_000, "headers": BOUNDED},
        "a part with a header of 5 MB": form(b"X: " + b"a" * 5_000_000 + b"\r\n" + _FILE + GOOD),
        "a part with 100,000 headers": form(b"X: a\r\n" * 100_000 + _FILE + GOOD),
        "nearly boundaries": form(_FILE + b"\r\n--" * 2_000_000),
        "an unknown charset": {"content": b"--x--", "headers": {"Content-Type": f"{FORM}; boundary=x; charset=y"}},
        "JSON": {"json": {"file": "a"}},
        "11 MB": {"content": b"x" * 11_000_000},
        "11 MB in chunks": {"content": Chunks()},
        "11 MB in a form": form(_FILE + b"x" * 11_000_000),
        "nearly 10 MB": form(_FILE + b"x" * 9_900_000),
        "nearly 10 MB after a WAV": {"content": GOOD + bytes(9_900_000)},
        "a long model": {"content": GOOD, "params": {"model": "x" * 10_000}},
        "a model elsewhere": {"content": GOOD, "params": {"model": "../../../etc/passwd"}},
        "a header of 60 kB": {"content": GOOD, "headers": {"X-A": "a" * 60_000}},
        "a header of 5 MB": {"content": GOOD, "headers": {"X-A": "a" * 5_000_000}},
        "a header of 50 MB": {"content": GOOD, "headers": {"X-A": "a" * 50_000_000}},
        "10,000 headers": {"content": GOOD, "headers": {f"X-{i}": "a" * 100 for i in range(10_000)}},
    }
    for name, start in BEGINNINGS.items():
        found[f"nearly 10 MB as if {name}"] = {"content": start + noise}
    return found | {f"a file called {name}": named(text) for name, text in NAMES.items()}


FEEDBACK = {
    "no JSON": b"{", "NaN": b'{"request_id": NaN, "labels": NaN}', "inf": b'{"labels": 1e999}', "bytes": b"\xff\xfe\0",
    "half a character": b'{"request_id": "\\ud800", "labels": {"\\ud800": "\\udfff"}}', "null": b"null",
    "deep": b"[" * 90_000, "a long number": b"1" * 90_000, "twice": b'{"request_id": 1, "labels": {}, "labels": []}',
    "7,000 labels": b'{"labels": {' + b",".join(b'"%d":1' % i for i in range(7_000)) + b"}}",
    "5 MB": b'{"labels": "' + b"x" * 5_000_000 + b'"}',
}  # fmt: skip


def requests() -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and arguments of httpx by name."""
    json = {"Content-Type": "application/json"}
    sounds = {name: {"files": {"file": ("a.wav", data)}} for name, data in bodies().items()}
    return {name: ("/predict", arguments) for name, arguments in (sounds | predictions()).items()} | {
        f"feedback: {name}": ("/feedback", {"content": body, "headers": json}) for name, body in FEEDBACK.items()
    }
