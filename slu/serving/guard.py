"""What stands before the server: caps on bytes, time and number of requests, the key, and one log line per answer.

An ASGI application around another. A body is read whole before anything else is asked to wait for it, so that a client
that sends a byte a second holds nobody but itself.
"""

import asyncio
import hmac
import io
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slu.serving.admin import ADMIN
from slu.serving.facts import HEADER, told
from slu.serving.feedback import Remembered
from slu.serving.job import SEAT
from slu.serving.metrics import ServingMetrics
from slu.serving.rate_limit import OWN, OWN_HEADER, RateLimit, client_of
from slu.serving.request_log import RequestLog
from slu.serving.seats import Seats
from slu.serving.settings import ServeSettings

_OPEN = ("/", "/health", "/page.js", "/texts.js", "/draw.js", "/page.css")
"""Without a key."""
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_FACTS = HEADER.encode()
_SMALL = 100_000
"""Bytes of a correction, or of what the admin page asks for."""
_UPLOADS = 4
"""Requests that may be sending their bodies for each that may be answered at a time."""


class Guard:
    def __init__(
        self, app: ASGIApp, settings: ServeSettings, remembered: Remembered, metrics: ServingMetrics, seats: Seats
    ) -> None:
        self.app, self.settings, self.remembered, self.metrics, self.seats = app, settings, remembered, metrics, seats
        self.sending = 0
        self.log, self.limit = RequestLog(settings.log), RateLimit(settings.rate_limit_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.monotonic()

        def note(answer: "_Answer") -> None:
            if scope["path"] == "/predict":
                self._note(answer, time.monotonic() - start)

        answer = _Answer(send, note, gathers=scope["path"] == "/predict")
        try:
            await self._guarded(scope, receive, answer)
        except _GoneError:
            pass
        except Exception:  # becomes a 500 further out
            answer.status = answer.status or 500
            raise
        finally:
            answer.finish()

    def _note(self, answer: "_Answer", seconds: float) -> None:
        document = answer.document()
        heard = told(document, answer.facts)
        for one in heard.get("results", [heard]):
            self.remembered.add(one)
        self.metrics.add(answer.status, document, seconds)
        self.log.write(answer.status, heard, 1e3 * seconds)

    async def _guarded(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        headers = dict(scope["headers"])
        client = client_of(scope, trust_proxy=self.settings.trust_proxy)
        own = headers.get(OWN_HEADER.encode()) == OWN.encode()
        admin = self._is_admin(scope["path"])  # it has a door, a limit and a key of its own: slu.serving.admin
        if scope["method"] == "POST" and not own and not admin and (wait_s := self.limit.wait_s(client)):
            await answer.refuse(scope, receive, 429, "too many requests; try again later", wait_s)
            return
        if scope["path"] not in _OPEN and not admin and not self._has_key(headers):
            await answer.refuse(scope, receive, 401, "an API key is needed: send it in the header X-API-Key")
            return
        if scope["method"] != "POST":
            await self.app(scope, receive, answer)
            return
        room = _SMALL if admin or scope["path"] == "/feedback" else self.settings.max_upload_bytes
        too_large = f"the upload is larger than {room / 1e6:g} MB"
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > room:
            await answer.refuse(scope, receive, 413, too_large)
            return
        if not admin and self.sending >= _UPLOADS * self.settings.max_in_flight:
            await answer.refuse(scope, receive, 503, "too many uploads at once; try again in a moment")
            return
        sending = 0 if admin else 1  # whoever has to act is not kept out, and sends little
        self.sending += sending
        try:
            body = await asyncio.wait_for(_body(receive, room), self.settings.upload_s)
        except TimeoutError:
            await answer.refuse(scope, receive, 408, "the upload took too long")
            return
        finally:
            self.sending -= sending
        if body is None:
            await answer.refuse(scope, receive, 413, too_large)
            return
        if admin:  # whoever wants to roll back wants to above all when all seats are taken
            await self.app(scope, _replay(body), answer)
            return
        await self._answered(scope, receive, answer, body)

    async def _answered(self, scope: Scope, receive: Receive, answer: "_Answer", body: bytes) -> None:
        seat = self.seats.take()
        if seat is None:
            await answer.refuse(scope, receive, 503, "too busy; try again in a moment")
            return
        work = asyncio.ensure_future(self.app({**scope, SEAT: seat}, _replay(body), answer))
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({work, gone}, timeout=self.settings.deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
            elif not gone.done() and not answer.begun:
                await answer.refuse(scope, receive, 504, f"no answer within {self.settings.deadline_s:g} s")
        finally:
            work.cancel()
            gone.cancel()
            self.seats.leave(seat)

    def _is_admin(self, path: str) -> bool:
        return bool(self.settings.admin_password) and (path == ADMIN or path.startswith(f"{ADMIN}/"))

    def _has_key(self, headers: Mapping[bytes, bytes]) -> bool:
        if not self.settings.api_key:
            return True
        return hmac.compare_digest(headers.get(b"x-api-key", b""), self.settings.api_key.encode())


class _GoneError(Exception):
    """The client has left."""


async def _body(receive: Receive, room: int) -> bytes | None:
    """None where it is larger than that."""
    body = io.BytesIO()  # gives its bytes away without a second copy of them
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body.write(message.get("body", b""))
        if body.tell() > room:
            return None
        if not message.get("more_body", False):
            return body.getvalue()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _replay(body: bytes) -> Receive:
    """The body that was read, once; whoever asks on waits, as for a client that says no more."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class _Answer:
    """`send`, with headers for safety; remembers the status and what was answered.

    `note` is called once, before the last byte is sent: whoever has an answer can correct it at once.
    """

    def __init__(self, send: Send, note: Callable[["_Answer"], None], *, gathers: bool) -> None:
        self.gathers = gathers  # a stream that never ends is not kept
        self.send, self.note, self.status, self.body, self.finished = send, note, 0, b"", False
        self.facts: list[dict[str, Any]] = []

    def finish(self) -> None:
        """Also of a client that has left before it was answered: 499, as others call it."""
        if not self.finished:
            self.finished = True
            self.status = self.status or 499
            self.note(self)

    @property
    def begun(self) -> bool:
        return self.status > 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status == 503 and not any(name == b"retry-after" for name, _ in message.get("headers", [])):
                message = {**message, "headers": [*message.get("headers", []), (b"retry-after", b"1")]}
            headers = list(message.get("headers", []))
            self.facts = next((json.loads(value) for name, value in headers if name == _FACTS), [])
            kept = [(name, value) for name, value in headers if name != _FACTS]
            message = {**message, "headers": [*kept, *_HEADERS]}
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"") if self.gathers else b""
            if not message.get("more_body", False):
                self.finish()
        await self.send(message)

    def document(self) -> dict[str, Any]:
        """The JSON object that was answered; empty for anything else."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    async def refuse(self, scope: Scope, receive: Receive, status: int, detail: str, wait_s: int = 1) -> None:
        headers = {"Retry-After": str(wait_s)} if status in (429, 503) else {}
        if status in (408, 413):
            headers["Connection"] = "close"  # the rest of the body is not waited for
        await JSONResponse({"detail": detail}, status, headers)(scope, receive, self)
