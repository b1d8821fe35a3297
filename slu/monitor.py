"""Tell from the request log and the corrections how a recogniser does at work, and what has changed."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.table import Table

from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import from_here, write_json
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.documents.page import write_page
from slu.evaluation.tables import show
from slu.feedback import default_url
from slu.inference.files import REFERENCE, SPEC
from slu.monitoring.alerts import Alert, alerts
from slu.monitoring.feedback import Reviewed, read_feedback
from slu.monitoring.findings import Findings, answering_version, look_at
from slu.monitoring.log_files import Read, read_lines
from slu.monitoring.page import monitor_page
from slu.monitoring.reference import Reference, hear_reference, held_out, read_reference
from slu.monitoring.rules import write_rules
from slu.monitoring.settings import MonitorSettings
from slu.monitoring.tables import (
    ACCURACY_COLUMNS,
    WINDOW_COLUMNS,
    accuracy_rows,
    compared_sentence,
    read_sentence,
    window_row,
)
from slu.monitoring.windows import Log
from slu.versions.places import bundle_place

_SHOWN = 14
"""Windows in the terminal; the report has all."""


@hydra.main(version_base="1.3", config_path="../conf", config_name="monitor")
@reports_errors
def main(config: DictConfig) -> None:
    if OmegaConf.missing_keys(config):
        raise UserError("log is not set; give the server's log on the command line as log=FILE")
    values = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    settings = parse_settings(MonitorSettings, values, "settings")
    registry = Path(settings.outputs) / "registry"
    given = None if settings.bundle is None else bundle_place(settings.bundle, registry).resolve()
    read = Read()
    log = Log(settings.window).read(read_lines(settings.logs, read), read)
    if not log.windows:
        raise UserError(f"log={', '.join(settings.logs)}: not one of {read.lines} lines is of a server's request log")
    version = given.name if given else answering_version(log)
    folder = given or _registered(Path(settings.outputs), version)
    run = from_here(Path(HydraConfig.get().runtime.output_dir))
    reference, missing = _reference(settings, folder, version, run)
    findings = look_at(log, read, version, reference, missing, settings)
    findings = replace(findings, reviewed=_reviewed(settings, version))
    found = alerts(findings)
    write_json(run / "monitor.json", _document(findings, found))
    write_page(run / "report.html", monitor_page(findings, found))
    if settings.rules is not None:
        write_rules(Path(settings.rules), settings.alerts, findings.reference)
    _show(findings, found, run)
    if found:
        sys.exit(1)


def _registered(outputs: Path, version: str) -> Path | None:
    """The bundle of a version, in any task of the registry."""
    found = [path for path in (outputs / "registry").glob("*/*") if path.name == version and (path / SPEC).is_file()]
    return found[0] if version and found else None


def _reference(settings: MonitorSettings, folder: Path | None, version: str, run: Path) -> tuple[Reference | None, str]:
    """And where there is none, what to do about it. Raises UserError for one that was named and cannot be used."""
    named = None if settings.reference_file is None else Path(settings.reference_file)
    if named is not None and named.suffix.lower() != ".csv":
        if (reference := read_reference(named)) is None:
            raise UserError(f"reference_file: there is no {REFERENCE} in {named}")
        return reference, ""
    if named is not None:
        if folder is None:
            raise UserError(f"reference_file={named}: nothing here hears its recordings; give bundle=FOLDER")
        return _heard(folder, named, run), ""
    if folder is not None and (reference := read_reference(folder)) is not None:
        return reference, ""
    which = f"the bundle {folder}" if folder else f"a bundle of version '{version}' in {settings.outputs}/registry"
    lacks = f"has no {REFERENCE}: it was registered before there were any" if folder else "is not there"
    cure = (
        "reference_file=metadata.csv of recordings such as it was tested on, or reference_days=7: the log's first week"
    )
    return None, f"Nothing to compare with: {which} {lacks}. Give {cure}."


def _heard(folder: Path, manifest: Path, run: Path) -> Reference:
    """Of recordings; kept beside the report, to be named the next time."""
    from slu.bundles import Predictor, load_bundle  # torch takes seconds, and nothing else here needs it
    from slu.corpus.manifest import read_manifest

    bundle = load_bundle(folder)
    with progress_bar("hearing the reference") as progress:
        clips = held_out(read_manifest(manifest, bundle.spec.heads, require_heads=False), bundle.spec.head_names)
        reference = hear_reference(Predictor(bundle), clips, progress)
    write_json(run / REFERENCE, reference.to_json(), indent=None)
    print(f"next time: reference_file={run / REFERENCE}", flush=True)
    return reference


def _reviewed(settings: MonitorSettings, version: str) -> Reviewed | None:
    url = settings.feedback
    if url == "none":
        return None
    if url is None:
        url = default_url(Path(settings.outputs))
        if not Path(url.removeprefix("sqlite:///")).is_file():
            return None
    return read_feedback(url, version or None)


def _document(findings: Findings, found: list[Alert]) -> dict[str, Any]:
    reference = findings.reference
    return {
        "alerts": [alert.to_json() for alert in found],
        "version": findings.version,
        "reference": None if reference is None else reference.source,
        "missing": findings.missing,
        "read": vars(findings.read),
        "windows": [seen.to_json() for seen in findings.seen],
        "feedback": None if findings.reviewed is None else findings.reviewed.to_json(),
    }


def _show(findings: Findings, found: list[Alert], run: Path) -> None:
    total, newest = len(findings.seen), findings.seen[-_SHOWN:]
    title = f"{findings.version or 'no recogniser'}: " + (f"{len(newest)} of {total} windows" if total > _SHOWN else "")
    windows = _table(title.rstrip(": "), WINDOW_COLUMNS, [window_row(seen) for seen in newest], words=(0, 9))
    reviewed = accuracy_rows(findings)
    show(windows, _table("reviewed corrections", ACCURACY_COLUMNS, reviewed) if reviewed else None)
    print(read_sentence(findings))
    print(compared_sentence(findings))
    for alert in found:
        print(f"ALERT {alert.window or 'all'}: {alert.sentence} Look at: {alert.look}.")
    print(f"{f'{len(found)} alerts' if found else 'no alerts'}; report: {run / 'report.html'}")


def _table(title: str, columns: tuple[str, ...], rows: list[list[str]], words: tuple[int, ...] = (0,)) -> Table:
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place in words else "right")
    for row in rows:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    run_command(main)
