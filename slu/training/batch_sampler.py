"""Which clips stand together in a batch, and which of them an epoch consists of: a function of seed and epoch."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch.utils.data import Sampler


class LengthBatchSampler(Sampler[list[int]]):
    """Random batches of clips of similar length: shuffled, sorted within pools of ten batches, shuffled again.

    `rows` are those that an epoch consists of, some perhaps more than once; by default each once. The `rank`-th of
    `ranks` processes gets every `ranks`-th clip of each batch: clips as long as those of the others.
    """

    def __init__(
        self,
        lengths: NDArray[np.int64],
        batch_size: int,
        seed: int,
        rows: NDArray[np.int64] | None = None,
        *,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0
        self.rows = np.arange(len(lengths)) if rows is None else rows
        self.share = slice(rank, None, ranks)

    @property
    def sampler(self) -> "LengthBatchSampler":
        """Lightning looks for `set_epoch` on the sampler inside a batch sampler, not on the batch sampler."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def seed_of_epoch(self) -> tuple[int, int]:
        return self.seed, self.epoch

    def __len__(self) -> int:
        return max(1, len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng(self.seed_of_epoch())
        order = self.rows[rng.permutation(len(self.rows))]
        pool = 10 * self.batch_size
        chunks = [order[i : i + pool] for i in range(0, len(order), pool)]
        rows = np.concatenate([chunk[np.argsort(self.lengths[chunk], kind="stable")] for chunk in chunks])
        batches = [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        # A small last batch is left out, unless it is all there is; other clips are left out in the next epoch.
        batches = [batch for batch in batches if len(batch) == self.batch_size] or batches[:1]
        for i in rng.permutation(len(batches)):
            yield batches[i][self.share].tolist()


def rows_of_an_epoch(train: pd.DataFrame, recorded_share: float) -> NDArray[np.int64]:
    """Every row, the recordings as often as it takes to reach their share of the epoch (whole times, at least once)."""
    times = np.ones(len(train), dtype=np.int64)
    if "synthetic" in train.columns:
        recorded = (train["synthetic"] == "").to_numpy()
        wanted = recorded_share / (1 - recorded_share) * (~recorded).sum()
        times[recorded] = max(1, round(wanted / max(recorded.sum(), 1)))
    return np.repeat(np.arange(len(train)), times)
