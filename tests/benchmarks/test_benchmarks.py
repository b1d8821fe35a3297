"""The measurements run on every kind of model and count what they say they count."""

from pathlib import Path
from typing import Any

import pytest

from slu.benchmarks.logs import log_reading
from slu.benchmarks.memory import peak_memory
from slu.benchmarks.speed import Pair, feature_speed, inference_speed, training_speed
from slu.benchmarks.timing import cpu_ms
from slu.features import build_front_end
from slu.features.augment import AugmentSettings
from tests.training.test_preprocessing import LOGMEL

MODELS: dict[str, dict[str, Any]] = {
    "m1": {"_target_": "slu.models.m1.M1", "channels": [8, 8], "strides": [2, 2], "layers": 1, "feedforward": 8},
    "m2": {"_target_": "slu.models.m2.M2", "d_model": 8, "layers": 1, "feedforward": 8},
    "m1_conv2d": {
        "_target_": "slu.models.m1_conv2d.M1Conv2d",
        "channels": [4],
        "pools": [[2, 2]],
        "d_model": 8,
        "layers": 1,
        "feedforward": 8,
    },
    "gru": {"_target_": "slu.models.recurrent.Recurrent", "cell": "gru", "hidden": 8, "dense": 8, "normalise": "none"},
}


def test_medians_order_work_by_its_cost() -> None:
    spent = cpu_ms({"little": lambda: sum(range(1_000)), "much": lambda: sum(range(1_000_000))}, rounds=3)
    assert 0 <= spent["little"] < spent["much"]


def test_every_model_is_measured_three_ways() -> None:
    front_ends = {"gru": build_front_end({"name": "mfcc", "clean": {"denoise": False}})}
    pairs = {name: Pair(model, front_ends.get(name) or build_front_end(LOGMEL)) for name, model in MODELS.items()}
    results = inference_speed(pairs, rounds=1)
    assert set(results) == set(MODELS)
    for ways in results.values():
        assert set(ways) == {"decode", "features", "eager", "inference_mode", "exported"}
        assert all(ms > 0 for ms in ways.values())
    assert set(training_speed(pairs, AugmentSettings(noise_prob=1.0), 4, rounds=1)) == set(MODELS)
    assert feature_speed({"logmel": LOGMEL}, rounds=1)["logmel"] > 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory per process is read from /proc")
def test_peak_memory_is_of_the_measured_process(tmp_path: Path) -> None:
    held = bytearray(600 * 2**20)  # the parent's own memory must not be counted
    held[::4096] = b"x" * len(held[::4096])
    peaks = peak_memory([8], LOGMEL, MODELS["m1"], tmp_path)
    own = int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1]
    )
    assert peaks[8][0] <= peaks[8][1] < own / 1024


@pytest.mark.slow
def test_a_longer_log_takes_no_more_memory(tmp_path: Path) -> None:
    little, much = log_reading([10_000, 60_000], tmp_path)
    assert (little.lines, much.lines) == (10_000, 60_000)
    assert much.megabytes > 5 * little.megabytes
    assert much.grown_mb < little.grown_mb + 20
    assert not list(tmp_path.iterdir())
