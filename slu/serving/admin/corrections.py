"""Corrections for whoever reviews them: page by page, the surest mistakes first, each with its sound."""

import io
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.sql.elements import ColumnElement

from slu.common.errors import UserError
from slu.feedback import FEEDBACK, FOLDER, FeedbackStore, Row
from slu.feedback.export import write_rows
from slu.feedback.schema import NEW, USED
from slu.feedback.showing import sound
from slu.serving.admin.asking import database_of
from slu.serving.admin.jobs import Jobs
from slu.serving.settings import ServeSettings

State = Literal["undecided", "all", "new", "accepted", "rejected", "used", "erased"]
_TABLE = FEEDBACK.c
_KINDS = {
    "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "webm": "audio/webm", "mp3": "audio/mpeg",
    "aac": "audio/aac", "m4a": "audio/mp4",
}  # fmt: skip
_MOST_ID = 2**31 - 1


class Review(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ids: list[int] = Field(min_length=1, max_length=500)


def add_corrections(page: FastAPI, jobs: Jobs, settings: ServeSettings, store: FeedbackStore | None) -> None:
    def known() -> FeedbackStore:
        if store is None:
            raise HTTPException(404, "this server takes no corrections: it was started with feedback=none")
        return store

    @page.get("/api/corrections")
    def listed(
        state: State = "undecided",
        number: int = Query(1, alias="page", ge=1, le=10**6),
        size: int = Query(20, ge=1, le=100),
    ) -> dict[str, Any]:
        rows = known().queue(*_condition(state))
        some = rows[(number - 1) * size : number * size]
        return {
            "total": len(rows),
            "page": number,
            "pages": max(1, -(-len(rows) // size)),
            "states": dict(Counter(row.state for row in known().rows())),
            "rows": [_told(row, known()) for row in some],
        }

    @page.post("/api/corrections/accept")
    def accept(asked: Review) -> dict[str, Any]:
        return _decided(known(), known().accept, asked.ids)

    @page.post("/api/corrections/reject")
    def reject(asked: Review) -> dict[str, Any]:
        return _decided(known(), known().reject, asked.ids)

    @page.get("/api/corrections/{number}/audio")
    def listen(number: int) -> FileResponse:
        """By its number alone: what is served is a file that the store has put into its own folder."""
        rows = known().rows(_TABLE.id == number) if 0 < number <= _MOST_ID else []
        folder = (known().outputs / FOLDER).resolve()
        path = (known().outputs / rows[0].audio_path).resolve() if rows and rows[0].audio_path else None
        if path is None or path.parent != folder or not path.is_file():
            raise HTTPException(404, "there is no recording of this correction")
        kind = _KINDS.get(path.suffix.removeprefix("."), "application/octet-stream")
        return FileResponse(path, media_type=kind)

    @page.get("/api/corrections.csv")
    def export(state: State = "all") -> Response:
        """As `python -m slu.feedback export`; the paths of recordings start at the outputs."""
        file = io.StringIO(newline="")
        write_rows(file, known().rows(*_condition(state)), known().outputs, known().outputs)
        name = f"corrections-{time.strftime('%Y-%m-%d')}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    @page.post("/api/check", status_code=202)
    def check() -> dict[str, Any]:
        """Measuring recordings needs a decoder, which the process that speaks HTTP does without."""
        known()
        told = ["check", f"outputs={settings.outputs}"]  # no command of Hydra's: nothing is quoted
        return jobs.start("check", "slu.feedback", told, place="work", environment=database_of(settings)).to_json()


def _condition(state: State) -> tuple[ColumnElement[bool], ...]:
    """`undecided` is what `python -m slu.feedback review` asks about."""
    if state == "undecided":
        return _TABLE.state.in_([NEW, USED]), _TABLE.reviewed_at.is_(None)
    return () if state == "all" else (_TABLE.state == state,)


def _decided(store: FeedbackStore, decide: Callable[[Collection[int]], None], ids: list[int]) -> dict[str, Any]:
    if any(not 0 < one <= _MOST_ID for one in ids):
        raise HTTPException(404, "there is no such correction")
    try:
        decide(ids)
    except UserError as error:
        raise HTTPException(404 if str(error).startswith("there is no") else 409, str(error)) from None
    return {"rows": [_told(row, store) for row in store.rows(_TABLE.id.in_(ids))]}


def _told(row: Row, store: FeedbackStore) -> dict[str, Any]:
    names = ("id", "task", "model_version", "predicted", "actual", "changed", "confidences", "confidence", "reason",
             "flags", "comment", "state", "duration_s", "level_db", "snr_db", "client", "split", "used_in")  # fmt: skip
    known = sound(row, store.outputs)
    return {
        **{name: getattr(row, name) for name in names},
        "received": row.received.isoformat(),
        "reviewed": row.reviewed_at.isoformat() if row.reviewed_at else None,
        "disagreement": row.disagreement,
        "sound": known,
        "playable": bool(row.audio_path) and known != "gone",
    }
