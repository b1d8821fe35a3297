import itertools

import numpy as np
import pytest

from slu.audio.segment import SegmentSettings, cut, decoding_limits, heard_segments
from slu.spec import Head, TaskSpec

RATE = 100


def lengths(duration_s: float, **settings: object) -> list[tuple[float, float]]:
    """(start, length) in seconds of every segment of a recording that counts its samples."""
    samples = np.arange(1, round(duration_s * RATE) + 1, dtype=np.float32)
    segments = cut(samples, RATE, SegmentSettings(**settings))  # type: ignore[arg-type]
    for start_s, piece in segments:
        heard = piece[piece > 0]
        assert heard.tolist() == samples[round(start_s * RATE) :][: len(heard)].tolist()
    return [(start_s, len(piece) / RATE) for start_s, piece in segments]


@pytest.mark.parametrize(
    ("duration_s", "settings", "expected"),
    [
        (6.0, {}, [(0, 3), (3, 3)]),
        (7.0, {}, [(0, 3), (3, 3), (6, 3)]),
        (7.0, {"rest": "keep"}, [(0, 3), (3, 3), (6, 1)]),
        (7.0, {"rest": "drop"}, [(0, 3), (3, 3)]),
        (6.4, {}, [(0, 3), (3, 3)]),
        (6.4, {"min_rest_s": 0.0}, [(0, 3), (3, 3), (6, 3)]),
        (0.4, {}, [(0, 3)]),
        (0.4, {"rest": "keep"}, [(0, 0.4)]),
        (0.4, {"rest": "drop"}, []),
        (7.0, {"overlap_s": 1.0}, [(0, 3), (2, 3), (4, 3)]),
        (8.0, {"overlap_s": 1.0, "rest": "keep"}, [(0, 3), (2, 3), (4, 3), (6, 2)]),
        (7.4, {"overlap_s": 1.0}, [(0, 3), (2, 3), (4, 3)]),
        (0.0, {}, []),
    ],
)
def test_where_segments_start_and_what_becomes_of_the_rest(
    duration_s: float, settings: dict[str, object], expected: list[tuple[float, float]]
) -> None:
    assert lengths(duration_s, **settings) == expected


def test_a_padded_rest_ends_in_silence() -> None:
    (_, padded) = cut(np.ones(350, np.float32), RATE, SegmentSettings())[1]
    assert padded.tolist() == [1.0] * 50 + [0.0] * 250


@pytest.mark.parametrize(
    "settings", [{"length_s": 0.0}, {"overlap_s": 3.0}, {"overlap_s": -1.0}, {"length_s": float("nan")}]
)
def test_settings_that_cut_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="segments need length_s above 0"):
        SegmentSettings(**settings)


def task(**settings: float) -> TaskSpec:
    return TaskSpec("t", (Head("h", ("a", "b")),), max_duration_s=600.0, **settings)


@pytest.mark.parametrize(
    ("segment_s", "overlap_s", "duration_s", "expected"),
    [
        (0.0, 0.0, 9.0, [9.0]),
        (3.0, 0.0, 2.0, [2.0]),
        (3.0, 0.0, 3.6, [3.6]),
        (3.0, 0.0, 4.6, [2.3, 2.3]),
        (3.0, 0.0, 30.0, [3.0] * 10),
        (3.0, 1.0, 5.0, [3.0, 3.0]),
        (3.0, 1.0, 8.0, [2.75, 2.75, 2.75, 2.75]),
    ],
)
def test_what_a_task_hears_of_a_recording(
    segment_s: float, overlap_s: float, duration_s: float, expected: list[float]
) -> None:
    samples = np.arange(round(duration_s * RATE), dtype=np.float32)
    heard = heard_segments(samples, RATE, task(segment_s=segment_s, segment_overlap_s=overlap_s))
    assert [len(piece) / RATE for _, piece in heard] == pytest.approx(expected, abs=2 / RATE)
    assert heard[0].samples[0] == 0
    assert heard[-1].samples[-1] == samples[-1]  # nothing is left out
    for before, after in itertools.pairwise(heard):
        assert before.samples[-1] - after.samples[0] + 1 == pytest.approx(overlap_s * RATE, abs=2)


def test_only_a_task_with_segments_decodes_minutes() -> None:
    assert decoding_limits(task()).max_duration_s == 30.0
    assert decoding_limits(task(segment_s=3.0)).max_duration_s == 600.0
