"""Where features lie: `shards` (slu.training.shard_store) or one `npy` per clip (slu.training.npy_store)."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from slu.training.feature_records import FeatureStore
from slu.training.npy_store import NpyStore
from slu.training.shard_store import ShardStore, read_part

StoreKind = Literal["shards", "npy"]


def open_store(kind: StoreKind, root: Path) -> FeatureStore:
    return ShardStore(root / "shards") if kind == "shards" else NpyStore(root)


def forget_features(outputs: Path, digest: str) -> int:
    """Remove what any front end has computed of the audio with this content hash; how many parts and files."""
    kinds: tuple[StoreKind, ...] = ("shards", "npy")
    folders = [folder for folder in (outputs / "features").glob("*") if folder.is_dir()]
    return sum(open_store(kind, folder).forget(digest) for folder in folders for kind in kinds)


def read_features(reference: str) -> NDArray[np.float32]:
    """(frames, size) of a `feature_path` of a table of features, or of any `.npy`."""
    if reference.endswith(".npy"):
        values: NDArray[np.float32] = np.load(reference)
        return values
    return read_part(reference)


def audio_digest(reference: str) -> str:
    """Content hash of the audio that these features were computed from."""
    return Path(reference).stem.partition("-")[0]
