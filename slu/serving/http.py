"""How the server speaks HTTP: by httptools, which is fast, and reads headers for as long as somebody sends some."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST = 100_000
"""Bytes of a request beside its body: headers, and the lengths of the body's chunks."""


class BoundedHttp(HttpToolsProtocol):
    """Answers 400 and closes the connection where headers, or what follows a body, do not come to an end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._beside_body = 0

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
