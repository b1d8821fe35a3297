"""What is there beside /predict: the page, the recognisers, the counters, and corrections."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from slu import __version__
from slu.common.files import read_json
from slu.common.problems import problem
from slu.feedback import Correction, FeedbackStore, unknown_label
from slu.feedback.database import reason_of
from slu.serving import document
from slu.serving.feedback import Losses, Remembered
from slu.serving.kept_audio import KeptAudio
from slu.serving.metrics import CONTENT_TYPE, FAILED, STORED, ServingMetrics
from slu.serving.models import Board

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/texts.js": ("texts.js", "text/javascript"),
    "/draw.js": ("draw.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
_POLICY = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; frame-ancestors 'none'"


def add_routes(app: FastAPI, board: Board, metrics: ServingMetrics, keep_days: float | None = None) -> None:
    """`keep_days` of the recordings of corrections, which the page says; none: they are not kept."""
    app.title, app.version = "slu", __version__
    app.add_exception_handler(RequestValidationError, unusable)
    stock = {route.path: route for route in app.router.routes if isinstance(route, APIRoute)}
    stock["/predict"].summary, stock["/predict"].openapi_extra = "What is said in audio files", document.PREDICT
    stock["/info"].include_in_schema = False
    app.router.routes[:] = [route for route in app.router.routes if route not in (stock["/"], stock["/health"])]
    for path, (name, kind) in _PAGE.items():
        text = files("slu.serving").joinpath("page", name).read_text(encoding="utf-8")
        if keep_days:
            text = text.replace('data-keep-days=""', f'data-keep-days="{keep_days:g}"')
        app.add_api_route(path, static(text, kind), include_in_schema=False)

    @app.get("/health", response_class=PlainTextResponse, responses=document.HEALTH)
    async def health(request: Request) -> Response:
        """Whether the recognisers are loaded."""
        said = await stock["/health"].endpoint(request)
        return PlainTextResponse(said.body, said.status_code)

    @app.get("/models", responses=document.MODELS)
    def list_models() -> JSONResponse:
        """The recognisers that answer here: version, task, heads with their classes, and what was measured."""
        live = board.read()
        refused = [{"version": version, "refused": reason} for version, reason in live.refused.values()]
        return JSONResponse([*map(_described, live.folders()), *refused])

    @app.get("/metrics", response_class=PlainTextResponse, responses=document.METRICS)
    def count() -> Response:
        """For Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    for route in [route for route in app.router.routes if isinstance(route, APIRoute) and route.methods == {"GET"}]:
        # Watchers ask so whether a server is there. uvicorn leaves the body out.
        app.add_api_route(route.path, route.endpoint, methods=["HEAD"], include_in_schema=False)


def add_feedback(
    app: FastAPI,
    store: FeedbackStore,
    remembered: Remembered,
    audio: KeptAudio,
    homes: Sequence[Path],
    client: Callable[[Scope], str | None],
    metrics: ServingMetrics,
) -> None:
    """`homes` are the folders with the versions that may have answered; `client` is the hash of who asks."""
    losses = Losses(store.name)

    @app.post("/feedback", responses=document.FEEDBACK)
    def correct(correction: Correction, request: Request) -> JSONResponse:
        """What an answer should have been: for training later on, once somebody has reviewed it. It is stored when this
        says so, with a keyed hash of the sender's address in place of the address."""
        answered = remembered.get(correction.request_id)
        if answered is None:
            raise HTTPException(404, "there is no such answer any more; ask again and correct the new one")
        folders = [home / answered.model_version for home in homes]
        model = next((_described(folder) for folder in folders if folder.is_dir()), {})
        if "heads" not in model:
            raise HTTPException(404, "the model that answered is gone from the registry; ask again")
        if problem := unknown_label(correction.labels, model["heads"]):
            raise HTTPException(422, problem)
        try:
            kept = audio.store(correction.request_id)
            store.add(correction, replace(answered, task=model["task"]), kept, client(request.scope))
        except (SQLAlchemyError, OSError) as error:
            losses.tell(reason_of(error))
            metrics.corrections.labels(FAILED).inc()
            raise HTTPException(503, "the correction could not be stored; try again", {"Retry-After": "1"}) from None
        metrics.corrections.labels(STORED).inc()
        return JSONResponse({"stored": correction.request_id})


async def unusable(_: Request, error: Exception) -> JSONResponse:
    """In a sentence, without what was sent: that may hold what JSON cannot, as NaN."""
    problems = error.errors()[:3] if isinstance(error, RequestValidationError) else []
    told = "; ".join(f"{'.'.join(str(part)[:50] for part in one['loc'])}: {_told(one)}" for one in problems)
    return JSONResponse({"detail": told.encode("ascii", "backslashreplace").decode()}, 422)


def _told(one: Mapping[str, Any]) -> str:
    """A label such as 3 is text, too."""
    number = isinstance(one.get("input"), int | float) and not isinstance(one["input"], bool)
    return (problem(one) if number and one["type"] == "string_type" else None) or str(one["msg"])


def static(text: str, kind: str) -> Any:
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
