"""Features on disk: never stale, resumable, and honest about clips that cannot be used."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch

from slu.common.errors import UserError
from slu.corpus.manifest import read_manifest
from slu.features import build_front_end
from slu.spec import Head, TaskSpec
from slu.training.feature_store import StoreKind, audio_digest, read_features
from slu.training.preprocessing import preprocess
from tests.conftest import RATE, tone

LOGMEL = {"name": "logmel", "sample_rate": RATE, "n_mels": 20, "n_fft": 512, "win_length": 400, "hop_length": 160}
STORES: tuple[StoreKind, ...] = ("shards", "npy")
HEADS = (Head("pitch", ("high", "low")),)


def spec(**front_end: object) -> TaskSpec:
    return TaskSpec("tones", HEADS, {**LOGMEL, **front_end})


def small(folder: Path, waves: list[np.ndarray]) -> Path:
    for index, wave in enumerate(waves):
        sf.write(folder / f"{index}.wav", wave, RATE, subtype="FLOAT")
    names = [f"{i}.wav" for i in range(len(waves))]
    pd.DataFrame({"file_name": names, "pitch": "low", "split": "train"}).to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


def test_cached_features_are_what_the_front_end_computes(tones: Path, tmp_path: Path) -> None:
    manifest = read_manifest(tones, HEADS)
    table = preprocess(manifest, spec(), tmp_path).table
    wave, _ = sf.read(tones.parent / manifest.table["file_name"].iloc[5], dtype="float32")
    expected = build_front_end(LOGMEL)(torch.from_numpy(wave))
    np.testing.assert_array_equal(read_features(table["feature_path"].iloc[5]), expected.numpy())
    assert table["n_frames"].iloc[5] == len(expected)
    assert (tmp_path / "features").rglob("metadata_features.csv")


def test_second_run_computes_nothing(tones: Path, tmp_path: Path) -> None:
    manifest = read_manifest(tones, HEADS)
    assert preprocess(manifest, spec(), tmp_path).computed == 96
    assert preprocess(manifest, spec(), tmp_path).computed == 0


def test_changed_setting_or_changed_audio_is_never_served_stale(tmp_path: Path) -> None:
    path = small(tmp_path, [tone(300), tone(500)])
    before = preprocess(read_manifest(path), spec(), tmp_path / "out").table
    other = preprocess(read_manifest(path), spec(n_mels=30), tmp_path / "out").table
    assert read_features(other["feature_path"].iloc[0]).shape[1] == 30

    # The same name, size and time stamp, but another sound.
    old = (tmp_path / "0.wav").stat()
    sf.write(tmp_path / "0.wav", tone(900), RATE, subtype="FLOAT")
    os.utime(tmp_path / "0.wav", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (tmp_path / "0.wav").stat().st_size == old.st_size
    after = preprocess(read_manifest(path), spec(), tmp_path / "out")
    assert after.computed == 1
    assert not np.array_equal(
        read_features(after.table["feature_path"].iloc[0]), read_features(before["feature_path"].iloc[0])
    )


def file_of(reference: str) -> Path:
    """The file on disk that holds these features."""
    return next(place for place in (Path(reference), *Path(reference).parents) if place.is_file())


@pytest.mark.parametrize("store", STORES)
def test_a_damaged_feature_file_is_computed_again(tmp_path: Path, store: StoreKind) -> None:
    path = small(tmp_path, [tone(300)])
    table = preprocess(read_manifest(path), spec(), tmp_path / "out", store=store).table
    feature = file_of(table["feature_path"].iloc[0])
    whole = feature.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:100], b"", whole + b"x"):
        feature.write_bytes(damaged)
        assert preprocess(read_manifest(path), spec(), tmp_path / "out", store=store).computed == 1
        assert feature.read_bytes() == whole


def test_workers_give_the_same_table(tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(tones, HEADS)
    alone = preprocess(manifest, spec(), tmp_path / "a", workers=1).table
    monkeypatch.setattr("slu.training.extraction._PARALLEL_FROM", 1)
    together = preprocess(manifest, spec(), tmp_path / "b", workers=2).table
    columns = ["file_name", "n_frames", "duration_s", "rms_db"]
    pd.testing.assert_frame_equal(alone[columns], together[columns])
    for one, two in zip(alone["feature_path"], together["feature_path"], strict=True):
        np.testing.assert_array_equal(read_features(one), read_features(two))


@pytest.mark.parametrize(
    ("wave", "reason"),
    [
        (np.zeros(0, np.float32), "no samples"),
        (np.full(RATE, np.nan, np.float32), "NaN"),
        (np.zeros(RATE, np.float32), "silence"),
        (tone(300, 0.02), "0.02 s"),
    ],
)
def test_unusable_audio_is_named_by_line(tmp_path: Path, wave: np.ndarray, reason: str) -> None:
    path = small(tmp_path, [tone(300), wave])
    with pytest.raises(UserError, match=rf"metadata\.csv:3 \(1\.wav\): .*{reason}") as error:
        preprocess(read_manifest(path), spec(), tmp_path / "out")
    assert "1 of 2 clips" in str(error.value)
    result = preprocess(read_manifest(path), spec(), tmp_path / "out", on_bad_audio="skip")
    assert len(result.table) == 1
    assert reason in result.rejected["reason"].iloc[0]


def test_missing_and_hour_long_audio_are_refused(tmp_path: Path) -> None:
    path = small(tmp_path, [tone(300), tone(300), tone(300)])
    (tmp_path / "1.wav").unlink()
    sf.write(tmp_path / "2.wav", np.zeros(3600 * 4000, np.int16), 4000)
    with pytest.raises(UserError, match=r"metadata\.csv:3 \(1\.wav\): no such file"):
        preprocess(read_manifest(path), spec(), tmp_path / "out")
    rejected = preprocess(read_manifest(path), spec(), tmp_path / "out", on_bad_audio="skip").rejected
    assert "3600 s" in rejected["reason"].iloc[1]


def test_nothing_usable_is_an_error_even_when_skipping(tmp_path: Path) -> None:
    path = small(tmp_path, [np.zeros(RATE, np.float32)])
    with pytest.raises(UserError, match="1 of 1 clips"):
        preprocess(read_manifest(path), spec(), tmp_path / "out", on_bad_audio="skip")


def segmented(**settings: float) -> TaskSpec:
    return TaskSpec("tones", HEADS, dict(LOGMEL), max_duration_s=60.0, segment_s=1.0, **settings)


def long_recordings(folder: Path) -> Path:
    """A short clip, three seconds with a silent one among them, and 2.7 seconds."""
    silence = np.zeros(RATE, np.float32)
    return small(folder, [tone(300), np.concatenate([tone(400, 1.0), silence, tone(500, 1.0)]), tone(600, 2.7)])


def test_long_recordings_become_rows_of_segments_as_a_prediction_hears_them(tmp_path: Path) -> None:
    features = preprocess(read_manifest(long_recordings(tmp_path)), segmented(), tmp_path / "out")
    table = features.table
    assert table["recording"].tolist() == ["0.wav", "1.wav", "1.wav", "2.wav", "2.wav", "2.wav"]
    assert table["start_s"].tolist() == pytest.approx([0, 0, 2, 0, 0.9, 1.8])
    assert table["duration_s"].tolist() == pytest.approx([0.5, 1, 1, 0.9, 0.9, 0.9])
    assert (features.silent_segments, features.computed) == (1, 3)
    wave, _ = sf.read(tmp_path / "2.wav", dtype="float32")
    expected = build_front_end(LOGMEL)(torch.from_numpy(wave[round(1.8 * RATE) :]))
    np.testing.assert_array_equal(read_features(table["feature_path"].iloc[5]), expected.numpy())
    assert table["n_frames"].iloc[5] == len(expected)
    assert features.recordings["file_name"].map(lambda name: Path(name).name).tolist() == ["0.wav", "1.wav", "2.wav"]
    assert len({audio_digest(path) for path in table["feature_path"]}) == 3
    whole = preprocess(read_manifest(tmp_path / "metadata.csv"), spec(), tmp_path / "out").table
    assert [audio_digest(p) for p in whole["feature_path"]] == [
        audio_digest(table["feature_path"].iloc[i]) for i in (0, 1, 3)
    ]


@pytest.mark.parametrize("store", STORES)
def test_segments_are_cached_mended_and_never_mixed_with_others(tmp_path: Path, store: StoreKind) -> None:
    manifest = read_manifest(long_recordings(tmp_path))
    first = preprocess(manifest, segmented(), tmp_path / "out", store=store)
    assert preprocess(manifest, segmented(), tmp_path / "out", store=store).computed == 0
    lost = file_of(first.table["feature_path"].iloc[4])
    content = lost.read_bytes()
    lost.unlink()
    again = preprocess(manifest, segmented(), tmp_path / "out", store=store)
    assert again.computed == {"npy": 1, "shards": 3}[store]
    assert lost.read_bytes() == content
    pd.testing.assert_frame_equal(again.table, first.table)
    overlapping = preprocess(manifest, segmented(segment_overlap_s=0.5), tmp_path / "out", store=store)
    assert (overlapping.computed, len(overlapping.table)) == (3, 9)
    assert not set(overlapping.table["feature_path"]) & set(first.table["feature_path"])
