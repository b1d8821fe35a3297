"""Shares of the training voices: nested, and equal in effort."""

from itertools import pairwise

import pandas as pd
import pytest

from slu.common.errors import UserError
from slu.corpus.splits import leaking_speakers
from slu.studies.voices import choose_voices, count_of, with_voices


def table(voices: int = 20, clips: int = 5) -> pd.DataFrame:
    """Sorted by speaker, as real tables often are; one clip more for every other one."""
    rows = [
        {"file_name": f"{speaker}-{clip}.wav", "speaker": f"v{speaker:02d}", "label": str(clip % 2), "split": "train"}
        for speaker in range(voices)
        for clip in range(clips + speaker % 2)
    ]
    rows += [
        {"file_name": f"{s}-{i}.wav", "speaker": s, "label": "0", "split": s} for s in ("val", "test") for i in (1, 2)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("share", "voices", "count"),
    [(0.05, 100, 5), (0.07, 100, 7), (0.05, 30, 2), (0.001, 30, 1), (1.0, 7, 7), (0.29, 100, 29), (0.5, 7, 4)],
)
def test_the_share_is_rounded_up_but_not_by_binary_fractions(share: float, voices: int, count: int) -> None:
    assert count_of(share, voices) == count


@pytest.mark.parametrize("seed", range(5))
def test_voices_are_nested(seed: int) -> None:
    chosen = [choose_voices(table(), share, seed, "m.csv") for share in (0.05, 0.1, 0.2, 0.5, 1.0)]
    assert [len(voices) for voices in chosen] == [1, 2, 4, 10, 20]
    for fewer, more in pairwise(chosen):
        assert set(fewer) < set(more)
    assert set(chosen[-1]) == set(table().query("split == 'train'")["speaker"])


def test_the_choice_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    here = choose_voices(table(), 0.2, 0, "m.csv")
    assert choose_voices(table().sample(frac=1, random_state=3), 0.2, 0, "m.csv") == here
    assert len({tuple(choose_voices(table(), 0.2, seed, "m.csv")) for seed in range(6)}) > 3


def test_without_speakers_there_are_no_voices() -> None:
    with pytest.raises(UserError, match=r"m\.csv has no speaker column"):
        choose_voices(table().drop(columns="speaker"), 0.5, 0, "m.csv")


@pytest.mark.parametrize("share", [0.05, 0.1, 0.35, 0.6, 1.0])
def test_every_share_trains_on_equally_many_clips(share: float) -> None:
    before = table()
    voices = choose_voices(before, share, 0, "m.csv")
    after = with_voices(before, voices, 0)
    train = after[after["split"] == "train"]
    assert len(train) == (before["split"] == "train").sum()
    assert set(train["speaker"]) == set(voices)
    times = train["file_name"].value_counts()
    assert len(times) == (before["split"].eq("train") & before["speaker"].isin(voices)).sum(), "every clip is heard"
    assert times.max() - times.min() <= 1, "no clip is repeated more often than another, but for the cut"
    assert leaking_speakers(after) == []


def test_validation_and_test_stay_as_they_are() -> None:
    before = table()
    after = with_voices(before, ["v03"], 0)
    for split in ("val", "test"):
        pd.testing.assert_frame_equal(
            after[after["split"] == split].reset_index(drop=True),
            before[before["split"] == split].reset_index(drop=True),
        )


def test_the_cut_does_not_take_a_class_away() -> None:
    """Of a sorted table, the end of the last repetition would be clips of one kind only."""
    sorted_by_label = table(20, 4).sort_values("label")
    after = with_voices(sorted_by_label, choose_voices(sorted_by_label, 0.6, 0, "m.csv"), 0)
    shares = after[after["split"] == "train"]["label"].value_counts(normalize=True)
    assert shares["0"] == pytest.approx(0.5, abs=0.1)
