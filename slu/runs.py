"""All trainings in one table, the best by validation objective first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import hydra
import pandas as pd
from omegaconf import DictConfig, OmegaConf
from pydantic import Field
from rich.table import Table

from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import atomic_write
from slu.common.settings import parse_settings
from slu.evaluation.tables import show
from slu.studies.runs import find_runs, runs_table
from slu.studies.search_report import StudyPlace, summary, trials_shown, trials_table, write_search_report

_SHOWN = ("run", "settings", "objective", "clean", "noisy", "cpu_s", "parameters", "state")


@dataclass(frozen=True)
class RunsSettings:
    outputs: str
    task: str | None
    sort: Literal["objective", "started", "clean", "noisy", "cpu_s", "parameters"]
    csv: str | None
    most: Annotated[int, Field(ge=1)]
    study: str | None
    storage: str | None


@hydra.main(version_base="1.3", config_path="../conf", config_name="runs")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(
        RunsSettings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings"
    )
    if settings.study is not None:
        _show_study(settings, settings.study)
        return
    home = Path(settings.outputs) / "runs" / "train"
    table = runs_table(find_runs(home), home, settings.task, settings.sort)
    if table.empty:
        of_task = f" of the task {settings.task}" if settings.task else ""
        raise UserError(f"there is no training{of_task} below {home}; begin one with `python -m slu.train`")
    if settings.csv is not None:
        with atomic_write(Path(settings.csv)) as file:
            table.to_csv(file, index=False)
    show(_shown(table, home, settings.most))
    if settings.csv is not None:
        print(f"written to {settings.csv}")


def _show_study(settings: RunsSettings, name: str) -> None:
    home = Path(settings.outputs) / "studies" / "search"
    place = StudyPlace(settings.storage or f"sqlite:///{home / name}.sqlite", name, home)
    study = place.load()
    show(trials_shown(study, settings.most))
    print("\n".join(summary(study)))
    print(f"report: {write_search_report(place)}")
    if settings.csv is not None:
        with atomic_write(Path(settings.csv)) as file:
            trials_table(study).to_csv(file, index=False)
        print(f"written to {settings.csv}")


def _shown(table: pd.DataFrame, home: Path, most: int) -> Table:
    title = f"{len(table)} trainings below {home}" + (f", {most} of them" if len(table) > most else "")
    shown = Table(title=f"{title}; chosen by objective, which is of validation clips", title_justify="left")
    for name in _SHOWN:
        shown.add_column(name, justify="left" if name in ("run", "settings", "state") else "right")
    for _, row in table.head(most).iterrows():
        shown.add_row(*(_cell(name, row[name]) for name in _SHOWN))
    return shown


def _cell(name: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if name in ("cpu_s", "parameters") else f"{value:.3f}"


if __name__ == "__main__":
    run_command(main)
