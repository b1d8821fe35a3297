"""The application at /admin: the page's files, the way in and out, and below /admin/api what the page shows and does.

It is one of its own, so that nothing of it stands in /openapi.json, and so that the door stands before all of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from slu.common.errors import UserError
from slu.feedback import FeedbackStore
from slu.serving.admin import ADMIN
from slu.serving.admin.corrections import add_corrections
from slu.serving.admin.door import Door
from slu.serving.admin.jobs import Jobs, Place
from slu.serving.admin.reports import add_monitor, add_retrain
from slu.serving.admin.system import add_system
from slu.serving.admin.versions import add_versions
from slu.serving.metrics import ServingMetrics
from slu.serving.models import Board
from slu.serving.routes import static, unusable
from slu.serving.settings import ServeSettings

_FILES = {"admin.css": "text/css"} | dict.fromkeys(
    ("texts.js", "parts.js", "versions.js", "corrections.js", "drift.js", "learning.js", "admin.js"), "text/javascript"
)


class Login(BaseModel):
    model_config = ConfigDict(extra="forbid")
    password: str = Field(max_length=1000)


class Stop(BaseModel):
    model_config = ConfigDict(extra="forbid")
    place: Place


@dataclass(frozen=True)
class Server:
    """What of the server the page speaks of."""

    settings: ServeSettings
    board: Board
    metrics: ServingMetrics
    store: FeedbackStore | None
    workers: Callable[[], Mapping[str, str]]
    """Name of a worker -> starting, ready, …"""


def add_admin(app: FastAPI, server: Server) -> None:
    """At /admin, where the settings have a password."""
    page, jobs = FastAPI(docs_url=None, redoc_url=None, openapi_url=None), Jobs()
    for error, answered in _ANSWERED.items():
        page.add_exception_handler(error, answered)
    index = static(_text("index.html"), "text/html")
    page.add_api_route("/", index)
    for name, kind in _FILES.items():
        page.add_api_route(f"/{name}", static(_text(name), kind))
    opened = {f"{ADMIN}/{name}" for name in ("", "login", "logout", "session", *_FILES)}
    door = Door(page, server.settings.admin_password or "", opened, trust_proxy=server.settings.trust_proxy)
    _add_door(page, door)
    _add_jobs(page, jobs)
    add_versions(page, jobs, server.settings, server.board)
    add_corrections(page, jobs, server.settings, server.store)
    add_monitor(page, jobs, server.settings)
    add_retrain(page, jobs, server.settings, server.store)
    add_system(page, server.settings, server.metrics, server.workers)
    app.add_api_route(ADMIN, index, include_in_schema=False)
    app.mount(ADMIN, door)


def _text(name: str) -> str:
    return files("slu.serving.admin").joinpath("page", name).read_text(encoding="utf-8")


def _add_door(page: FastAPI, door: Door) -> None:
    """Not in threads: what the door knows is changed by the event loop alone."""

    @page.get("/session")
    async def session(request: Request) -> dict[str, bool]:
        return {"open": door.is_in(request)}

    @page.post("/login")
    async def log_in(login: Login, request: Request) -> Response:
        return door.tried(request, login.password) or door.let_in(request, JSONResponse({"open": True}))

    @page.post("/logout")
    async def log_out(request: Request) -> Response:
        return door.let_out(request, JSONResponse({"open": False}))


def _add_jobs(page: FastAPI, jobs: Jobs) -> None:
    @page.get("/api/jobs")
    def running() -> dict[str, Any]:
        return jobs.to_json()

    @page.post("/api/stop")
    def stop(asked: Stop) -> dict[str, str]:
        jobs.stop(asked.place)
        return {"stopping": asked.place}


async def _cannot_be(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


async def _no_database(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the database of corrections failed; nothing was changed"}, 503)


_ANSWERED: dict[type[Exception], Any] = {
    RequestValidationError: unusable,
    UserError: _cannot_be,
    SQLAlchemyError: _no_database,
}
