"""From results to curves, against values worked out by hand."""

import numpy as np
import pytest

from slu.studies.curve import Difference, build_curve
from slu.studies.fits import FitResult
from tests.studies.helpers import made_up

BETTER = {"m1": {"clean": [0.8, 0.9, 0.95]}, "m2": {"clean": [0.4, 0.7, 0.95]}}


def test_points_and_paired_differences() -> None:
    curve = build_curve(made_up(BETTER))
    assert (curve.models, curve.conditions, curve.shares) == (("m1", "m2"), ("clean",), (0.05, 0.1, 1.0))
    assert [p.mean for p in curve.at("clean", "m2")] == pytest.approx([0.4, 0.7, 0.95])
    assert [p.voices for p in curve.at("clean", "m1")] == [5, 10, 100]
    assert curve.at("clean", "m1")[0].by_seed == pytest.approx((0.8, 0.8))
    for point in curve.points:
        assert point.interval is not None
        assert point.interval[0] < point.mean < point.interval[1]
    found = curve.differences["clean"]
    assert [found[s].value for s in curve.shares] == pytest.approx([0.4, 0.2, 0.0])
    assert [found[s].sign for s in curve.shares] == [1, 1, 0]
    assert curve.changes["clean"].value == pytest.approx(0.4)
    assert curve.changes["clean"].sign == 1
    assert (curve.resampled, curve.test_clips) == ("20 speakers", 200)


def test_seeds_are_averaged_clip_by_clip_before_resampling() -> None:
    """Two seeds that fail on different clips of every speaker: on average each speaker is half understood."""
    marks = {0: "10" * 10, 1: "01" * 10}
    speakers = tuple(f"t{i // 2}" for i in range(20))
    results = [FitResult("", "m1", 1.0, seed, 9, 9, 1, 1.0, 1, speakers, {"clean": m}) for seed, m in marks.items()]
    point = build_curve(results).points[0]
    assert point.mean == 0.5
    assert point.by_seed == (0.5, 0.5)


def test_a_paired_interval_is_narrower_than_two_bands() -> None:
    """The clips that one model hears are among those of the other: only the rest differs between speakers."""
    curve = build_curve(made_up({"m1": {"clean": [0.62]}, "m2": {"clean": [0.6]}}, seeds=(0,))[:2])
    interval = curve.differences["clean"][0.05].interval
    band = curve.points[0].interval
    assert interval is not None
    assert band is not None
    assert np.ptp(interval) < 0.7 * np.ptp(band)


def test_only_two_models_are_compared() -> None:
    three = build_curve(made_up({**BETTER, "m3": {"clean": [0.5, 0.5, 0.5]}}))
    assert three.differences == {}
    assert three.changes == {}
    assert len(three.points) == 9


def test_other_test_clips_are_refused() -> None:
    results = made_up(BETTER)
    other = FitResult("", "m1", 0.05, 0, 5, 9, 1, 1.0, 1, ("x",), {"clean": "1"})
    with pytest.raises(ValueError, match="same clips"):
        build_curve([*results, other])


@pytest.mark.parametrize(
    ("value", "interval", "sign"),
    [(0.1, (0.02, 0.2), 1), (-0.1, (-0.2, -0.02), -1), (0.1, (-0.01, 0.2), 0), (0.1, (0.0, 0.2), 0), (0.0, None, 0)],
)
def test_the_sign_needs_an_interval_without_zero(value: float, interval: tuple[float, float] | None, sign: int) -> None:
    assert Difference(value, interval, (value,)).sign == sign
