"""Batches of own clips beside replayed ones."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slu.adaptation.batches import class_balance, draw_batches, own_clips
from slu.adaptation.clips import Clips
from slu.adaptation.settings import AdaptSettings
from slu.spec import Head, TaskSpec

SPEC = TaskSpec("t", (Head("h", ("a", "b", "c")),))
SETTINGS = AdaptSettings(batch_size=8, recorded_share=0.5)


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Sixty of 1 to 60 frames, most of them of class a."""
    paths = [tmp_path / f"{frames}.npy" for frames in range(1, 61)]
    for frames, path in enumerate(paths, 1):
        np.save(path, np.full((frames, 2), frames, np.float32))
    labels = ["c" if i % 10 == 0 else "b" if i % 5 == 0 else "a" for i in range(60)]
    table = pd.DataFrame({"h": labels, "feature_path": map(str, paths), "n_frames": range(1, 61), "file_name": "x"})
    return Clips(tmp_path / "m.csv", table, SPEC, 0.01)


def test_clips_of_a_batch_are_of_like_length(clips: Clips) -> None:
    drawn = draw_batches(clips.dataset(), clips.dataset(), clips, SETTINGS, np.random.default_rng(0))
    batches = list(islice(drawn, 40))
    assert all(len(batch.rows) == 8 for batch in batches)
    assert all((batch.features[:, 0, 0] == batch.lengths).all() for batch in batches)
    padded = sum(8 * batch.features.shape[1] for batch in batches) / sum(int(b.lengths.sum()) for b in batches)
    assert padded < 1.2  # of random batches 1.7
    # Neither the short ones first nor in the order in which they were sorted.
    longest = [batch.features.shape[1] for batch in batches]
    assert longest != sorted(longest)


def test_own_clips_come_in_equal_shares_of_their_classes(clips: Clips) -> None:
    drawn = draw_batches(clips.dataset(), clips.dataset(), clips, SETTINGS, np.random.default_rng(0))
    own = np.concatenate([batch.labels["h"][:4].numpy() for batch in islice(drawn, 300)])
    assert np.bincount(own) / len(own) == pytest.approx([1 / 3] * 3, abs=0.05)
    chances = class_balance(clips)
    assert [chances[(clips.table["h"] == c).to_numpy()].sum() for c in "abc"] == pytest.approx([1 / 3] * 3)


def test_few_own_clips_do_not_fill_a_batch_with_copies() -> None:
    assert own_clips(1, SETTINGS) == 2
    assert own_clips(100, SETTINGS) == 4
    assert own_clips(100, replace(SETTINGS, recorded_share=0.99)) == 7
