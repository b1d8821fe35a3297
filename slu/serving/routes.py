"""What is there beside /predict: the page, the recognisers, the counters, and corrections."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError

from slu import __version__
from slu.common.files import read_json
from slu.serving.feedback import Correction, FeedbackStore, Remembered, unknown_label
from slu.serving.kept_audio import KeptAudio
from slu.serving.metrics import CONTENT_TYPE, ServingMetrics
from slu.serving.models import Board

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/texts.js": ("texts.js", "text/javascript"),
    "/draw.js": ("draw.js", "text/javascript"),
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
            (429, "too many requests of this client; Retry-After says when to try again"),
            (503, "too busy; Retry-After says when to try again"), (504, "no answer in time"),
        )
    },
}  # fmt: skip


def add_routes(app: FastAPI, board: Board, metrics: ServingMetrics, keep_days: float | None = None) -> None:
    """`keep_days` of the recordings of corrections, which the page says; none: they are not kept."""
    app.title, app.version = "slu", __version__
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/"]
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.path == "/predict":  # read by hand: FastAPI does not see of what
            route.summary, route.openapi_extra = "What is said in audio files", _REQUEST
    for path, (name, kind) in _PAGE.items():
        text = files("slu.serving").joinpath("page", name).read_text(encoding="utf-8")
        if keep_days:
            text = text.replace('data-keep-days=""', f'data-keep-days="{keep_days:g}"')
        app.add_api_route(path, _static(text, kind), include_in_schema=False)

    @app.get("/models")
    def list_models() -> JSONResponse:
        """The recognisers that answer here: version, task, heads with their classes, and what was measured."""
        live = board.read()
        refused = [{"version": version, "refused": reason} for version, reason in live.refused.values()]
        return JSONResponse([*map(_described, live.folders()), *refused])

    @app.get("/metrics")
    def count() -> Response:
        """For Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def add_feedback(
    app: FastAPI, store: FeedbackStore, remembered: Remembered, audio: KeptAudio, homes: Sequence[Path]
) -> None:
    """`homes` are the folders with the versions that may have answered."""

    @app.post("/feedback")
    def correct(correction: Correction) -> JSONResponse:
        """What an answer should have been: for training later on. It is stored when this says so."""
        answered = remembered.get(correction.request_id)
        if answered is None:
            raise HTTPException(404, "there is no such answer any more; ask again and correct the new one")
        folders = [home / answered.model_version for home in homes]
        heads = next((_described(folder).get("heads") for folder in folders if folder.is_dir()), None)
        if heads is None:
            raise HTTPException(404, "the model that answered is gone from the registry; ask again")
        if problem := unknown_label(correction.labels, heads):
            raise HTTPException(422, problem)
        try:
            store.add(correction, answered, audio.store(correction.request_id))
        except (SQLAlchemyError, OSError):
            raise HTTPException(503, "the correction could not be stored; try again", {"Retry-After": "1"}) from None
        return JSONResponse({"stored": correction.request_id})


def _static(text: str, kind: str) -> Any:
    async def page() -> Response:
        return Response(
            text, media_type=kind, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        )

    return page


def _described(folder: Path) -> dict[str, Any]:
    try:
        spec, metrics = read_json(folder / "spec.json"), read_json(folder / "metrics.json")
    except (OSError, ValueError):  # it answers from memory, but somebody has taken its folder away
        return {"version": folder.name, "missing": "its folder cannot be read any more"}
    return {
        "version": folder.name,
        "task": spec["task"],
        "heads": {head["name"]: head["classes"] for head in spec["heads"]},
        "objective": metrics.get("objective"),
        "parameters": metrics.get("parameters"),
    }
