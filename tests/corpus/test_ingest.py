"""From candidate clips to a corpus: what is accepted, what is not, and what is on disk afterwards."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.corpus.clips import Clip, Source
from slu.corpus.ingest_settings import IngestSettings
from slu.corpus.ingested import ensure_ingested
from slu.corpus.manifest import read_manifest


def tone(path: Path, seconds: float = 0.6, rate: int = 8000, hz: float = 300.0, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate), rate, **options)
    return path


def aac(path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        samples = (0.3 * np.sin(np.arange(16384) / 5)).astype(np.float32)
        for block in samples.reshape(-1, 1024):
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def clip(path: str, product: str = "teh", quantity: str = "1", **details: Any) -> Clip:
    return Clip(path, {"product": product, "quantity": quantity}, f"t.csv:{path}", (path,), **details)


def settings(**changes: Any) -> IngestSettings:
    return IngestSettings(
        **{"name": "shop", "heads": ("product", "quantity"), "label_maps": {"quantity": "qty"}} | changes
    )


def rejected(folder: Path) -> dict[str, str]:
    with (folder / "rejected.csv").open(newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


@pytest.fixture
def good(tmp_path: Path) -> list[Clip]:
    """Two clips that are in order, so that there is something to train on."""
    tone(tmp_path / "in" / "good1.wav", hz=500)
    tone(tmp_path / "in" / "good2.wav", hz=600)
    return [clip("good1.wav", "teh", "10", speaker="a", split="train"), clip("good2.wav", "kopi", "9", speaker="a")]


def test_everything_is_published(tmp_path: Path, good: list[Clip]) -> None:
    folder, is_new = ensure_ingested(Source(tuple(good), tmp_path / "in"), settings(), tmp_path / "out")
    assert (folder, is_new) == (tmp_path / "out" / "ingest" / "shop", True)
    manifest = read_manifest(folder / "metadata.csv")
    assert list(manifest.table.columns) == ["file_name", "product", "quantity", "speaker", "split", "source"]
    for row in range(2):
        facts = sf.info(manifest.audio_path(row))
        assert (facts.format, facts.samplerate, facts.channels) == ("FLAC", 16000, 1)
        assert facts.duration == pytest.approx(0.6, abs=0.001)
    assert json.loads((folder / "qty2id.json").read_text()) == {"9": 0, "10": 1}
    assert json.loads((folder / "product2id.json").read_text()) == {"kopi": 0, "teh": 1}
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["accepted"], summary["rejected"], summary["speakers"]) == (2, {}, {"a": 2})
    assert len((folder / "merged.csv").read_text().splitlines()) == 3


def test_each_reason(tmp_path: Path, good: list[Clip]) -> None:
    folder = tmp_path / "in"
    sf.write(folder / "hour.flac", np.zeros(4000 * 3600, np.int16), 4000)
    sf.write(folder / "nan.wav", np.full(16000, np.nan, np.float32), 16000, subtype="FLOAT")
    sf.write(folder / "empty.wav", np.zeros(0), 16000)
    sf.write(folder / "silent.wav", np.zeros(16000), 16000)
    (folder / "corrupt.wav").write_bytes(b"RIFF\x00\x00not audio at all" * 20)
    (folder / "zero.mp3").touch()
    (folder / "headless.raw").write_bytes(bytes(9999))
    tone(folder / "short.wav", seconds=0.2)
    tone(folder / "nolabel.wav")
    tone(folder / "badclass.wav")
    names = ("hour.flac", "nan.wav", "empty.wav", "silent.wav", "corrupt.wav", "zero.mp3", "headless.raw", "short.wav")
    clips = [*good, *map(clip, names), clip("nowhere.wav"), clip("nolabel.wav", "", ""), clip("badclass.wav", "x")]
    corpus, _ = ensure_ingested(
        Source(tuple(clips), folder), settings(classes={"product": ("teh", "kopi")}), tmp_path / "out"
    )
    reasons = rejected(corpus)
    expected = {
        "hour.flac": "duration: it lasts more than max_duration_s=5",
        "nan.wav": "unreadable: it holds NaN",
        "empty.wav": "unreadable: there are no samples",
        "silent.wav": "silent",
        "corrupt.wav": "unreadable: it is not audio",
        "zero.mp3": "unreadable",
        "headless.raw": "unreadable: it is not audio",
        "short.wav": "duration: 0.20 s is less than min_duration_s=0.5",
        "nowhere.wav": "missing audio: no nowhere",
        "nolabel.wav": "no label",
        "badclass.wav": "bad label: product 'x'",
    }
    assert set(reasons) == set(expected)
    for name, words in expected.items():
        assert reasons[name].startswith(words)
    assert len(list((corpus / "audio").iterdir())) == 2
    assert json.loads((corpus / "product2id.json").read_text()) == {"teh": 0, "kopi": 1}


def test_one_recording_under_two_names(tmp_path: Path, good: list[Clip]) -> None:
    for name in ("b/one.wav", "b/two.wav", "c/one.wav", "c/two.wav"):
        tone(tmp_path / "in" / name, hz=300 if name.startswith("b") else 400)
    clips = [*good, clip("b/one.wav"), clip("b/two.wav"), clip("c/one.wav"), clip("c/two.wav", "kopi")]
    corpus, _ = ensure_ingested(Source(tuple(clips), tmp_path / "in"), settings(), tmp_path / "out")
    reasons = rejected(corpus)
    assert reasons["b/two.wav"] == "duplicate: the same recording as b/one.wav"
    assert reasons["c/one.wav"] == reasons["c/two.wav"]
    assert "'teh' (t.csv:c/one.wav: c/one.wav) but 'kopi' (t.csv:c/two.wav" in reasons["c/one.wav"]
    assert sorted(p.name for p in (corpus / "audio").iterdir()) == ["b_one.flac", "good1.flac", "good2.flac"]


def test_file_names_are_safe_and_distinct(tmp_path: Path, good: list[Clip]) -> None:
    for number, name in enumerate(("Jalan Ké/a b.wav", "Jalan K /a b.wav", "jalan_k/A_B.WAV")):
        tone(tmp_path / "in" / name, hz=700 + 50 * number, format="WAV")
    clips = [*good, *map(clip, ("Jalan Ké/a b.wav", "Jalan K /a b.wav", "jalan_k/A_B.WAV"))]
    corpus, _ = ensure_ingested(Source(tuple(clips), tmp_path / "in"), settings(), tmp_path / "out")
    names = sorted(path.name for path in (corpus / "audio").iterdir())
    assert names == ["Jalan_K_a_b-2.flac", "Jalan_K_a_b.flac", "good1.flac", "good2.flac", "jalan_k_A_B-3.flac"]


def test_a_loud_clip_is_scaled_not_clipped(tmp_path: Path, good: list[Clip]) -> None:
    samples = 3 * np.sin(np.arange(16000) / 9).astype(np.float32)
    sf.write(tmp_path / "in" / "loud.wav", samples, 16000, subtype="FLOAT")
    corpus, _ = ensure_ingested(Source((*good, clip("loud.wav")), tmp_path / "in"), settings(), tmp_path / "out")
    read, _ = sf.read(corpus / "audio" / "loud.flac")
    np.testing.assert_allclose(read, samples / np.abs(samples).max(), atol=1e-3)


def test_recordings_that_are_all_too_long_name_the_cure(tmp_path: Path, good: list[Clip]) -> None:
    source = Source(tuple(good), tmp_path / "in")
    with pytest.raises(UserError, match=r"duration.*segment\.length_s=3"):
        ensure_ingested(source, settings(min_duration_s=0.1, max_duration_s=0.2), tmp_path / "out")


def test_durations_must_leave_room(tmp_path: Path, good: list[Clip]) -> None:
    with pytest.raises(UserError, match="min_duration_s=6 exceeds max_duration_s=5"):
        ensure_ingested(Source(tuple(good), tmp_path / "in"), settings(min_duration_s=6.0), tmp_path / "out")


def test_a_second_run_skips_until_something_changes(tmp_path: Path, good: list[Clip]) -> None:
    source, out = Source(tuple(good), tmp_path / "in"), tmp_path / "out"
    assert ensure_ingested(source, settings(), out)[1]
    assert not ensure_ingested(source, settings(), out)[1]
    assert ensure_ingested(source, settings(), out, force=True)[1]
    assert ensure_ingested(source, settings(max_duration_s=4.0), out)[1]
    assert ensure_ingested(source, settings(), out)[1]
    os.utime(tmp_path / "in" / "good1.wav", (1, 1))
    assert ensure_ingested(source, settings(), out)[1]
    (out / "ingest" / "shop" / "metadata.csv").unlink()
    assert ensure_ingested(source, settings(), out)[1]


@pytest.mark.parametrize("labels", [("teh", "1"), ("teh", "2")])
def test_a_failure_leaves_the_earlier_corpus(tmp_path: Path, good: list[Clip], labels: tuple[str, str]) -> None:
    out = tmp_path / "out"
    corpus, _ = ensure_ingested(Source(tuple(good), tmp_path / "in"), settings(), out)
    before = (corpus / "metadata.csv").read_bytes()
    found = [clip("good1.wav", *labels)] if labels[1] == "2" else []
    with pytest.raises(UserError, match="shop-labels-only") as error:
        ensure_ingested(Source((*found, clip("gone.wav")), tmp_path / "in"), settings(), out)
    words = "needs at least two different labels" if found else "name the folder that holds it with source.audio=FOLDER"
    assert words in str(error.value)
    assert (corpus / "metadata.csv").read_bytes() == before
    left = out / "ingest" / "shop-labels-only"
    assert sorted(path.name for path in left.iterdir()) == ["merged.csv", "rejected.csv", "summary.json"]
    assert json.loads((left / "summary.json").read_text())["rejected"] == {"missing audio": 1}
    assert sorted(path.name for path in left.parent.iterdir()) == ["shop", "shop-labels-only"]


def test_m4a_is_read(tmp_path: Path, good: list[Clip]) -> None:
    aac(tmp_path / "in" / "phone.m4a")
    corpus, _ = ensure_ingested(Source((*good, clip("phone.wav")), tmp_path / "in"), settings(), tmp_path / "out")
    assert sf.info(corpus / "audio" / "phone.flac").duration == pytest.approx(1.0, abs=0.15)
