"""List, promote, roll back, verify and prune the versions of the registry."""

import difflib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import hydra
from omegaconf import DictConfig, OmegaConf
from pydantic import Field
from rich.table import Table

from slu.common.cli import compose, reports_errors
from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.evaluation.tables import facts_table, show
from slu.versions import ALIASES, Entry, Versions
from slu.versions.aliases import answering, target
from slu.versions.lineage import Lineage
from slu.versions.pruning import prune

ACTIONS = {
    "list": ("[TASK]", ()),
    "show": ("TASK [VERSION]", ("task",)),
    "promote": ("TASK VERSION", ("task", "version")),
    "rollback": ("TASK", ("task",)),
    "verify": ("[TASK] [VERSION]", ()),
    "prune": ("[TASK]", ()),
}
"""What can be done: the words that go with it, and those that must."""
_COLUMNS = ("version", "points here", "objective", "clean", "data", "made from", "code")
_MOVES = 10


@dataclass(frozen=True)
class RegistrySettings:
    root: str
    keep: Annotated[int, Field(ge=0)]
    dry_run: bool


@dataclass(frozen=True)
class Settings:
    action: Literal["list", "show", "promote", "rollback", "verify", "prune"]
    task: str | None
    version: str | None
    why: str | None
    outputs: str
    registry: RegistrySettings


@hydra.main(version_base="1.3", config_path="../conf", config_name="registry")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(Settings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings")
    versions = Versions(Path(settings.registry.root), _load)
    words, needed = ACTIONS[settings.action]
    if settings.version is not None:
        needed = ("task", "version")
    if any(getattr(settings, name) is None for name in needed):
        raise UserError(
            f"say which: python -m slu.registry {settings.action} {words}; the tasks are {', '.join(versions.tasks())}"
        )
    tasks = versions.tasks() if settings.task is None else [settings.task]
    {"list": _list, "show": _show, "promote": _promote, "rollback": _rollback, "verify": _verify, "prune": _prune}[
        settings.action
    ](versions, tasks, settings)


def _load(folder: Path) -> None:
    try:
        from slu.bundles.store import load_all  # here: listing should not wait for torch
    except ModuleNotFoundError:  # on a machine that only answers
        from slu.inference.onnx_runtime import open_predictor

        if open_predictor(folder) is None:
            raise UserError(f"the bundle {folder} needs torch, and it is not installed here") from None
        return
    load_all(folder)


def _list(versions: Versions, tasks: Sequence[str], settings: Settings) -> None:
    for task in tasks:
        home, names = versions.home(task), versions.names(task)
        table = Table(title=f"{task}: {len(names)} versions in {home}, the newest first", title_justify="left")
        for column in _COLUMNS:
            table.add_column(column, justify="right" if column in ("objective", "clean") else "left", no_wrap=True)
        for name in names:
            pointing = ", ".join(alias for alias in ALIASES if target(home, alias) == name)
            try:
                its = Lineage.of(home / name)
                cells = [its.objective, its.clean, str(its.metrics.get("data") or ""), its.parent, its.code]
            except UserError as error:
                cells = ["", "", str(error), "", ""]
            table.add_row(name, pointing, *cells)
        show(table, _moves([e for e in versions.history(task) if e.alias != "latest"][-1:], f"{task}: last promotion"))


def _show(versions: Versions, tasks: Sequence[str], settings: Settings) -> None:
    task, home = tasks[0], versions.home(tasks[0])
    name = versions.named(task, settings.version or "live")
    try:
        its = Lineage.of(home / name)
    except UserError as error:
        raise UserError(f"{home / name}: {error}; it is damaged: show or promote another") from None
    pointing = [alias for alias in ALIASES if target(home, alias) == name]
    facts = [("version", name), ("points here", ", ".join(pointing)), *its.facts()]
    moves = [e for e in versions.history(task) if settings.version is None or name in (e.was, e.version)]
    title = f"{task}: the last {min(len(moves), _MOVES)} of {len(moves)} moves"
    show(facts_table([fact for fact in facts if fact[1]]), _moves(moves[-_MOVES:], title))


def _moves(entries: Sequence[Entry], title: str) -> Table | None:
    if not entries:
        return None
    table = Table(title=title, title_justify="left")
    for column in ("time (UTC)", "by", "alias", "from", "to", "why"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        table.add_row(entry.time[:19].replace("T", " "), entry.by, entry.alias, entry.was, entry.version, entry.why)
    return table


def _promote(versions: Versions, tasks: Sequence[str], settings: Settings) -> None:
    entry = versions.promote(tasks[0], settings.version or "", settings.why or "")
    if entry is None:
        print(f"{tasks[0]}: {answering(versions.home(tasks[0]))} is live already; nothing moves")
        return
    before = f"before, {entry.was} answered" if entry.was else "nothing else answered before"
    print(f"{tasks[0]}: {entry.version} is live; {before}")


def _rollback(versions: Versions, tasks: Sequence[str], settings: Settings) -> None:
    entry = versions.rollback(tasks[0], settings.why or "")
    print(f"{tasks[0]}: {entry.version} is live again; {entry.was} is no longer")


def _verify(versions: Versions, tasks: Sequence[str], settings: Settings) -> None:
    if settings.version is not None:
        name = versions.named(tasks[0], settings.version)
        problem, count = versions.problem(tasks[0], name), 1
        problems = [f"{tasks[0]}/{name}: {problem}"] if problem else []
    else:
        problems = [f"{task}/{problem}" for task in tasks for problem in versions.problems(task)]
        count = sum(len(versions.names(task)) for task in tasks)
    for problem in problems:
        print(f"damaged: {problem}")
    if problems:
        sys.exit(1)
    print(f"sound: {_counted(count)} of {', '.join(tasks)}")


def _prune(versions: Versions, tasks: Sequence[str], settings: Settings) -> None:
    dry = settings.registry.dry_run
    for task in tasks:
        pruned = prune(versions, task, settings.registry.keep, dry_run=dry)
        for name, size in pruned.sizes.items():
            print(f"{task}: {name} {'would go' if dry else 'removed'}, {size / 1e6:.1f} MB")
        for name in pruned.used:
            print(f"{task}: {name} stays, for a server answers with it")
        total = sum(pruned.sizes.values()) / 1e6
        print(f"{task}: {_counted(len(pruned.sizes))}, {total:.1f} MB {'would be ' if dry else ''}freed")


def _counted(count: int) -> str:
    return f"{count} version{'' if count == 1 else 's'}"


def name_words(arguments: Sequence[str]) -> list[str]:
    """The bare words, as the settings that Hydra knows. Raises UserError for a word that is none."""
    settings, words = [], []
    for number, argument in enumerate(arguments):
        flag = arguments[number - 1] if number else ""
        if argument.startswith("why="):
            settings.append(f"why={_quoted(argument.removeprefix('why='))}")  # a sentence may hold anything
        elif "=" in argument or argument.startswith(("-", "+", "~")) or flag.startswith("-"):
            settings.append(argument)
        else:
            words.append(argument)
    if not words:
        return settings
    action, *rest = words
    if action not in ACTIONS:
        near = difflib.get_close_matches(action, ACTIONS, 1)
        meant = f"nearest: {near[0]}; " if near else ""
        raise UserError(f"there is nothing called '{action}' to do; {meant}known: {', '.join(ACTIONS)}")
    most = len(ACTIONS[action][0].split())
    if len(rest) > most:
        raise UserError(f"'{rest[most]}' is one word too many: python -m slu.registry {action} {ACTIONS[action][0]}")
    named = zip(("action", "task", "version"), words, strict=False)
    return [*(f"{key}={_quoted(word)}" for key, word in named), *settings]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@reports_errors
def start() -> None:
    sys.argv[1:] = name_words(sys.argv[1:])
    compose(main)  # and not run_command: a registry that cannot be written can be listed


if __name__ == "__main__":
    start()
