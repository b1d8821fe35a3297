"""The devices benchmark: which trainings it starts, and what it makes of their figures."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from slu.benchmarks.devices import DevicesSettings, devices_table, measure


def test_rounds_are_interleaved_and_compared_with_their_own_first(tmp_path: Path) -> None:
    started: list[list[str]] = []

    def start(settings: Sequence[str]) -> None:
        started.append(list(settings))
        run = Path(next(s for s in settings if s.startswith("hydra.run.dir=")).partition("=")[2])
        alone, round_ = "trainer.devices=1" in settings, len(started) // 3
        facts = {"fit_s": 8.0 * (1 + round_) / (1 if alone else 2), "cpu_s": 6.0, "epochs": 2, "objective": 0.5}
        run.mkdir(parents=True)
        (run / "metrics.json").write_text(json.dumps(facts))

    settings = DevicesSettings((1, 2), 2, {"model": "m1", "trainer": {"max_epochs": 2}}, "out")
    found = measure(settings, tmp_path, start)
    assert [next(s for s in one if "devices" in s)[-1] for one in started] == ["1", "2", "1", "2"]
    assert {"model=m1", "trainer.max_epochs=2", "trial=0", "outputs=out"} <= set(started[0])
    assert [r["epoch_s"] for r in found["2"]] == [2.0, 4.0]
    table = devices_table(found)
    cells = {str(column.header): list(column.cells) for column in table.columns}
    assert cells["devices"] == ["1", "2"]
    assert cells["epoch, s"] == ["6.00 (1.00)", "3.00 (0.50)"]
    assert cells["epoch, CPU s"][1] == "3.00 (1.00)"
    assert cells["objective"] == ["0.5000", "0.5000"]


def test_a_gpu_is_compared_with_the_cpu(tmp_path: Path) -> None:
    started: list[set[str]] = []

    def start(settings: Sequence[str]) -> None:
        started.append(set(settings))
        run = Path(next(s for s in settings if s.startswith("hydra.run.dir=")).partition("=")[2])
        run.mkdir(parents=True)
        (run / "metrics.json").write_text('{"fit_s": 1, "cpu_s": 1, "epochs": 1, "objective": 0.5}')

    found = measure(DevicesSettings((1, "gpu"), 1, {"model": "m1"}, "out"), tmp_path, start)
    assert list(found) == ["1", "gpu"]
    assert {"trainer.accelerator=cpu", "trainer.devices=1"} <= started[0]
    assert {"trainer.accelerator=gpu", "trainer.devices=1", "trainer.precision=bf16-mixed"} <= started[1]


def test_the_command_is_known() -> None:
    from slu.benchmark import take_name

    assert take_name(["devices", "rounds=1"]) == ("devices", ["rounds=1"])


@pytest.mark.parametrize("devices", [(), (0,), ("tpu",)])
def test_devices_without_processes_are_refused(devices: tuple[int | str, ...]) -> None:
    from slu.common.errors import UserError
    from slu.common.settings import parse_settings

    values = {"devices": devices, "rounds": 1, "train": {}, "outputs": "out"}
    with pytest.raises(UserError, match="devices"):
        parse_settings(DevicesSettings, values, "settings")
