"""What the trainings below a folder have come to: settings, objective, tests, cost, and which were cut short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
import yaml

from slu.common.files import read_json

COLUMNS = (
    "started",
    "run",
    "task",
    "settings",
    "objective",
    "clean",
    "noisy",
    "cpu_s",
    "parameters",
    "epochs",
    "state",
)
"""Of the table. `objective` is of validation clips, `clean` and `noisy` of test clips with all labels right (`noisy` is
the mean over the conditions with noise): runs are chosen by the first, never by the others."""


@dataclass(frozen=True)
class Run:
    folder: Path
    overrides: tuple[str, ...]
    """Settings that were given, beside the defaults."""
    config: Mapping[str, Any]
    metrics: Mapping[str, Any] | None
    """None of one that was cut short, or goes on."""

    @property
    def task(self) -> str:
        """Where it is that of the menu, the run's folder says it by reference."""
        task = str((self.config.get("data") or {}).get("task", ""))
        return str((self.config.get("menu") or {}).get("task", "")) if task == "${menu.task}" else task

    def row(self, home: Path) -> dict[str, Any]:
        name = self.folder.relative_to(home).as_posix()
        known: dict[str, Any] = {
            "started": name[:19].replace("_", " "),
            "run": name,
            "task": self.task,
            "settings": " ".join(self.overrides),
            "state": "cut short" if (self.folder / "checkpoints" / "last.ckpt").is_file() else "not begun",
        }
        if self.metrics is None:
            return known
        tests = {name: test.get("joint_accuracy") for name, test in (self.metrics.get("test") or {}).items()}
        noisy = [value for name, value in tests.items() if name.endswith(" dB") and value is not None]
        return {
            **known,
            **{name: self.metrics.get(name) for name in ("objective", "cpu_s", "parameters", "epochs")},
            "clean": tests.get("clean"),
            "noisy": mean(noisy) if noisy else None,
            "state": "done",
        }


def find_runs(home: Path) -> list[Run]:
    """Those below `home`, of sweeps too; one whose files cannot be read says so among its settings."""
    found = []
    for config in sorted(home.glob("**/.hydra/config.yaml")):
        folder = config.parents[1]
        try:
            overrides = yaml.safe_load((config.parent / "overrides.yaml").read_text(encoding="utf-8")) or []
            settings = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
            metrics = read_json(folder / "metrics.json") if (folder / "metrics.json").is_file() else None
        except (OSError, ValueError, yaml.YAMLError):
            overrides, settings, metrics = ["(its files cannot be read)"], {}, None
        found.append(Run(folder, tuple(map(str, overrides)), settings, metrics))
    return found


def runs_table(runs: Sequence[Run], home: Path, task: str | None, sort: str) -> pd.DataFrame:
    """The best first, those without a figure last."""
    table = pd.DataFrame([run.row(home) for run in runs], columns=list(COLUMNS))
    if task is not None:
        table = table[table["task"] == task]
    ascending = sort in ("cpu_s", "parameters")
    return table.sort_values(sort, ascending=ascending, na_position="last", kind="stable").reset_index(drop=True)
