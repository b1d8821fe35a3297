"""`loader.num_workers`: what processes read and augment is what would have been read and augmented without them."""

from collections.abc import Iterator
from pathlib import Path

import lightning as L
import pandas as pd
import pytest
import torch

from slu.corpus.manifest import read_manifest
from slu.decoding.alignment import SILENCE
from slu.features import LogMel
from slu.features.augment import IGNORE, AugmentSettings
from slu.training.datamodule import Batch, LoaderSettings, UtteranceDataModule
from slu.training.frame_labels import FrameTargets
from slu.training.preprocessing import preprocess
from tests.training.test_datamodule import SPEC

AUGMENT = AugmentSettings(noise_prob=0.5, warp_prob=0.5, mask_prob=0.5)


@pytest.fixture(scope="module")
def table(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return preprocess(read_manifest(tones, SPEC.heads), SPEC, tmp_path_factory.mktemp("features")).table


def module(table: pd.DataFrame, workers: int, frames: FrameTargets | None = None) -> UtteranceDataModule:
    loader = LoaderSettings(batch_size=8, num_workers=workers)
    return UtteranceDataModule(table, SPEC, loader=loader, augment=AUGMENT, front_end=LogMel(), seed=0, frames=frames)


class Listener(L.LightningModule):
    """Keeps every batch of every epoch, and learns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[int, list[Batch]] = {}

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        self.heard.setdefault(self.current_epoch, []).append(batch)

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.heard.setdefault(-1 - dataloader_idx, []).append(batch)

    def configure_optimizers(self) -> None:
        return None


def listen(folder: Path, data: UtteranceDataModule, epochs: int, resume: Path | None = None) -> tuple[Listener, Path]:
    trainer = L.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=folder,
        enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=0, use_distributed_sampler=False,
    )  # fmt: skip
    listener = Listener()
    trainer.fit(listener, datamodule=data, ckpt_path=resume, weights_only=True)
    trainer.save_checkpoint(folder / "end.ckpt")
    return listener, folder / "end.ckpt"


def alike(some: list[Batch], others: list[Batch]) -> Iterator[bool]:
    for one, other in zip(some, others, strict=True):
        yield torch.equal(one.rows, other.rows)
        yield torch.equal(one.features, other.features)


def test_any_number_of_workers_makes_the_same_batches(table: pd.DataFrame, tmp_path: Path) -> None:
    alone, _ = listen(tmp_path, module(table, 0), 2)
    helped, _ = listen(tmp_path, module(table, 2), 2)
    assert set(alone.heard) == set(helped.heard) == {0, 1, -1, -2}, "epochs, clean and noisy validation"
    for what, batches in alone.heard.items():
        assert all(alike(batches, helped.heard[what]))
    assert not any(alike(alone.heard[0], alone.heard[1]))


def test_a_resumed_fit_goes_on_with_the_batches_of_its_epoch(table: pd.DataFrame, tmp_path: Path) -> None:
    whole, _ = listen(tmp_path, module(table, 0), 3)
    _, cut = listen(tmp_path, module(table, 2), 2)
    resumed, _ = listen(tmp_path, module(table, 2), 3, cut)
    assert 1 not in resumed.heard
    assert all(alike(whole.heard[2], resumed.heard[2]))


def test_workers_know_what_was_learnt_for_the_epoch(table: pd.DataFrame, tmp_path: Path) -> None:
    """As `AlignRecordings` finds out when things are said in recordings."""
    data = module(table, 2, FrameTargets((SILENCE, "s"), ("", "teh"), {}))

    class Learn(L.Callback):
        def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            labels = data.datasets["train"].frame_labels
            assert labels is not None
            for row, frames in enumerate(data.datasets["train"].lengths):
                labels.learn(row, torch.full((int(frames), 2), trainer.current_epoch % 2))

    listener = Listener()
    trainer = L.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path,
        enable_model_summary=False, enable_checkpointing=False, limit_val_batches=0, callbacks=[Learn()],
    )  # fmt: skip
    trainer.fit(listener, datamodule=data)
    for epoch in (0, 1):
        labels = torch.cat(
            [batch.frame_labels.flatten() for batch in listener.heard[epoch] if batch.frame_labels is not None]
        )
        assert set(labels.tolist()) == {epoch, IGNORE}
