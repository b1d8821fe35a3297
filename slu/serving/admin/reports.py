"""What has changed at work, and what retrainings have decided: results of commands, and the buttons that start them."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.feedback import FEEDBACK, FeedbackStore
from slu.feedback.schema import ACCEPTED
from slu.serving.admin.asking import database_of, needs, setting, stored_in
from slu.serving.admin.jobs import Jobs
from slu.serving.settings import ServeSettings
from slu.versions import Versions

_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Of a report: it is a document, and nothing in it runs or is fetched."""
_DECISIONS = 20


class Monitor(BaseModel):
    model_config = ConfigDict(extra="forbid")
    window: Literal["hour", "day", "week", "all"] = "day"
    reference_days: Annotated[int, Field(ge=1, le=1000)] | None = None


class Retrain(BaseModel):
    model_config = ConfigDict(extra="forbid")
    task: str = Field(max_length=100)
    corrections: Annotated[int, Field(ge=1, le=10**6)] = 20
    dry_run: bool = False


def add_monitor(page: FastAPI, jobs: Jobs, settings: ServeSettings) -> None:
    runs = Path(settings.outputs) / "runs" / "monitor"

    def hindered() -> str:
        if settings.log == "-":
            return "there is no log to read: start the server with log=access.log"
        return needs("matplotlib", "scipy")

    @page.get("/api/monitor")
    def changes() -> dict[str, Any]:
        return {"hindered": hindered(), "last": _last(runs)}

    @page.get("/api/monitor/{run}/report")
    def report(run: str) -> FileResponse:
        return _document(runs, run, "report.html")

    @page.post("/api/monitor", status_code=202)
    def look(asked: Monitor) -> dict[str, Any]:
        """Its exit code of 1 says that there is something to be told."""
        if problem := hindered():
            raise HTTPException(409, problem)
        days = [] if asked.reference_days is None else [setting("reference_days", asked.reference_days)]
        told = [setting("log", settings.log), setting("window", asked.window), *days, *stored_in(settings)]
        environment = database_of(settings)
        return jobs.start(
            "monitor", "slu.monitor", told, place="work", told_by="; report: ", environment=environment
        ).to_json()


def add_retrain(page: FastAPI, jobs: Jobs, settings: ServeSettings, store: FeedbackStore | None) -> None:
    home = Path(settings.outputs) / "retrain"
    versions = Versions(Path(settings.outputs) / "registry", lambda folder: None)

    def hindered() -> str:
        if store is None:
            return "this server takes no corrections: it was started with feedback=none"
        return needs("torch")

    @page.get("/api/retrain")
    def decisions() -> dict[str, Any]:
        accepted = 0 if store is None else len(store.rows(FEEDBACK.c.state == ACCEPTED))
        return {"hindered": hindered(), "accepted": accepted, "tasks": _tasks(versions), "decisions": _decisions(home)}

    @page.get("/api/retrain/{task}/{name}/decision")
    def decision(task: str, name: str) -> FileResponse:
        if task not in _folders(home):
            raise HTTPException(404, "there is no such retraining")
        return _document(home / task, name, "decision.html")

    @page.post("/api/retrain", status_code=202)
    def retrain(asked: Retrain) -> dict[str, Any]:
        if problem := hindered():
            raise HTTPException(409, problem)
        if asked.task not in _tasks(versions):
            raise HTTPException(404, f"there is no task '{asked.task[:50]}' in the registry")
        told = [setting(name, value) for name, value in asked.model_dump().items()]
        told += [*stored_in(settings), *settings.admin_retrain]
        return jobs.start("retrain", "slu.retrain", told, place="work", environment=database_of(settings)).to_json()


def _tasks(versions: Versions) -> list[str]:
    try:
        return versions.tasks()
    except UserError:
        return []


def _folders(home: Path) -> list[str]:
    """The newest last, where names are times."""
    return sorted(path.name for path in home.glob("[!.]*") if path.is_dir())


def _document(home: Path, name: str, file: str) -> FileResponse:
    """Only of what a listing of `home` has: a name that leads elsewhere is in none."""
    path = home / name / file
    if name not in _folders(home) or not path.is_file():
        raise HTTPException(404, "there is no such report")
    return FileResponse(path, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})


def _last(runs: Path) -> dict[str, Any] | None:
    """The newest that has come to its end, without what fills pages: the shares of each class in each window."""
    for name in reversed(_folders(runs)):
        try:
            found = read_json(runs / name / "monitor.json")
            windows = [{key: one[key] for key in _OF_WINDOW} for one in found["windows"]]
            told = {key: found[key] for key in ("alerts", "version", "reference", "missing", "read")}
        except (OSError, ValueError, KeyError, TypeError):
            continue
        return {"run": name, **told, "windows": windows, "report": (runs / name / "report.html").is_file()}
    return None


_OF_WINDOW = ("start", "requests", "clips", "understood", "latency_ms", "medians", "changes")


def _decisions(home: Path) -> list[dict[str, Any]]:
    """The newest first."""
    found = sorted(home.glob("[!.]*/*/decision.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [_decision(path) for path in found[:_DECISIONS]]


def _decision(path: Path) -> dict[str, Any]:
    known: dict[str, Any] = {
        "task": path.parent.parent.name, "name": path.parent.name, "time": path.stat().st_mtime,
        "report": path.with_name("decision.html").is_file(),
    }  # fmt: skip
    try:
        found = read_json(path)
        promoted = path.with_name("promoted.json")
        version = read_json(promoted)["version"] if promoted.is_file() else None
        facts = {key: value for key, value in found.items() if isinstance(value, (str, int)) and key != "passed"}
        return known | {"passed": found["passed"], "refusals": found["refusals"], "facts": facts, "version": version}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return known | {"passed": False, "refusals": ["its decision.json cannot be read"], "facts": {}, "version": None}
