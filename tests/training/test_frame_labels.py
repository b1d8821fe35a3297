"""Frames know their phone and word, and still do after augmentation."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from slu.corpus.alignments import find_alignments, write_alignments
from slu.corpus.manifest import read_manifest
from slu.decoding.alignment import SILENCE, Alignment
from slu.features import LogMel
from slu.features.augment import IGNORE, AugmentSettings
from slu.spec import Head, TaskSpec
from slu.training.datamodule import Batch, LoaderSettings, UtteranceDataModule
from slu.training.frame_labels import FrameLabels, FrameTargets
from slu.training.preprocessing import preprocess
from tests.training.test_preprocessing import LOGMEL

SPEC = TaskSpec("tones", (Head("pitch", ("high", "low")), Head("length", ("long", "short"))), LOGMEL)
ALIGNMENT = Alignment((("teh", 0.1, 0.25), ("es", 0.3, 0.4)), (("t", 0.1, 0.15), ("?", 0.15, 0.25), ("s", 0.3, 0.4)))


def targets(alignments: dict[str, Alignment]) -> FrameTargets:
    return FrameTargets((SILENCE, "s", "t"), ("", "teh"), alignments)


def test_frames_are_pauses_phones_and_words() -> None:
    table = pd.DataFrame({"file_name": ["a", "b", "c"], "n_frames": [50, 30, 20]})
    labels = FrameLabels(table, targets({"a": ALIGNMENT, "c": ALIGNMENT}), 0.01)
    whole = labels[0]
    assert whole.shape == (50, 2)
    assert whole[:, 0].tolist() == [0] * 10 + [2] * 5 + [IGNORE] * 10 + [0] * 5 + [1] * 10 + [0] * 10
    assert whole[:, 1].tolist() == [0] * 10 + [1] * 15 + [0] * 25
    assert (labels[1] == IGNORE).all(), "nothing is known of this clip"
    torch.testing.assert_close(labels[2], whole[:20])


def test_segments_have_their_part_of_the_alignment() -> None:
    table = pd.DataFrame({"file_name": ["a", "a"], "n_frames": [20, 20], "start_s": [0.0, 0.2]})
    labels = FrameLabels(table, targets({"a": ALIGNMENT}), 0.01)
    assert labels[1][:, 1].tolist() == [1] * 5 + [0] * 15
    assert labels[0][:, 1].tolist() == [0] * 10 + [1] * 10


def test_lists_without_a_first_entry_for_nothing_are_a_bug() -> None:
    with pytest.raises(ValueError, match="frames are first '_' and no word"):
        FrameTargets(("s",), ("", "teh"), {})


def test_targets_of_what_is_heard() -> None:
    found = FrameTargets.of({"a": ALIGNMENT, "b": Alignment((), ())}, ["teh"])
    assert (found.phones, found.words) == ((SILENCE, "?", "s", "t"), ("", "teh"))


def test_alignments_are_found_beside_the_manifests_of_clips(tmp_path: Path) -> None:
    write_alignments(tmp_path / "one", {"audio/a.flac": ALIGNMENT})
    files = [str(tmp_path / name) for name in ("one/audio/a.flac", "one/audio/b.flac", "two/audio/a.flac")]
    assert find_alignments(files) == {files[0]: ALIGNMENT}


def test_batches_carry_them_through_augmentation(tones: Path, tmp_path: Path) -> None:
    table = preprocess(read_manifest(tones, SPEC.heads), SPEC, tmp_path).table
    known = dict.fromkeys(table["file_name"][::2], ALIGNMENT)

    def first_batch(augment: AugmentSettings) -> Batch:
        loader, frames = LoaderSettings(batch_size=8), targets(known)
        data = UtteranceDataModule(
            table, SPEC, loader=loader, augment=augment, front_end=LogMel(), seed=0, frames=frames
        )
        batch: Batch = next(iter(data.train_dataloader()))
        return batch

    batch = first_batch(AugmentSettings())
    rows = table[table["split"] == "train"].iloc[batch.rows.numpy()]
    assert batch.frame_labels is not None
    assert batch.frame_labels.shape == (8, batch.features.shape[1], 2)
    heard = batch.frame_labels[:, :, 1]
    assert (heard == 1).any(1).tolist() == [name in known for name in rows["file_name"]]
    warped = first_batch(AugmentSettings(warp_prob=1.0, stretch=(2.0, 2.0)))
    assert torch.equal(warped.rows, batch.rows)
    assert warped.frame_labels is not None
    assert warped.frame_labels.shape == (8, warped.features.shape[1], 2)
    assert [int(n) for n in (warped.frame_labels[:, :, 1] == 1).sum(1)] == pytest.approx(
        [2 * int(n) for n in (heard == 1).sum(1)], abs=2
    )
    for labels, length in zip(warped.frame_labels, warped.lengths, strict=True):
        assert (labels[length:] == IGNORE).all()
