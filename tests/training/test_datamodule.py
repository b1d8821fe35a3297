"""Batches: a function of seed, epoch and rows, with padding and missing labels where they belong."""

from pathlib import Path

import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch

from slu.corpus.manifest import read_manifest
from slu.features import LogMel
from slu.features.augment import AugmentSettings
from slu.spec import Head, TaskSpec
from slu.training.batch_sampler import LengthBatchSampler, rows_of_an_epoch
from slu.training.datamodule import NO_LABEL, Batch, LoaderSettings, UtteranceDataModule, augmented, share
from slu.training.preprocessing import preprocess
from tests.training.test_preprocessing import LOGMEL

SPEC = TaskSpec("tones", (Head("pitch", ("high", "low")), Head("length", ("long", "short"))), LOGMEL)


@pytest.fixture
def table(tones: Path, tmp_path: Path) -> pd.DataFrame:
    return preprocess(read_manifest(tones, SPEC.heads), SPEC, tmp_path).table


def module(table: pd.DataFrame, seed: int = 0) -> UtteranceDataModule:
    return UtteranceDataModule(
        table, SPEC, loader=LoaderSettings(batch_size=8), augment=AugmentSettings(), front_end=LogMel(), seed=seed
    )


def test_batches_are_padded_and_labelled(table: pd.DataFrame) -> None:
    data = module(table)
    batch = next(iter(data.train_dataloader()))
    rows = data.tables["train"].iloc[batch.rows.numpy()]
    assert batch.lengths.tolist() == rows["n_frames"].tolist()
    assert [SPEC.heads[0].classes[i] for i in batch.labels["pitch"]] == rows["pitch"].tolist()
    for features, length in zip(batch.features, batch.lengths, strict=True):
        assert (features[length:] == 0).all()
        assert (features[:length] != 0).any()


def test_a_missing_label_is_marked(table: pd.DataFrame) -> None:
    table.loc[table.index[0], "pitch"] = ""
    data = module(table)
    assert data.datasets["train"].labels[0].tolist()[0] == NO_LABEL
    assert (data.datasets["train"].labels[1:] != NO_LABEL).all()


def test_memory_does_not_hold_the_features(table: pd.DataFrame) -> None:
    dataset = module(table).datasets["train"]
    held = sum(value.nbytes for value in vars(dataset).values() if isinstance(value, np.ndarray))
    assert held < 200 * len(dataset)


def test_sampler_repeats_per_epoch_and_differs_between_epochs() -> None:
    lengths = np.random.default_rng(0).integers(20, 200, 100)
    sampler = LengthBatchSampler(lengths, 8, seed=3)
    first = list(sampler)
    assert list(sampler) == first
    assert len(first) == len(sampler) == 12
    rows = [row for batch in first for row in batch]
    assert len(set(rows)) == len(rows) == 96
    sampler.set_epoch(1)
    assert list(sampler) != first
    spread = np.mean([np.ptp(lengths[batch]) for batch in first])
    assert spread < 0.5 * np.ptp(lengths), "clips of a batch should be of similar length"


def test_sampler_keeps_a_corpus_smaller_than_a_batch() -> None:
    assert [sorted(batch) for batch in LengthBatchSampler(np.array([3, 1, 2]), 64, seed=0)] == [[0, 1, 2]]


@pytest.mark.parametrize("clips", [100, 13, 5])
def test_processes_share_every_batch(clips: int) -> None:
    lengths = np.random.default_rng(0).integers(20, 200, clips)
    whole = LengthBatchSampler(lengths, 12, seed=3)
    shares = [LengthBatchSampler(lengths, 12, seed=3, rank=rank, ranks=3) for rank in range(3)]
    for epoch in (0, 1):
        for sampler in (whole, *shares):
            sampler.set_epoch(epoch)
        assert len({len(list(sampler)) for sampler in (whole, *shares)}) == 1
        for batch, *parts in zip(whole, *shares, strict=True):
            assert sorted(row for part in parts for row in part) == sorted(batch)
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_share_of_a_batch_has_its_clips_with_all_that_is_known_of_them(table: pd.DataFrame) -> None:
    loaded = module(table).datasets["train"]
    batch = loaded.collate([loaded[row] for row in (2, 0, 3, 6, 1, 7, 10, 4)])  # long clips and short ones
    batch = batch._replace(frame_labels=torch.arange(8).view(8, 1, 1).expand(-1, batch.features.shape[1], 2))
    part = share(batch, 1, 3)
    longest = int(part.lengths.max())
    assert longest < batch.features.shape[1], "padding of the others' clips is left out"
    assert torch.equal(part.features, batch.features[[1, 4, 7], :longest])
    assert torch.equal(part.lengths, batch.lengths[[1, 4, 7]])
    assert torch.equal(part.rows, batch.rows[[1, 4, 7]])
    assert torch.equal(part.labels["length"], batch.labels["length"][[1, 4, 7]])
    assert part.frame_labels is not None
    assert part.frame_labels.shape == (3, longest, 2)
    assert part.frame_labels[:, 0, 0].tolist() == [1, 4, 7]
    assert len(share(part, 1, 2).rows) == 1
    assert len(share(share(part, 1, 2), 1, 2).rows) == 0


def test_augmentation_depends_on_seed_epoch_and_rows_only(table: pd.DataFrame) -> None:
    data = module(table)
    batch = next(iter(data.train_dataloader()))
    data.augment.settings = AugmentSettings(noise_prob=1.0)
    one = augmented(batch, data.augment, [0, 4])
    torch.manual_seed(99)  # global state must not matter
    again = augmented(batch, data.augment, [0, 4])
    other_epoch = augmented(batch, data.augment, [0, 5])
    torch.testing.assert_close(one.features, again.features, rtol=0, atol=0)
    assert not torch.equal(one.features, other_epoch.features)


def test_a_clip_that_stands_in_several_rows_is_augmented_in_each_on_its_own(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table[table["split"] == "train"]], ignore_index=True)
    data = module(twice)
    data.augment.settings = AugmentSettings(noise_prob=1.0, warp_prob=1.0)
    dataset = data.datasets["train"]
    assert dataset.paths[0] == dataset.paths[64]
    together = augmented(dataset.collate([dataset[0], dataset[64]]), data.augment, [0, 4])
    shortest = int(together.lengths.min())
    assert not torch.equal(together.features[0, :shortest], together.features[1, :shortest])
    here, there = (augmented(dataset.collate([dataset[i]]), data.augment, [0, 4]) for i in (0, 64))
    assert here.features.shape != there.features.shape or not torch.equal(here.features, there.features)


def test_every_epoch_of_a_fit_has_its_own_batches(table: pd.DataFrame, tmp_path: Path) -> None:
    """The trainer must reach the sampler's `set_epoch`: equal batches in every epoch went unnoticed once."""
    seen: list[list[list[int]]] = []

    class Spy(L.LightningModule):
        def on_train_epoch_start(self) -> None:
            seen.append([])

        def training_step(self, batch: Batch, batch_idx: int) -> None:
            seen[-1].append(batch.rows.tolist())

        def configure_optimizers(self) -> None:
            return None

    trainer = L.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        limit_val_batches=0, default_root_dir=tmp_path, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Spy(), datamodule=module(table))
    assert len(seen) == 3
    assert seen[0] != seen[1] != seen[2]


def test_recordings_are_repeated_to_their_share_of_an_epoch() -> None:
    table = pd.DataFrame({"synthetic": ["yes"] * 60 + [""] * 10})
    rows = rows_of_an_epoch(table, 0.5)
    assert (np.bincount(rows)[:60] == 1).all()
    assert (np.bincount(rows)[60:] == 6).all()
    assert len(rows_of_an_epoch(table, 0.0)) == 70
    assert len(rows_of_an_epoch(table.assign(synthetic=""), 0.5)) == 70  # nothing to be a share of
    assert len(rows_of_an_epoch(table[["synthetic"]].rename(columns={"synthetic": "other"}), 0.5)) == 70
    sampler = LengthBatchSampler(np.arange(70), 8, 0, rows)
    seen = np.concatenate(list(sampler))
    assert len(seen) == len(sampler) * 8 == 120
    assert (seen >= 60).mean() == pytest.approx(0.5, abs=0.05)
