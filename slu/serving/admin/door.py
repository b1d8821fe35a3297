"""Who may come in: by the password, which gives a session, or with the same secret in the header X-Admin-Key.

A session is a random token in a cookie that no script reads and no other site sends; the server knows its hash until
it is logged out, or half a day is over. Whatever changes something has to be sent as JSON, which a page of another site
cannot do unasked. Who guesses is slowed down by address.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slu.serving.admin import ADMIN
from slu.serving.rate_limit import RateLimit, client_of

COOKIE, HEADER = "slu_admin", "x-admin-key"
_LASTS_S = 12 * 3600
_SESSIONS = 100
_WRONG_PER_MINUTE = 10


class Sessions:
    """Of one process that speaks HTTP; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._ends: OrderedDict[str, float] = OrderedDict()

    def open(self) -> str:
        """A new token; with too many, the oldest session ends."""
        token = secrets.token_urlsafe(32)
        self._ends[_digest(token)] = self.clock() + _LASTS_S
        if len(self._ends) > _SESSIONS:
            self._ends.popitem(last=False)
        return token

    def knows(self, token: str) -> bool:
        return self._ends.get(_digest(token), 0.0) > self.clock()

    def close(self, token: str) -> None:
        self._ends.pop(_digest(token), None)


class Door:
    """An ASGI application around that of the page. `open` are the paths for everybody: they say nothing of the shop."""

    def __init__(self, app: ASGIApp, password: str, open: Collection[str], *, trust_proxy: bool) -> None:
        self.app, self.open, self.trust_proxy = app, open, trust_proxy
        self.sessions, self.limit = Sessions(), RateLimit(_WRONG_PER_MINUTE)
        self._password = _digest(password)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        answer = self._refused(request) or self.app
        await answer(scope, receive, send if scope["path"] in self.open else _unkept(send))

    def _refused(self, request: Request) -> Response | None:
        if request.method == "POST" and not request.headers.get("content-type", "").startswith("application/json"):
            return _told(415, "send it as application/json: a page of another site cannot do that unasked")
        if request.method not in ("GET", "HEAD", "POST"):
            return _told(405, "only GET and POST are known here")
        if request.scope["path"] in self.open:
            return None
        if HEADER in request.headers:
            return self.tried(request, request.headers[HEADER].encode("latin-1").decode("utf-8", "replace"))
        return None if self.is_in(request) else _told(401, "log in at /admin, or send the password as X-Admin-Key")

    def tried(self, request: Request, password: str) -> Response | None:
        """None for the password; else 401, and 429 for who has been wrong too often, whatever they say now."""
        client = client_of(request.scope, trust_proxy=self.trust_proxy)
        if wait_s := self.limit.wait_s(client):
            return _told(429, f"too many wrong passwords; try again in {wait_s} s", {"Retry-After": str(wait_s)})
        if not hmac.compare_digest(_digest(password), self._password):
            return _told(401, "the password is wrong")
        self.limit.give_back(client)
        return None

    def is_in(self, request: Request) -> bool:
        return self.sessions.knows(request.cookies.get(COOKIE, ""))

    def let_in(self, request: Request, response: Response) -> Response:
        forwarded = request.headers.get("x-forwarded-proto", "") if self.trust_proxy else ""
        response.set_cookie(
            COOKIE, self.sessions.open(), max_age=_LASTS_S, path=ADMIN, httponly=True, samesite="strict",
            secure="https" in (request.url.scheme, forwarded),
        )  # fmt: skip
        return response

    def let_out(self, request: Request, response: Response) -> Response:
        self.sessions.close(request.cookies.get(COOKIE, ""))
        response.delete_cookie(COOKIE, path=ADMIN, httponly=True, samesite="strict")
        return response


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _unkept(send: Send) -> Send:
    """What is said of the shop stays in no cache."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (b"cache-control", b"no-store")]}
        await send(message)

    return sending


def _told(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)
