"""`UtteranceDataModule`: batches of padded features with one label per head, augmented on the fly.

All randomness is a function of (seed, epoch, batch), never of a running state: a resumed run sees the
very batches that the uninterrupted one would have seen, read by any number of workers. Several processes share every
batch: an epoch has the same batches for any number of them, and each process trains on its part.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import lightning as L
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from slu.corpus.labels import NO_LABEL as NO_LABEL
from slu.corpus.labels import label_ids
from slu.features import FrontEnd
from slu.features.augment import IGNORE, Augment, AugmentSettings
from slu.spec import TaskSpec
from slu.training.batch_sampler import LengthBatchSampler, rows_of_an_epoch
from slu.training.feature_store import read_features
from slu.training.frame_labels import FrameLabels, FrameTargets
from slu.training.settings import Decibels


class Batch(NamedTuple):
    features: Tensor
    """(batch, frames, size), zero beyond each clip's length."""
    lengths: Tensor
    """(batch,) frames."""
    labels: dict[str, Tensor]
    """Per head (batch,) class indices, or NO_LABEL."""
    rows: Tensor
    """(batch,) rows of the table."""
    frame_labels: Tensor | None = None
    """(batch, frames, 2) phone and word of every frame of the features, IGNORE where unknown."""


@dataclass(frozen=True)
class LoaderSettings:
    batch_size: Annotated[int, Field(ge=1)] = 64
    """Clips of an optimiser step, over all processes."""
    num_workers: Annotated[int, Field(ge=0)] = 0
    """Processes that read and augment; 0 does both between the steps."""
    recorded_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Where synthetic voices train along: recordings are repeated within an epoch until they make up this share."""
    validation_snr_db: tuple[Decibels, Decibels] | None = (0.0, 10.0)
    """The second validation pass hears every clip at a seeded SNR from this range; None leaves that pass out."""

    def __post_init__(self) -> None:
        if self.validation_snr_db is not None and self.validation_snr_db[0] > self.validation_snr_db[1]:
            raise ValueError(f"validation_snr_db: the lower one comes first, got {list(self.validation_snr_db)}")


Item = tuple[Tensor, tuple[int, ...], int]


class UtteranceDataset(Dataset[Item]):
    """Reads the features of one clip per item, so that memory does not grow with the corpus."""

    def __init__(self, table: pd.DataFrame, spec: TaskSpec, frame_labels: FrameLabels | None = None) -> None:
        # As bytes in one block: a list of str is copied page by page into every worker that only reads it.
        paths = [str(path) for path in table["feature_path"]]
        self.beginning = os.path.commonprefix(paths)  # noqa: RUF071
        self.paths = np.array([os.fsencode(path.removeprefix(self.beginning)) for path in paths], dtype=np.bytes_)
        self.lengths = table["n_frames"].to_numpy(dtype=np.int64)
        self.heads, self.frame_labels = spec.head_names, frame_labels
        self.labels = np.stack(list(label_ids(table, spec.heads).values()), axis=1)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> Item:
        return torch.from_numpy(self._read(row)), tuple(self.labels[row].tolist()), row

    def _read(self, row: int) -> NDArray[np.float32]:
        return read_features(self.beginning + os.fsdecode(self.paths[row]))

    def collate(self, items: Sequence[Item]) -> Batch:
        features, labels, index = zip(*items, strict=True)
        columns = torch.tensor(labels)
        frames = None
        if self.frame_labels is not None:
            parts = [self.frame_labels[row] for row in index]
            frames = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=IGNORE)
        return Batch(
            torch.nn.utils.rnn.pad_sequence(list(features), batch_first=True),
            torch.tensor([len(f) for f in features]),
            {name: columns[:, i] for i, name in enumerate(self.heads)},
            torch.tensor(index),
            frames,
        )


def share(batch: Batch, rank: int, ranks: int) -> Batch:
    """Every `ranks`-th clip, from the `rank`-th on, as long as the longest of these; perhaps none."""
    if ranks == 1:
        return batch
    mine = slice(rank, None, ranks)
    features, lengths, labels, rows, frames = batch
    lengths = lengths[mine]
    longest = max(lengths.tolist(), default=0)
    return Batch(
        features[mine, :longest],
        lengths,
        {name: ids[mine] for name, ids in labels.items()},
        rows[mine],
        None if frames is None else frames[mine, :longest],
    )


def augmented(batch: Batch, augment: Augment, seed: Sequence[int]) -> Batch:
    """On the CPU, where a seed draws the same numbers on every machine; by the rows too, so each batch has its own."""
    state = np.random.SeedSequence([*seed, *batch.rows.tolist()]).generate_state(2)
    generator = torch.Generator().manual_seed(int(state[0]) << 32 | int(state[1]))
    features, lengths, frames = augment.with_labels(batch.features, batch.lengths, batch.frame_labels, generator)
    return batch._replace(features=features, lengths=lengths, frame_labels=frames)


@dataclass(frozen=True)
class _Augmenting:
    """Collates and augments, in whichever process reads; `seed` is asked for in that process."""

    data: UtteranceDataset
    augment: Augment
    seed: Callable[[], Sequence[int]]

    def __call__(self, items: Sequence[Item]) -> Batch:
        return augmented(self.data.collate(items), self.augment, self.seed())


class _LateLoader(DataLoader[Any]):
    """Its workers start with the first batch that is asked for, and live for one epoch.

    By then the sampler knows the epoch, also of a resumed fit, whose loaders are made before, and the dataset what was
    learnt of it for this epoch (`AlignRecordings`): a worker keeps what its parent knew when it started.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        yield from super().__iter__()


class UtteranceDataModule(L.LightningDataModule):
    """Train, validation (clean, then noisy if asked for) and test loaders over a table of features."""

    def __init__(
        self,
        table: pd.DataFrame,
        spec: TaskSpec,
        *,
        loader: LoaderSettings,
        augment: AugmentSettings,
        front_end: FrontEnd,
        seed: int,
        frames: FrameTargets | None = None,
    ) -> None:
        super().__init__()
        self.spec, self.settings, self.seed = spec, loader, seed
        self.tables = {
            split: table[table["split"] == split].reset_index(drop=True) for split in ("train", "val", "test")
        }
        self.datasets = {
            split: UtteranceDataset(part, spec, FrameLabels(part, frames, front_end.hop_s) if frames else None)
            for split, part in self.tables.items()
        }
        self.augment = Augment(augment, front_end.hop_s, front_end.band_hz)
        self.validation_noise = None
        if loader.validation_snr_db is not None:
            noise = AugmentSettings(noise_prob=1.0, noise_snr_db=loader.validation_snr_db)
            self.validation_noise = Augment(noise, front_end.hop_s)

    def train_dataloader(self) -> DataLoader[Any]:
        data = self.datasets["train"]
        rows = rows_of_an_epoch(self.tables["train"], self.settings.recorded_share)
        rank, ranks = self._rank()
        sampler = LengthBatchSampler(data.lengths, self.settings.batch_size, self.seed, rows, rank=rank, ranks=ranks)
        collate = _Augmenting(data, self.augment, sampler.seed_of_epoch)
        return _LateLoader(data, batch_sampler=sampler, collate_fn=collate, num_workers=self.settings.num_workers)

    def val_dataloader(self) -> list[DataLoader[Any]]:
        data = self.datasets["val"]
        if not len(data):
            return []
        if self.validation_noise is None:
            return [self._ordered("val")]
        collate = _Augmenting(data, self.validation_noise, _of_validation)
        workers = self.settings.num_workers
        noisy = _LateLoader(data, self.settings.batch_size, collate_fn=collate, num_workers=workers)
        return [self._ordered("val"), noisy]

    def test_dataloader(self) -> DataLoader[Any]:
        """Features as they are cached, in the table's order; the command itself tests from audio."""
        return self._ordered("test")

    def _rank(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _ordered(self, split: str) -> DataLoader[Any]:
        data = self.datasets[split]
        return DataLoader(data, self.settings.batch_size, collate_fn=data.collate)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        trainer = self.trainer
        assert trainer is not None
        if trainer.validating or trainer.sanity_checking:
            # Noise is drawn per batch, so all processes draw it for all clips: each clip gets what it would get in one.
            return share(batch, *self._rank())
        return batch


def _of_validation() -> Sequence[int]:
    """The same noise in every epoch and run."""
    return 0, 1
