"""Both stores give back what was put in, whole or not at all, whoever else writes at the same time."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from slu.training.feature_records import PART, WHOLE, ClipFeatures, stems
from slu.training.feature_store import StoreKind, audio_digest, forget_features, open_store, read_features
from slu.training.shard_store import CLIPS
from tests.training.test_preprocessing import STORES


def digest(number: int) -> bytes:
    return f"{number:032x}".encode()


def clip(number: int, parts: int = 0, frames: int = 3) -> ClipFeatures:
    """Its values say which clip and part they are of."""
    records = np.zeros(max(1, parts), PART)
    records["digest"], records["frames"], records["size"] = digest(number), frames, 4
    records["number"] = np.arange(parts) if parts else WHOLE
    records["duration_s"], records["part_s"] = 2.5, 2.5 / max(1, parts)
    values = [np.full((frames, 4), 100 * number + part, np.float32) for part in range(len(records))]
    return ClipFeatures(records, values)


def put(kind: StoreKind, root: Path, *clips: ClipFeatures) -> None:
    with open_store(kind, root).writer() as add:
        for one in clips:
            add(one)


@pytest.mark.parametrize("kind", STORES)
def test_a_clip_that_is_forgotten_is_gone_and_its_neighbours_stay_where_they_are(
    tmp_path: Path, kind: StoreKind
) -> None:
    root = tmp_path / "features" / "logmel-0"
    put(kind, root, clip(1), clip(2, parts=2), clip(3))
    put(kind, root, clip(2, parts=2), clip(4))  # as by another run at the same time
    store, wanted = open_store(kind, root), np.array([digest(1), digest(2), digest(3), b""])
    found = store.find(wanted)
    references = dict(zip(stems(found), store.references(found), strict=True))
    assert forget_features(tmp_path, digest(2).decode()) > 0
    assert stems(store.find(wanted)) == [f"{1:032x}", f"{3:032x}"]
    assert (read_features(references[f"{1:032x}"]) == 100).all()
    assert (read_features(references[f"{3:032x}"]) == 300).all()
    frame = np.float32(201).tobytes()
    assert not any(frame in path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert forget_features(tmp_path, digest(2).decode()) == 0
    put(kind, root, clip(2, parts=2))
    assert len(store.find(wanted)) == 4, "it may be computed again"


def test_what_killed_writers_left_of_a_forgotten_clip_goes_once_nobody_writes_it(tmp_path: Path) -> None:
    root = tmp_path / "features" / "logmel-0" / "shards" / "00"
    root.mkdir(parents=True)
    for name, age_s in (("old", 3600), ("new", 0)):
        rest = root / f".{name}.shard.x1"
        rest.touch()
        os.utime(rest, (time.time() - age_s,) * 2)
    forget_features(tmp_path, digest(2).decode())
    assert [path.name for path in root.iterdir()] == [".new.shard.x1"]


@pytest.mark.parametrize("kind", STORES)
def test_what_was_put_in_is_found_and_nothing_else(tmp_path: Path, kind: StoreKind) -> None:
    put(kind, tmp_path, clip(7, frames=5), clip(3, parts=2), clip(5))
    store = open_store(kind, tmp_path)
    found = store.find(np.array([digest(9), digest(7), digest(3), digest(7), b""]))
    assert stems(found) == [f"{3:032x}-0000", f"{3:032x}-0001", f"{7:032x}"]
    assert found["part_s"].tolist() == [1.25, 1.25, 2.5]
    references = store.references(found)
    assert [audio_digest(reference).encode() for reference in references] == found["digest"].tolist()
    assert [Path(reference).stem for reference in references] == stems(found)
    for reference, frames, value in zip(references, (3, 3, 5), (300, 301, 700), strict=True):
        np.testing.assert_array_equal(read_features(reference), np.full((frames, 4), value, np.float32))
    assert len(open_store(kind, tmp_path / "nothing").find(np.array([digest(7)]))) == 0


def test_a_clip_in_two_shards_is_found_once_and_from_one(tmp_path: Path) -> None:
    put("shards", tmp_path, clip(1, parts=3), clip(2))
    put("shards", tmp_path, clip(1, parts=3), clip(4))
    store = open_store("shards", tmp_path)
    found = store.find(np.array([digest(1), digest(2), digest(4)]))
    assert stems(found) == [f"{1:032x}-000{part}" for part in range(3)] + [f"{2:032x}", f"{4:032x}"]
    assert len(set(found["file"][:3])) == 1


def test_runs_that_compute_the_same_write_the_same_file(tmp_path: Path) -> None:
    put("shards", tmp_path, clip(1), clip(2))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.shard")}
    put("shards", tmp_path, clip(1), clip(2))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.shard")} == before
    assert len(before) == 1


def test_shards_are_few_and_bounded(tmp_path: Path) -> None:
    put("shards", tmp_path / "many", *(clip(number) for number in range(2 * CLIPS + 1)))
    assert len(list((tmp_path / "many").rglob("*.shard"))) == 3
    long = 16 * 2**20 // 4 // 4  # frames of 16 MB: a shard of their own each, not 64 of them in memory
    put("shards", tmp_path / "long", clip(1, frames=long), clip(2, frames=long))
    assert len(list((tmp_path / "long").rglob("*.shard"))) == 2


def test_what_a_killed_writer_left_is_not_found(tmp_path: Path) -> None:
    put("shards", tmp_path, clip(1))
    (whole,) = tmp_path.rglob("*.shard")
    (whole.parent / f".{whole.name}.x1y2").write_bytes(whole.read_bytes()[:-8])  # as atomic_write names it
    put("shards", tmp_path, clip(2))
    found = open_store("shards", tmp_path).find(np.array([digest(1), digest(2)]))
    assert found["digest"].tolist() == [digest(1), digest(2)]


def test_a_shard_that_vanished_or_shrank_is_an_error_and_never_other_features(tmp_path: Path) -> None:
    put("shards", tmp_path, clip(1), clip(2))
    store = open_store("shards", tmp_path)
    first, last = store.references(store.find(np.array([digest(1), digest(2)])))
    (file,) = tmp_path.rglob("*.shard")
    file.write_bytes(file.read_bytes()[:-4])
    assert (read_features(first) == 100).all()
    with pytest.raises(ValueError, match="reshape"):
        read_features(last)
    file.unlink()
    with pytest.raises(OSError, match="No such file"):
        read_features(first)
