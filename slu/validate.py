"""Check recordings and their table before they are trained on: a verdict for every file."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.table import Table

from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import from_here, read_json
from slu.common.settings import parse_settings
from slu.corpus.menu import Menu
from slu.documents.page import write_page
from slu.evaluation.tables import show
from slu.spec import TaskSpec
from slu.validation.findings import KINDS, VERDICTS
from slu.validation.page import validation_page
from slu.validation.record import by_kind, github_annotations, where, write_verdicts
from slu.validation.settings import ValidateSettings, fill_durations
from slu.validation.tables import Labels, find_tables
from slu.validation.validate import Validation, validate


@hydra.main(version_base="1.3", config_path="../conf", config_name="validate")
@reports_errors
def main(config: DictConfig) -> None:
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "of_menu"])  # that one refers to a menu
    values = cast(dict[str, Any], OmegaConf.to_container(own, resolve=True))
    menu = values.pop("menu", None)
    spec = None if values["spec"] is None else _read_spec(values["spec"])
    if isinstance(values["limits"], dict):
        of_menu = None if menu is None else (config.of_menu.min_duration_s, config.of_menu.max_duration_s)
        values["limits"] = fill_durations(values["limits"], of_menu or _accepted(spec))
    settings = parse_settings(ValidateSettings, values, "settings")
    if not settings.manifests and not settings.folders:
        raise UserError("name what to look at: manifest=path/metadata.csv, or audio=FOLDER for recordings alone")
    tables = list(dict.fromkeys(table for place in settings.manifests for table in find_tables(Path(place))))
    folders = [Path(folder) for folder in settings.folders]
    keep = Path(settings.outputs) / "exploration"  # what slu.eda measured is not measured again
    validation = validate(tables, folders, _labels(settings, menu, spec), settings.group_columns, settings.limits, keep)
    run = from_here(Path(HydraConfig.get().runtime.output_dir))
    write_verdicts(run, validation)
    write_page(run / "report.html", validation_page(validation, settings.limits))
    _show(validation, run)
    if settings.annotations == "github":
        print("\n".join(github_annotations(validation)))
    sys.exit(VERDICTS.index(validation.verdict) >= VERDICTS.index(settings.fail_on))


def _read_spec(path: Any) -> TaskSpec:
    try:
        return TaskSpec.from_json(read_json(Path(path)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"spec={path} is not a bundle's spec.json: {error}") from None


def _accepted(spec: TaskSpec | None) -> tuple[float, float]:
    """Durations in seconds; without a spec those that a task has unless told, as data=manifest does."""
    known = TaskSpec if spec is None else spec
    return known.min_duration_s, known.max_duration_s


def _labels(settings: ValidateSettings, menu: Mapping[str, Any] | None, spec: TaskSpec | None) -> Labels:
    """Raises UserError where two of menu, spec and heads are given."""
    given = {"menu": menu, "spec": spec, "heads": settings.heads}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise UserError(f"{named[0]}= and {named[1]}= both say what the labels are; give one of them")
    if menu is not None:
        return Labels(Menu.parse(menu, "menu").task_heads())
    return Labels(names=settings.heads or ()) if spec is None else Labels(spec.heads)


def _show(validation: Validation, run: Path) -> None:
    if validation.findings:
        table = Table(title="what is wrong, errors first", title_justify="left")
        for column in ("what", "verdict", "times", "the first", "cure"):
            table.add_column(column, overflow="fold", justify="right" if column == "times" else "left")
        for kind, findings in by_kind(validation):
            first = f"{where(findings[0])}: {findings[0].detail}"
            table.add_row(kind, KINDS[kind].severity, str(len(findings)), first, findings[0].cure)
        show(table)
    for note in validation.notes:
        print(f"note: {note}")
    counts = validation.counts
    told = f"; of the table itself: {validation.about_tables}" if validation.about_tables else ""
    print(
        f"{sum(counts.values())} files: {counts['ok']} ok, {counts['warning']} warning, {counts['error']} error{told}"
    )
    print(f"report: {run / 'report.html'} (beside it verdicts.csv, verdicts.json)")


if __name__ == "__main__":
    run_command(main)
