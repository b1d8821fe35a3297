"""How the server speaks HTTP: by httptools, which is fast, and reads headers for as long as somebody sends some.

It waits for them for as long as a connection is open, too: a thousand clients that never end theirs would be all that
the server can hold (slowloris). Bodies have a deadline of their own, `upload_s`.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST = 100_000
"""Bytes of a request beside its body: headers, and the lengths of the body's chunks."""


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 and closes the connection where headers, or what follows a body, do not come to an end."""

    headers_s = 10.0
    """From the first byte of a request, or from the connection's start, to the end of the headers."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._beside_body = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._expect_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._headers_came()
        super().on_headers_complete()

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(self.headers_s, self._give_up)

    def _headers_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        transport: asyncio.Transport = self.transport
        if transport.is_closing():
            return
        if self._beside_body:
            self.send_400_response("The headers did not come in time.")
        else:  # nothing was asked: as a browser connects beforehand
            transport.close()

    def data_received(self, data: bytes) -> None:
        self._beside_body += len(data)  # until it turns out what is body
        super().data_received(data)
        transport: asyncio.Transport = self.transport
        if self._beside_body > _MOST and not transport.is_closing():
            self.send_400_response("The headers are too long.")

    def on_body(self, body: bytes) -> None:
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside_body = 0
        super().on_message_complete()
