"""Explore a data set before training: what is in it, what is wrong with it, what to do about it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import from_here
from slu.common.settings import parse_settings
from slu.corpus.menu import Menu
from slu.corpus.readers import read_source
from slu.corpus.synthesised import corpus_heads, ensure_synthesised, is_synthesised, synthesis_settings
from slu.documents.page import write_page
from slu.exploration.command_line import (
    explore_command,
    ingest_command,
    setting_key,
    spelled_out,
    task_name,
    train_command,
)
from slu.exploration.dataset import Dataset, from_manifest, from_spoken, with_spoken
from slu.exploration.decisions import decide, settings_of
from slu.exploration.explore import explore
from slu.exploration.findings import Findings
from slu.exploration.page import exploration_page
from slu.exploration.record import free_name, write_kept, write_record
from slu.exploration.settings import ExplorationSettings, Limits
from slu.exploration.sources import from_source
from slu.exploration.split_decision import can_split
from slu.exploration.summary import summary
from slu.exploration.warnings import warn
from slu.exploration.wording import Decision
from slu.spec import Head
from slu.training.settings import DataSettings

_OWN = ("split_column", "group_columns", "kept")


@hydra.main(version_base="1.3", config_path="../conf", config_name="eda")
@reports_errors
def main(config: DictConfig) -> None:
    if missing := sorted(OmegaConf.missing_keys(config)):
        raise UserError(f"{missing[0]} is not set; give it on the command line as {missing[0]}=...")
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    outputs = Path(settings["outputs"])
    data = parse_settings(DataSettings, settings["data"], "data")
    if settings["kept"] and ("source" in settings or data.manifest is None):
        raise UserError("kept= writes a manifest anew, so it needs data=manifest data.manifest=path/metadata.csv")
    how = exploration_settings(settings, data)
    findings = explore(load_dataset(settings, data, outputs), how, outputs / "exploration")
    warnings, decisions = warn(findings), decide(findings)
    kept = None
    if settings["kept"]:
        kept = write_kept(Path(str(data.manifest)), settings["kept"], findings)
    commands = _commands(settings, data, findings, decisions, kept)
    folder = from_here(Path(HydraConfig.get().runtime.output_dir))
    write_record(folder, findings, warnings, decisions, commands)
    write_page(folder / "report.html", exploration_page(findings, warnings, decisions, commands))
    print(summary(findings, warnings, decisions, commands, folder))


def exploration_settings(settings: Mapping[str, Any], data: DataSettings) -> ExplorationSettings:
    """Raises UserError for a limit that makes no sense."""
    limits = parse_settings(Limits, settings["limits"], "limits")
    groups = {"group_columns": settings["group_columns"]}
    durations = {"min_duration_s": data.min_duration_s, "max_duration_s": data.max_duration_s}
    return replace(parse_settings(ExplorationSettings, {**durations, **groups}, "settings"), limits=limits)


def load_dataset(settings: Mapping[str, Any], data: DataSettings, outputs: Path) -> Dataset:
    """What `source`, `data.manifest` and `data.synthetic_speech` name; speaks the corpus where it is missing."""
    if settings.get("manifest"):  # by way of an experiment or a notebook; the command line is spelled out before
        raise UserError(
            "manifest= is for the command line; elsewhere set data=manifest data.manifest=path/metadata.csv"
        )
    if "source" in settings:
        name = str(settings.get("name") or settings["source"]["kind"])
        return from_source(read_source(settings["source"], settings["heads"]), name, settings["heads"])
    if data.manifest is None and not data.synthetic_speech:
        raise UserError("data=manifest needs a table: add data.manifest=path/metadata.csv")
    spoken: Dataset | None = None
    heads: tuple[Head, ...] = ()
    if data.synthetic_speech:
        menu = Menu.parse(settings["menu"], "menu")
        synthesis = synthesis_settings(settings["synthesis"], settings["voices"])
        if not is_synthesised(menu, synthesis, outputs):
            clips = sum(synthesis.counts.values())
            print(
                f"corpus: {clips:,} clips of the menu {menu.task} are not there yet and are spoken now; "
                "menu=NAME explores another one, manifest=metadata.csv your own recordings",
                flush=True,
            )
        path, is_new = ensure_synthesised(menu, synthesis, outputs)
        print(f"corpus: {'spoken now' if is_new else 'up to date'}, {path}", flush=True)
        heads = corpus_heads(menu, synthesis.voices)
        spoken = from_spoken(path, menu.task, heads)
        if data.manifest is None:
            return spoken
    split = data.split
    if settings["split_column"] is not None:
        split = replace(split, method="column", column=str(settings["split_column"]))
    path = Path(str(data.manifest))
    if spoken is None:
        return from_manifest(path, data.heads, split)
    return with_spoken(from_manifest(path, tuple(spoken.heads), split, heads), spoken, split.val)


def _commands(
    settings: Mapping[str, Any],
    data: DataSettings,
    findings: Findings,
    decisions: Sequence[Decision],
    kept: Path | None,
) -> list[str]:
    """None when the data cannot train yet; a source is ingested first, and what only a person can take out of a table
    is taken out first."""
    typed = list(HydraConfig.get().overrides.task)
    given = [o for o in typed if setting_key(o) not in _OWN and not o.startswith("limits.")]
    decided = settings_of(decisions)
    if "source" in settings:
        commands = _source_commands(settings, given, decided, findings)
        return commands if can_split(findings) else commands[:1]
    if not findings.trainable or not can_split(findings) or len(findings.set_aside) == findings.clips:
        return []
    if settings["split_column"] is not None:
        given.append(f"data.split.column={settings['split_column']}")
    keys = {setting_key(override) for override in given}
    if data.manifest is not None and "data.heads" in keys and not {"data.task", "experiment"} & keys:
        given.append(f"data.task={task_name(data.heads)}")
    first = []
    if kept is None and data.manifest is not None and any(not r.skipped for r in findings.set_aside.values()):
        kept = free_name(Path(data.manifest).with_name("kept.csv"))
        first = [explore_command(typed, [f"kept={kept.name}"])]
    if kept is not None:
        decided = [*decided, f"data.manifest={kept}"]
    return [*first, train_command(given, decided)]


def _source_commands(
    settings: Mapping[str, Any], given: Sequence[str], decided: Sequence[str], findings: Findings
) -> list[str]:
    given, heads = list(given), list(findings.dataset.heads)
    if not findings.trainable and not any(setting_key(override) == "source.audio" for override in given):
        given.append("source.audio=FOLDER")
    name = settings.get("name") or settings["source"]["kind"]
    manifest = Path(settings["outputs"]) / "ingest" / str(name) / "metadata.csv"
    base = ["data=manifest", f"data.manifest={manifest}"]
    if heads != ["product", "quantity"]:  # what data=manifest expects unless told
        base += [f"data.heads=[{','.join(heads)}]", f"data.task={task_name(heads)}"]
    return [ingest_command(given, decided), train_command(base, decided)]


@reports_errors
def _start() -> None:
    config = cast(DictConfig, OmegaConf.load(Path(__file__).parent.parent / "conf" / "eda.yaml"))
    groups = {str(group).removeprefix("optional ") for entry in config.defaults if entry != "_self_" for group in entry}
    sources = {"name", "heads", "label_maps"}  # what the files of the source group set
    for_training = {"features", "model", "augment", "optimizer", "scheduler", "trainer", "logger", "reference"}
    known = {*map(str, config), *groups, *sources} - {"defaults", "hydra"} - for_training
    sys.argv[1:] = spelled_out(sys.argv[1:], known)
    run_command(main)


if __name__ == "__main__":
    _start()
