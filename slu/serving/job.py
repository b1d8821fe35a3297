"""From a request to what a worker is given: the bytes of files, and which recogniser is asked.

Multipart (`file`, once or several times; `model`, `task`), or the audio itself as the body.
"""

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

from slu.serving.seats import Seat
from slu.serving.settings import ServeSettings

AUDIO_TYPES = (
    "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/flac", "audio/x-flac", "audio/mpeg", "audio/mp3",
    "audio/ogg", "audio/opus", "audio/webm", "video/webm", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac",
    "application/ogg", "application/octet-stream",
)  # fmt: skip
"""Of a body that is audio itself; curl says application/x-www-form-urlencoded of whatever it sends."""
_FORM = "application/x-www-form-urlencoded"
SEAT = "slu.seat"
"""Where the guard says in the scope of a request which seat it has."""


@dataclass(frozen=True)
class Job:
    """Goes to the worker by way of a slu.serving.line."""

    files: tuple[bytes, ...] = field(repr=False)
    """LitServe makes a text of each job for a log that is not kept: four characters for a byte."""
    model: str
    """Version of a bundle, or empty."""
    task: str
    many: bool
    """The answer is a list."""
    seat: Seat
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    received: float = field(default_factory=time.monotonic)

    @property
    def file_ids(self) -> list[str]:
        """By which the answer to each file can be corrected."""
        return [f"{self.request_id}.{place}" for place in range(len(self.files))] if self.many else [self.request_id]


def job_reader(settings: ServeSettings, hold: Callable[[Job], None]) -> Callable[[Request], Awaitable[Job]]:
    """The dependency of `POST /predict`; `hold` is shown every job.

    Its HTTPExceptions are 4xx, each with a sentence.
    """

    async def read_job(request: Request) -> Job:
        job = await parsed(request)
        hold(job)
        return job

    async def parsed(request: Request) -> Job:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        asked = {name: request.query_params.get(name, "") for name in ("model", "task")}
        if kind != "multipart/form-data":
            if kind and kind != _FORM and kind not in AUDIO_TYPES:
                raise HTTPException(
                    415, f"a body of type {kind[:60]!r} is no audio; send a file as multipart or as it is"
                )
            return _job(request, [await request.body()], asked, many=False)
        try:
            async with request.form(max_files=settings.max_files, max_fields=8) as form:
                uploads = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
                asked |= {name: value for name in asked if isinstance(value := form.get(name), str)}
                return _job(request, [await upload.read() for upload in uploads], asked, many=len(uploads) > 1)
        except (LookupError, UnicodeError):  # of the charset that the form names; what else is wrong is a 400 already
            raise HTTPException(400, "the form cannot be read") from None

    return read_job


def _job(request: Request, files: list[bytes], asked: dict[str, Any], *, many: bool) -> Job:
    if not files:
        raise HTTPException(422, "there is no file: send audio in the field 'file'")
    if not all(files):
        raise HTTPException(422, "the file is empty")
    if any(len(value) > 100 for value in asked.values()):
        raise HTTPException(422, "model and task are short names; GET /models lists them")
    return Job(tuple(files), asked["model"], asked["task"], many, request.scope[SEAT])
