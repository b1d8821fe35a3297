"""The server: LitServe's worker and queue, the guard before them, and the pages beside them."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.resources import files
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import litserve as ls
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.cors import CORSMiddleware

from slu import __version__
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.serving.api import speech_api
from slu.serving.feedback import Correction, FeedbackStore, Remembered, default_url, unknown_label
from slu.serving.guard import Guard
from slu.serving.job import job_reader
from slu.serving.metrics import CONTENT_TYPE, ServingMetrics
from slu.serving.settings import ServeSettings

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
_POLICY = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; frame-ancestors 'none'"

_TEXT = {"type": "string"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "audio"},
        "model": {**_TEXT, "description": "a version that GET /models lists"},
        "task": {**_TEXT, "description": "or a task: its recogniser answers"},
    },
}
_REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        str(status): {"description": text}
        for status, text in (
            (400, "the form cannot be read"), (404, "no such model or task"), (408, "the upload took too long"),
            (413, "the upload is too large"), (415, "the body is no audio"), (422, "no audio that can be used"),
            (503, "too busy; Retry-After says when to try again"), (504, "no answer in time"),
        )
    },
}  # fmt: skip


def find_bundles(settings: ServeSettings) -> list[Path]:
    """Folders of versions, not of aliases, which may move while the server runs.

    Raises UserError where there is none, or where the task asked for is not among them.
    """
    registry = Path(settings.outputs) / "registry"
    named = [Path(name) for name in settings.bundles] or sorted(registry.glob("*/latest"))
    if not named:
        raise UserError(f"there is no bundle in {registry}; train one with `python -m slu.train`")
    for folder in named:
        if not (folder / "spec.json").is_file():
            raise UserError(f"there is no bundle at {folder}; train one with `python -m slu.train`")
        if settings.runtime == "onnx" and not (folder / "model.onnx").is_file():
            raise UserError(f"the bundle {folder} cannot run on onnxruntime; serve it with runtime=torch")
    folders = [folder.resolve() for folder in named]
    tasks = [read_json(folder / "spec.json")["task"] for folder in folders]
    if settings.task and settings.task not in tasks:
        raise UserError(f"task={settings.task}: the bundles are for {', '.join(sorted(set(tasks)))}")
    return folders


def make_server(settings: ServeSettings) -> "SpeechServer":
    """Not yet running. Raises UserError as `find_bundles` does."""
    folders = find_bundles(settings)
    api = speech_api(job_reader(settings), folders, settings)
    models = [_described(folder) for folder in folders]
    remembered, metrics = Remembered(), ServingMetrics(models)
    guards: list[Any] = [(Guard, {"settings": settings, "remembered": remembered, "metrics": metrics})]
    if settings.cors:  # the last one stands outermost: a browser asks beforehand, and without the key
        allowed = {"allow_methods": ["GET", "POST"], "allow_headers": ["X-API-Key", "Content-Type"]}
        guards.append((CORSMiddleware, {"allow_origins": list(settings.cors), **allowed}))
    server = SpeechServer(
        api, accelerator="cpu", timeout=False, middlewares=guards, restart_workers=True, track_requests=False
    )
    _add_routes(server.app, models, metrics)
    if settings.feedback != "none":
        store = FeedbackStore(settings.feedback or default_url(Path(settings.outputs)))
        _add_feedback(server.app, store, remembered, {model["version"]: model["heads"] for model in models})
    return server


class SpeechServer(ls.LitServer):  # type: ignore[misc]
    """LitServe's, which ends when its HTTP process does, or the one that keeps its queues: a port that accepts and
    never answers helps nobody."""

    stopping = False
    """Asked to, or already at it."""
    lost = False
    """It ends because a process of it did."""

    def _start_server(self, *arguments: Any, **options: Any) -> Any:
        processes = super()._start_server(*arguments, **options)
        threading.Thread(target=self._watch, args=(list(processes.values()),), daemon=True).start()
        return processes

    def _watch(self, processes: Sequence[BaseProcess]) -> None:
        wait([process.sentinel for process in processes])
        if not self.stopping:
            self.lost = True
            os.kill(os.getpid(), signal.SIGTERM)

    def _perform_graceful_shutdown(self, *arguments: Any, **options: Any) -> None:
        self.lost, self.stopping = self.lost or not self.stopping, True
        super()._perform_graceful_shutdown(*arguments, **options)


def serve(settings: ServeSettings) -> None:
    """Until SIGTERM or SIGINT, after which what was begun is finished.

    Raises UserError as `find_bundles` does, where the port is taken, and when a process of it was killed: whoever
    supervises the server then starts it again.
    """
    server = make_server(settings)
    _require_port(settings)
    main = os.getpid()

    def stop(*_: Any) -> None:  # LitServe cleans up after Ctrl-C alone, and leaves orphans otherwise
        if os.getpid() != main:
            sys.exit(0)  # of a process that was forked from this one, and has finished what it was answering
        if not server.stopping:  # once: a second one would cut the end short
            server.stopping = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.run(
            host=settings.host, port=settings.port, generate_client_file=False, log_level="warning", num_api_servers=1
        )
    except (EOFError, OSError):  # of a connection to a process that is gone
        server.lost = True
    if server.lost:
        raise UserError("a process of the server ended unexpectedly; start it again")


def _require_port(settings: ServeSettings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((settings.host, settings.port))
        except OSError as error:
            raise UserError(f"port {settings.port} on {settings.host}: {error.strerror}; name another one") from None


def _add_routes(app: FastAPI, models: Sequence[Mapping[str, Any]], metrics: ServingMetrics) -> None:
    app.title, app.version = "slu", __version__
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/"]
    for route in app.router.routes:
        if (
            isinstance(route, APIRoute) and route.path == "/predict"
        ):  # a job is read by hand: FastAPI does not see of what
            route.summary, route.openapi_extra = "What is said in audio files", _REQUEST
    for path, (name, kind) in _PAGE.items():
        text = files("slu.serving").joinpath("page", name).read_text(encoding="utf-8")
        app.add_api_route(path, _static(text, kind), include_in_schema=False)

    @app.get("/models")
    def list_models() -> JSONResponse:
        """The recognisers that answer here: version, task, heads with their classes, and what was measured."""
        return JSONResponse(list(models))

    @app.get("/metrics")
    def count() -> Response:
        """For Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _add_feedback(
    app: FastAPI, store: FeedbackStore, remembered: Remembered, heads: Mapping[str, Mapping[str, list[str]]]
) -> None:
    @app.post("/feedback")
    def correct(correction: Correction) -> JSONResponse:
        """What an answer should have been: for training later on. It is stored when this says so."""
        answered = remembered.get(correction.request_id)
        if answered is None:
            raise HTTPException(404, "there is no such answer any more; ask again and correct the new one")
        if problem := unknown_label(correction.labels, heads[answered.model_version]):
            raise HTTPException(422, problem)
        try:
            store.add(correction, answered)
        except SQLAlchemyError:
            raise HTTPException(503, "the correction could not be stored; try again", {"Retry-After": "1"}) from None
        return JSONResponse({"stored": correction.request_id})


def _static(text: str, kind: str) -> Any:
    async def page() -> Response:
        return Response(
            text, media_type=kind, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        )

    return page


def _described(folder: Path) -> dict[str, Any]:
    spec, metrics = read_json(folder / "spec.json"), read_json(folder / "metrics.json")
    return {
        "version": folder.name,
        "task": spec["task"],
        "heads": {head["name"]: head["classes"] for head in spec["heads"]},
        "objective": metrics.get("objective"),
        "parameters": metrics.get("parameters"),
    }
