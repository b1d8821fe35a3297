"""The same training in one process, in several and on a GPU: what it costs, and whether it comes to the same.

Every round makes each training once, so that a busy moment of the machine hits all of them, and each training is a
`python -m slu.train trial=0` of its own. Only ratios mean something.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from rich.table import Table

from slu.benchmarks.trainings import Start, plain_settings, setting
from slu.common.files import read_json

Device = Annotated[int, Field(ge=1)] | Literal["gpu"]
"""That many processes of the CPU, or one GPU."""


@dataclass(frozen=True)
class DevicesSettings:
    devices: Annotated[tuple[Device, ...], Field(min_length=1)]
    """The first is what the others are compared with."""
    rounds: Annotated[int, Field(ge=1)]
    train: dict[str, Any]
    """Settings of every training."""
    outputs: str


def measure(settings: DevicesSettings, folder: Path, start: Start) -> dict[str, list[dict[str, float]]]:
    """By device: the figures of every round. The runs go into `folder`.

    Raises UserError for a training that fails.
    """
    fixed = {**settings.train, "trial": 0, "patience": 0, "outputs": settings.outputs}
    found: dict[str, list[dict[str, float]]] = {str(device): [] for device in settings.devices}
    for round_ in range(settings.rounds):
        for device in settings.devices:
            rounds, run = found[str(device)], folder.resolve() / f"{device}-{round_}"
            overrides = [*plain_settings(fixed), *_trainer_settings(device), setting("hydra.run.dir", str(run))]
            begun = time.monotonic()
            start(overrides)
            whole_s, facts = time.monotonic() - begun, read_json(run / "metrics.json")
            rounds.append(
                {
                    "epoch_s": facts["fit_s"] / facts["epochs"],
                    "epoch_cpu_s": facts["cpu_s"] / facts["epochs"],
                    "whole_s": whole_s,
                    "objective": facts["objective"],
                }
            )
    return found


def _trainer_settings(device: Device) -> list[str]:
    """Beside those of every training; a model may have a trainer group of its own, so no group is named."""
    if device == "gpu":
        return ["trainer.accelerator=gpu", "trainer.precision=bf16-mixed", "trainer.devices=1"]
    return ["trainer.accelerator=cpu", f"trainer.devices={device}"]


def devices_table(found: Mapping[str, list[dict[str, float]]]) -> Table:
    """Medians, and in brackets the median of the rounds' ratios to the first."""
    first = next(iter(found.values()))
    table = Table(title=f"one training, medians of {len(first)} interleaved rounds (x the first)", title_justify="left")
    table.add_column("devices")
    columns = {"epoch_s": "epoch, s", "epoch_cpu_s": "epoch, CPU s", "whole_s": "whole command, s"}
    for name in (*columns.values(), "objective"):
        table.add_column(name, justify="right")
    for device, rounds in found.items():
        cells = [f"{_median(rounds, key):.2f} ({_ratio(rounds, first, key):.2f})" for key in columns]
        objectives = sorted({f"{r['objective']:.4f}" for r in rounds})
        table.add_row(device, *cells, ", ".join(objectives))
    return table


def _median(rounds: list[dict[str, float]], key: str) -> float:
    return float(np.median([r[key] for r in rounds]))


def _ratio(rounds: list[dict[str, float]], first: list[dict[str, float]], key: str) -> float:
    return float(np.median([r[key] / f[key] for r, f in zip(rounds, first, strict=True)]))
