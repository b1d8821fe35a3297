"""Servers side by side, for a moment each; and what is made of the figures."""

from pathlib import Path

import pytest

from slu.benchmarks.serving import ONNX, OURS, THREADS, TORCH, ServingSettings, measure
from slu.benchmarks.serving_report import ratios, serving_tables
from slu.common.errors import UserError
from tests.bundles.helpers import tiny_bundle


def settings(folder: Path, **changes: object) -> ServingSettings:
    quick = {"rounds": 1, "seconds": 0.5, "connections": 3, "clip": None, "outputs": str(folder / "out")}
    return ServingSettings(str(tiny_bundle(folder / "drinks")), **quick | changes)  # type: ignore[arg-type]


@pytest.mark.slow
def test_four_servers_are_asked_and_told_apart(tmp_path: Path) -> None:
    found = measure(settings(tmp_path), tmp_path)
    assert list(found) == [OURS, TORCH, THREADS, ONNX]
    for figures in found.values():
        assert figures["failed"] == 0
        assert min(figures["answers_per_s"], figures["alone_ms"], figures["half_p99_ms"], figures["cpu_ms"]) > 0
        assert figures["resident_mb"] > 50
    assert found[TORCH]["resident_mb"] > found[ONNX]["resident_mb"] + 200, "it alone has loaded torch"
    assert {"decode", "features", "recognise", "queue", "elsewhere"} == set(found[OURS]["stages_ms"]["busy"])
    assert [table.row_count for table in serving_tables(found)] == [4, 4, 5]


def test_a_clip_that_is_refused_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(UserError, match="refuses the clip with 422"):
        measure(settings(tmp_path, clip=str(tmp_path / "notes.txt")), tmp_path)
    with pytest.raises(UserError, match="No such file"):
        measure(settings(tmp_path, clip=str(tmp_path / "nothing.wav")), tmp_path)


def test_ratios_are_ours_to_the_others() -> None:
    plain = {"answers_per_s": 10.0, "cpu_ms": 20.0, "half_p99_ms": 9.0, "alone_ms": 3.0}
    ours = {**plain, "answers_per_s": 30.0, "cpu_ms": 10.0}
    assert ratios({OURS: ours, TORCH: plain}) == {
        TORCH: {"throughput": 3.0, "cpu": 0.5},
        OURS: {"p99_at_half_to_median_alone": 3.0},
    }
