"""What the registry has, what answers, and its moves. Promoting loads a bundle, so a command does it."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from slu.common.errors import UserError
from slu.serving.admin.asking import Why, setting
from slu.serving.admin.jobs import Jobs
from slu.serving.models import Board, Live
from slu.serving.settings import ServeSettings
from slu.versions import ALIASES, Entry, Versions
from slu.versions.aliases import answering, target
from slu.versions.lineage import Lineage

_MOVES = 100


class Promote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    task: str = Field(max_length=100)
    version: str = Field(max_length=100)
    why: Why = ""


class Rollback(BaseModel):
    model_config = ConfigDict(extra="forbid")
    task: str = Field(max_length=100)
    why: Why = ""


def add_versions(page: FastAPI, jobs: Jobs, settings: ServeSettings, board: Board) -> None:
    versions = Versions(Path(settings.outputs) / "registry", lambda folder: None)  # nothing is promoted with these

    @page.get("/api/versions")
    def list_versions() -> dict[str, Any]:
        try:
            tasks = versions.tasks()
        except UserError:
            tasks = []
        live = board.read()
        return {
            "tasks": [_task(versions, task, live) for task in tasks],
            "answers": sorted(live.versions.values()),
            "refused": [{"version": version, "reason": reason} for version, reason in live.refused.values()],
        }

    @page.post("/api/promote", status_code=202)
    def promote(asked: Promote) -> dict[str, Any]:
        try:
            name = versions.named(asked.task, asked.version)
        except UserError as error:
            raise HTTPException(404, str(error)) from None
        return _moved(jobs, settings, "promote", [asked.task, name], asked.why)

    @page.post("/api/rollback", status_code=202)
    def rollback(asked: Rollback) -> dict[str, Any]:
        try:
            versions.home(asked.task)
        except UserError as error:
            raise HTTPException(404, str(error)) from None
        return _moved(jobs, settings, "rollback", [asked.task], asked.why)


def _moved(jobs: Jobs, settings: ServeSettings, action: str, words: list[str], why: str) -> dict[str, Any]:
    told = [f"why={why or 'on the admin page'}", setting("outputs", settings.outputs)]
    return jobs.start(action, "slu.registry", [action, *words, *told], place="move").to_json()


def _task(versions: Versions, task: str, live: Live) -> dict[str, Any]:
    home, names, problem = versions.home(task), versions.names(task), ""
    moves: list[Entry] = []
    try:
        moves = versions.history(task)
    except UserError as error:
        problem = str(error)
    return {
        "task": task,
        "live": answering(home),
        "promoted": target(home, "live") is not None,
        "can_roll_back": target(home, "previous") not in (None, target(home, "live")),
        "follows": [name for place, name in live.versions.items() if Path(place).parent == home.absolute()],
        "versions": [_version(home / name) for name in names],
        "history": [move.to_json() for move in reversed(moves[-_MOVES:])],
        "problem": problem,
    }


def _version(folder: Path) -> dict[str, Any]:
    known: dict[str, Any] = {
        "version": folder.name,
        "aliases": [alias for alias in ALIASES if target(folder.parent, alias) == folder.name],
    }
    try:
        its = Lineage.of(folder)
        return known | {"objective": its.objective, "clean": its.clean, "facts": its.facts(), "problem": ""}
    except (UserError, OSError) as error:
        return known | {"objective": "", "clean": "", "facts": [], "problem": str(error)}
