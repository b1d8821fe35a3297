"""Splits: speakers stay on one side unless a random split is asked for by name."""

import numpy as np
import pandas as pd
import pytest

from slu.common.errors import UserError
from slu.corpus.splits import (
    SplitSettings,
    assign_splits,
    describe_split,
    leaking_recordings,
    leaking_speakers,
    leave_one_out,
    speakers,
)


def table(people: int = 10, clips: int = 7, seed: int = 0) -> pd.DataFrame:
    """Clips of several people in random order, some with many more than others."""
    rng = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(people) for _ in range(1 + rng.integers(clips))]
    return pd.DataFrame({"file_name": [f"{i}.wav" for i in range(len(names))], "speaker": rng.permutation(names)})


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("people", [3, 4, 11, 40])
def test_speakers_are_disjoint_whatever_the_seed(people: int, seed: int) -> None:
    before = table(people, seed=seed)
    after = assign_splits(before, SplitSettings(val=0.2, test=0.3, seed=seed), "m.csv")
    assert leaking_speakers(after) == []
    assert (after.groupby("speaker")["split"].nunique() == 1).all()
    sides = after.groupby("split")["speaker"].nunique()
    assert sides.to_dict() == {
        "val": max(1, round(0.2 * people)),
        "test": max(1, round(0.3 * people)),
        "train": people - max(1, round(0.2 * people)) - max(1, round(0.3 * people)),
    }
    pd.testing.assert_frame_equal(after.drop(columns="split"), before)
    again = assign_splits(before, SplitSettings(val=0.2, test=0.3, seed=seed), "m.csv")
    pd.testing.assert_frame_equal(after, again)


def test_another_seed_chooses_others() -> None:
    tests = {
        tuple(sorted(set(out.loc[out["split"] == "test", "speaker"])))
        for out in (assign_splits(table(), SplitSettings(seed=seed), "m.csv") for seed in range(6))
    }
    assert len(tests) > 2


def test_a_share_of_zero_leaves_a_side_out() -> None:
    out = assign_splits(table(), SplitSettings(val=0.0, test=0.2), "m.csv")
    assert set(out["split"]) == {"train", "test"}


@pytest.mark.parametrize("people", [1, 2])
def test_too_few_speakers(people: int) -> None:
    with pytest.raises(UserError, match=rf"m\.csv has {people} speakers, too few .*method=random"):
        assign_splits(table(people), SplitSettings(), "m.csv")


def test_no_speakers() -> None:
    nameless = table().drop(columns="speaker")
    with pytest.raises(UserError, match=r"no speaker column.*method=random"):
        assign_splits(nameless, SplitSettings(), "m.csv")
    assert set(assign_splits(nameless, SplitSettings(method="random"), "m.csv")["split"]) == {"train", "val", "test"}
    gap = table()
    gap.loc[4, "speaker"] = ""
    with pytest.raises(UserError, match=r"m.csv:6: column 'speaker' is empty"):
        assign_splits(gap, SplitSettings(), "m.csv")


def test_random_must_be_asked_for_and_then_leaks() -> None:
    people = table(6, 20)
    out = assign_splits(people, SplitSettings(method="random", val=0.25, test=0.25), "m.csv")
    shares = out["split"].value_counts(normalize=True)
    assert shares["val"] == pytest.approx(0.25, abs=0.02)
    assert shares["test"] == pytest.approx(0.25, abs=0.02)
    assert len(leaking_speakers(out)) > 3


def test_the_tables_own_column_wins() -> None:
    own = table().assign(split=lambda t: np.where(t.index % 2, "train", "test"))
    for method in ("auto", "column"):
        pd.testing.assert_frame_equal(assign_splits(own, SplitSettings(method=method), "m.csv"), own)  # type: ignore[arg-type]
    assert leaking_speakers(assign_splits(own, SplitSettings(method="speaker"), "m.csv")) == []
    blank = own.assign(split="")
    assert leaking_speakers(assign_splits(blank, SplitSettings(), "m.csv")) == []


def test_a_column_with_gaps() -> None:
    own = table().assign(split="train")
    own.loc[3, "split"] = ""
    with pytest.raises(UserError, match=r"m.csv:5: column 'split' is empty"):
        assign_splits(own, SplitSettings(), "m.csv")
    with pytest.raises(UserError, match=r"m.csv has no split column"):
        assign_splits(table(), SplitSettings(method="column"), "m.csv")


def test_the_column_may_have_another_name() -> None:
    own = table().assign(usual=lambda t: np.where(t.index % 2, " Training ", "dev"), split="test")
    own.loc[0, "usual"] = "EVAL"
    for method in ("auto", "column"):
        out = assign_splits(own, SplitSettings(method=method, column="usual"), "m.csv")  # type: ignore[arg-type]
        assert out["split"].tolist()[:3] == ["test", "train", "val"]
    assert (assign_splits(own, SplitSettings(), "m.csv")["split"] == "test").all()
    assert leaking_speakers(assign_splits(own, SplitSettings(method="speaker", column="usual"), "m.csv")) == []


@pytest.mark.parametrize("method", ["auto", "column"])
def test_columns_that_cannot_say_the_split(method: str) -> None:
    own = table().assign(blank="", take=lambda t: t.index.astype(str))

    def split(column: str) -> None:
        assign_splits(own, SplitSettings(method=method, column=column), "m.csv")  # type: ignore[arg-type]

    with pytest.raises(UserError, match=r"m\.csv has no source column.*file_name, speaker.*data\.split\.column"):
        split("source")
    with pytest.raises(UserError, match=r"m\.csv has no blank column, or nothing in it"):
        split("blank")
    with pytest.raises(UserError, match=r"m\.csv:2: column 'take' '0' is not one of train, val, test"):
        split("take")
    own["take"] = ["train", "", *own["take"][2:]]
    with pytest.raises(UserError, match=r"m\.csv:3: column 'take' is empty; fill it"):
        split("take")


def test_leaking_speakers() -> None:
    both = pd.DataFrame({"speaker": ["b", "b", "a", "a", "c", "", ""], "split": ["train", "test"] * 3 + ["val"]})
    assert leaking_speakers(both) == ["a", "b"]
    assert leaking_speakers(both.drop(columns="split")) == []
    assert leaking_speakers(both.drop(columns="speaker")) == []


def test_leave_one_out() -> None:
    people = table(4)
    for name in speakers(people, "m.csv").unique():
        fold = leave_one_out(people, name)
        assert ((fold["split"] == "test") == (fold["speaker"] == name)).all()
        assert set(fold["split"]) == {"train", "test"}


def test_the_split_is_described_for_the_report() -> None:
    people = table(4)
    people["split"] = ["train" if i % 2 else "test" for i in range(len(people))]
    assert describe_split(people).startswith("speakers leak: ")
    assert describe_split(assign_splits(table(9), SplitSettings(method="speaker"), "m.csv")) == "speaker-disjoint"
    assert describe_split(people.drop(columns="speaker")) == "speakers unknown"


def segments(people: int = 8, recordings: int = 3, pieces: int = 4) -> pd.DataFrame:
    """Clips that were cut from recordings; the first recording is a dialogue of the first two people."""
    rows = [(f"s{p}", f"s{p}-{r}") for p in range(people) for r in range(recordings) for _ in range(pieces)]
    out = pd.DataFrame(rows, columns=["speaker", "recording"]).assign(file_name=[f"{i}.wav" for i in range(len(rows))])
    out.loc[(out["speaker"] == "s1") & (out["recording"] == "s1-0"), "recording"] = "s0-0"
    return out


@pytest.mark.parametrize("seed", range(8))
def test_by_speaker_neither_a_speaker_nor_a_recording_is_on_two_sides(seed: int) -> None:
    out = assign_splits(segments(), SplitSettings(seed=seed, val=0.2, test=0.3), "m.csv")
    assert leaking_speakers(out) == leaking_recordings(out) == []
    assert out.groupby("split")["speaker"].nunique().min() >= 1
    assert describe_split(out) == "speaker-disjoint"


def test_by_recording_speakers_leak_and_the_description_says_so() -> None:
    out = assign_splits(segments(), SplitSettings(method="recording"), "m.csv")
    assert leaking_recordings(out) == []
    assert len(leaking_speakers(out)) > 3
    assert describe_split(out).endswith(", …), recordings disjoint")
    assert describe_split(out).startswith("speakers leak: ")
    assert describe_split(out.drop(columns="speaker")) == "speakers unknown, recordings disjoint"
    assert describe_split(out.drop(columns="speaker").assign(recording="")) == "speakers unknown"


def test_segments_at_random_cut_through_recordings() -> None:
    out = assign_splits(segments(), SplitSettings(method="random"), "m.csv")
    cut = len(leaking_recordings(out))
    assert cut > 10
    assert describe_split(out).endswith(f", recordings cut through: {cut}")
    assert describe_split(out.drop(columns="speaker")) == f"speakers unknown, recordings cut through: {cut}"


def test_recordings_must_be_known_to_split_by_them() -> None:
    with pytest.raises(UserError, match=r"m\.csv has no recording column"):
        assign_splits(table(), SplitSettings(method="recording"), "m.csv")
    gap = segments()
    gap.loc[2, "recording"] = ""
    with pytest.raises(UserError, match=r"m\.csv:4: column 'recording' is empty"):
        assign_splits(gap, SplitSettings(method="recording"), "m.csv")
    with pytest.raises(UserError, match=r"no speaker column.*accept leakage with data\.split\.method=recording"):
        assign_splits(segments().drop(columns="speaker"), SplitSettings(), "m.csv")
    with pytest.raises(UserError, match=r"m\.csv has 2 recordings, too few for recording-disjoint"):
        assign_splits(segments(1, 2), SplitSettings(method="recording"), "m.csv")
    with pytest.raises(UserError, match=r"m\.csv has 1 speakers, too few for speaker-disjoint"):  # both in one dialogue
        assign_splits(segments(2), SplitSettings(), "m.csv")
