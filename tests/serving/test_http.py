"""How long a connection may take, and how much it may send, before it has asked for anything."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from slu.serving.http import BoundedHttp

SLOW = b"GET / HTTP/1.1\r\nHost: here\r\nX: "
WHOLE = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Hurried(BoundedHttp):
    headers_s = 0.3


async def slept(request: Request) -> PlainTextResponse:
    """Longer than headers may take: an answer has a deadline of its own."""
    await asyncio.sleep(0.6)
    return PlainTextResponse("well\n")


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", slept)])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, http=Hurried, log_level="error"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def answers(port: int, *parts: bytes, pause_s: float = 0.0) -> list[bytes]:
    """The first line of every answer to `parts`, sent one after the other, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
    with contextlib.suppress(ConnectionError):
        async for line in reader:
            if line.startswith(b"HTTP/"):
                found.append(line.split(b" ")[1])
    writer.close()
    return found


async def hold_and_ask() -> list[list[bytes]]:
    async with serving() as port, asyncio.timeout(20):
        return list(
            await asyncio.gather(
                answers(port),  # says nothing
                answers(port, SLOW, b"x", pause_s=0.1),  # never ends its headers
                answers(port, WHOLE, SLOW, pause_s=0.8),  # nor those of its second request
                answers(port, WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
            )
        )


def test_headers_have_a_deadline_and_answers_another() -> None:
    assert asyncio.run(hold_and_ask()) == [[], [b"400"], [b"200", b"400"], [b"200"]]
