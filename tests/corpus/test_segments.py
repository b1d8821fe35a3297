"""Folders of long recordings, as phones make them, become a corpus of segments."""

import csv
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile as sf

from slu.audio.decode import rms_db
from slu.common.errors import UserError
from slu.corpus.folders import read_class_folders
from slu.corpus.ingest_settings import IngestSettings, SegmentCut
from slu.corpus.ingested import ensure_ingested
from slu.corpus.manifest import read_manifest

RATE = 16_000


def voice(hz: float, seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def compressed(path: Path, samples: np.ndarray, codec: str, container: str, rate: int) -> None:
    """Mono, by PyAV: a file that soundfile may not be able to write, or under another ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for ready in resampler.resample(frame):
            fifo.write(ready)
        while fifo.samples:
            ready = fifo.read(stream.frame_size or 960, partial=True)
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))


def plain(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, samples, rate)


def ingest(folder: Path, out: Path, names: Any = None, **changes: Any) -> Path:
    values = {"folder": folder, "head": "gender", "classes": names, "speaker_pattern": "^([^_]+)_"}
    settings = IngestSettings(**{"name": "gender", "heads": ("gender",), "segment": SegmentCut(3.0)} | changes)
    return ensure_ingested(read_class_folders(values, ["gender"]), settings, out)[0]


def rejected(corpus: Path) -> dict[str, str]:
    with (corpus / "rejected.csv").open(newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two people per class, one recording each, of 4 to 9.2 seconds, in four formats."""
    folder = tmp_path / "data"
    compressed(folder / "cewe/ana_1.m4a", voice(220, 7.0, 44_100), "aac", "mp4", 44_100)
    compressed(folder / "cewe/ina_1.opus", voice(240, 4.0, 48_000), "libopus", "ogg", 48_000)
    plain(
        folder / "cowo/budi_1.flac", np.concatenate([voice(110, 3.0), np.zeros(3 * RATE, np.float32), voice(120, 3.2)])
    )
    plain(folder / "cowo/joko_1.mp3", voice(130, 6.0))
    return folder


def test_segments_inherit_label_speaker_and_recording(data: Path, tmp_path: Path) -> None:
    corpus = ingest(data, tmp_path / "out", {"cewe": "female", "cowo": "male"})
    manifest = read_manifest(corpus / "metadata.csv")
    table = manifest.table
    assert list(table.columns) == ["file_name", "gender", "speaker", "source", "recording", "start_s"]
    assert table["recording"].value_counts(sort=False).to_dict() == {
        "cewe/ana_1.m4a": 3, "cewe/ina_1.opus": 2, "cowo/budi_1.flac": 2, "cowo/joko_1.mp3": 2,
    }  # fmt: skip
    budi = table[table["speaker"] == "budi"]
    assert budi["start_s"].tolist() == ["0", "6"]  # the silence between is left out, and so is the 0.2 s rest
    assert set(budi["gender"]) == {"male"}
    for row in range(len(table)):
        facts = sf.info(manifest.audio_path(row))
        assert (facts.format, facts.samplerate, facts.channels, facts.frames) == ("FLAC", RATE, 1, 3 * RATE)
    summary = json.loads((corpus / "summary.json").read_text())
    assert (summary["accepted"], summary["files"], summary["silent_segments"]) == (4, 9, 1)


def test_the_corpus_says_what_it_holds(data: Path, tmp_path: Path) -> None:
    corpus = ingest(data, tmp_path / "out", segment=SegmentCut(3.0, rest="keep"), format="wav")
    facts = json.loads((corpus / "metadata.json").read_text())
    assert (facts["clips"], facts["recordings"], facts["speakers"], facts["split"]) == (9, 4, 4, None)
    assert facts["classes"] == {"gender": {"cewe": 5, "cowo": 4}}
    assert facts["clips_per_speaker"] == {"ana": 3, "budi": 2, "ina": 2, "joko": 2}
    assert facts["duration_s"]["total"] == pytest.approx(23, abs=0.3)
    assert facts["duration_s"]["max"] == 3.0
    assert facts["settings"]["segment"]["rest"] == "keep"
    assert set(facts["versions"]) > {"python", "numpy", "torch", "soundfile", "noisereduce"}
    elsewhere = ingest(data, tmp_path / "other", segment=SegmentCut(3.0, rest="keep"), format="wav")
    assert json.loads((elsewhere / "metadata.json").read_text())["content_hash"] == facts["content_hash"]
    other = ingest(data, tmp_path / "other")
    assert json.loads((other / "metadata.json").read_text())["content_hash"] != facts["content_hash"]
    assert {path.suffix for path in (corpus / "audio").rglob("*.*")} == {".wav"}


def test_recordings_as_people_have_them(data: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    plain(data / "cowo/blip_1.wav", voice(150, 0.1))
    plain(data / "cowo/mute_1.wav", np.zeros(5 * RATE, np.float32))
    plain(data / "cowo/hum_1.wav", 1e-4 * generator.standard_normal(5 * RATE).astype(np.float32))
    left = voice(160, 3.0)
    plain(data / "cowo/half_1.wav", np.stack([left, np.zeros_like(left)], axis=1))
    plain(data / "cowo/phone_1.wav", voice(170, 3.0, 8_000), 8_000)
    plain(data / "cowo/loud_1.wav", np.clip(20 * voice(180, 3.0), -1, 1))
    compressed(data / "cowo/wrong_1.wav", voice(190, 3.0, 44_100), "aac", "mp4", 44_100)
    (data / "cowo/text_1.m4a").write_text("no audio at all")
    corpus = ingest(data, tmp_path / "out")
    reasons = rejected(corpus)
    assert set(reasons) == {f"cowo/{name}" for name in ("blip_1.wav", "mute_1.wav", "hum_1.wav", "text_1.m4a")}
    assert reasons["cowo/blip_1.wav"] == "duration: 0.10 s is less than min_duration_s=0.5"
    assert reasons["cowo/mute_1.wav"] == "silent: every sample is zero"
    assert reasons["cowo/hum_1.wav"] == "silent: every segment lies below -70 dB"
    assert reasons["cowo/text_1.m4a"].startswith("unreadable: it is not audio")
    table = read_manifest(corpus / "metadata.csv").table.set_index("speaker")
    pieces = {name: sf.read(corpus / str(table.loc[name, "file_name"]))[0] for name in ("half", "phone", "loud")}
    assert rms_db(pieces["half"]) == pytest.approx(rms_db(left) - 6.02, abs=0.05)  # half as loud, and nothing else
    np.testing.assert_allclose(pieces["half"], left / 2, atol=1e-4)
    spectrum = np.abs(np.fft.rfft(pieces["phone"]))
    assert np.argmax(spectrum) == pytest.approx(170 * 3, abs=1)
    assert np.abs(pieces["loud"]).max() <= 1
    assert {"wrong"} < set(table.index)


def test_one_recording_under_two_names_goes_with_all_its_segments(data: Path, tmp_path: Path) -> None:
    (data / "cewe/zana_1.m4a").write_bytes((data / "cewe/ana_1.m4a").read_bytes())
    corpus = ingest(data, tmp_path / "out")
    assert rejected(corpus) == {"cewe/zana_1.m4a": "duplicate: the same recording as cewe/ana_1.m4a"}
    written = {path.relative_to(corpus).as_posix() for path in (corpus / "audio").rglob("*.flac")}
    assert written == set(read_manifest(corpus / "metadata.csv").table["file_name"])


def test_what_is_shorter_than_a_segment_and_longer_than_the_cap(data: Path, tmp_path: Path) -> None:
    plain(data / "cowo/dot_1.wav", voice(200, 2.0))
    reasons = rejected(ingest(data, tmp_path / "out", segment=SegmentCut(3.0, rest="drop", max_recording_s=7.5)))
    assert reasons["cowo/dot_1.wav"] == "duration: 2.00 s is less than a segment of 3 s (segment.rest=drop)"
    assert reasons["cowo/budi_1.flac"] == "duration: it lasts more than segment.max_recording_s=7.5"


def test_a_folder_with_one_class_only_is_refused_before_its_audio_is_read(data: Path, tmp_path: Path) -> None:
    for path in (data / "cowo").iterdir():
        path.unlink()
    with pytest.raises(
        UserError, match=r"every clip has the gender 'cewe', and a recogniser needs at least two"
    ) as said:
        ingest(data, tmp_path / "out")
    assert "\n" not in str(said.value)


def test_names_without_speakers_are_said_to_have_none(data: Path, tmp_path: Path) -> None:
    for path in [*data.rglob("*_1.*")]:
        path.rename(path.with_name(path.name.replace("_1", "1")))
    corpus = ingest(data, tmp_path / "out")
    assert "speaker" not in read_manifest(corpus / "metadata.csv").table
    (note,) = json.loads((corpus / "summary.json").read_text())["notes"]
    assert note.startswith("no file name fits source.speaker_pattern '^([^_]+)_', for example ")
    assert ": speakers are unknown; name the files as in budi_01.wav, or" in note
