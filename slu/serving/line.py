"""A line between the process that speaks HTTP and the worker, in place of LitServe's queues.

LitServe sends every request and answer through a third process and asks that one a thousand times a second whether
there is anything: 3 ms of CPU for each answer, and a sixth of a core for nothing. Here both ends share one Unix socket.
Nobody polls, an end that is gone is noticed at once, and a request whose client has gone is taken back.
"""

import asyncio
import os
import pickle
import shutil
import struct
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from litserve.loops.simple_loops import BatchedLoop
from litserve.transport.base import MessageTransport
from litserve.utils import LitAPIStatus, LoopResponseType, PickleableHTTPException

from slu.serving.job import Job

_HEADER = struct.Struct("!i")
"""Of a message, its length: as multiprocessing's connections write it."""
_LOOK_S = 0.02

Request = tuple[int, str, float, Job]
"""What LitServe puts into its queue: consumer, LitServe's own id, time, and what was asked."""


class Line(MessageTransport):  # type: ignore[misc]
    """Both the queue of requests and the transport of answers. Made before the other processes are; each of them has
    its own end."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="slu-serve-")  # nobody else may enter it, and so reach the socket
        self._near: _Near | None = None
        self._far: _Far | None = None

    @property
    def path(self) -> str:
        return str(Path(self.folder) / "line")

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_near": None, "_far": None}

    # In the process that speaks HTTP.

    def put(self, request: Request) -> None:
        self._end().ask(request)

    def abandon(self, request_id: str) -> str | None:
        """What nobody waits for any more: LitServe's own id of it, where it is unanswered."""
        return self._end().abandon(request_id)

    async def areceive(self, consumer_id: int, timeout: float | None = None) -> Any:
        return await self._end().receive(self.path)

    def _end(self) -> "_Near":
        self._near = self._near or _Near()
        return self._near

    # In the worker.

    def batch(self, most: int, wait_s: float) -> list[tuple[int, str, Job]]:
        self._far = self._far or _Far(_connect(self.path))
        return self._far.batch(most, wait_s)

    def send(self, item: Any, consumer_id: int) -> None:
        assert self._far is not None
        self._far.connection.send_bytes(pickle.dumps(item))

    # In the process that started both.

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class LineLoop(BatchedLoop):  # type: ignore[misc]
    """LitServe's loop over batches, which waits on the line."""

    def get_batch_requests(self, lit_api: Any, request_queue: Line, transport: Line) -> tuple[list[Any], list[Any]]:
        try:
            return request_queue.batch(lit_api.max_batch_size, lit_api.batch_timeout), []
        except (EOFError, OSError):  # without the process that asks there is nothing to do
            os._exit(0)


@dataclass
class _Near:
    """The end of the process that speaks HTTP, in its event loop."""

    received: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    writer: asyncio.StreamWriter | None = None
    """To the worker; none while there is no worker."""
    sent: dict[str, str] = field(default_factory=dict)
    """By LitServe's id the client's, of what the worker has and has not answered yet."""
    waiting: dict[str, Request] = field(default_factory=dict)
    """By LitServe's id, for the next worker."""
    server: asyncio.Server | None = None

    async def receive(self, path: str) -> Any:
        if self.server is None:
            self.server = await asyncio.start_unix_server(self._hear, path)
        return await self.received.get()

    def ask(self, request: Request) -> None:
        if self.writer is None:
            self.waiting[request[1]] = request
        else:
            self.sent[request[1]] = request[3].request_id
            self._write(request)

    def abandon(self, request_id: str) -> str | None:
        here = [*self.sent.items(), *((own, request[3].request_id) for own, request in self.waiting.items())]
        own = next((own for own, name in here if name == request_id), None)
        if own is not None and self.waiting.pop(own, None) is None:
            del self.sent[own]
            self._write(own)
        return own

    def _write(self, message: Any) -> None:
        assert self.writer is not None
        data = pickle.dumps(message, protocol=5)
        self.writer.write(_HEADER.pack(len(data)))
        self.writer.write(data)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        for request in list(self.waiting.values()):
            self.ask(request)
        self.waiting.clear()
        try:
            while True:
                (size,) = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                answer = pickle.loads(await reader.readexactly(size))
                self.sent.pop(answer[0], None)
                self.received.put_nowait(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._lost(writer)
        except asyncio.CancelledError:  # at the end of the loop
            writer.close()

    def _lost(self, writer: asyncio.StreamWriter) -> None:
        """The worker is gone, and with it what it had: its clients are told so, and need not wait."""
        if self.writer is writer:
            self.writer = None
        gone = PickleableHTTPException(503, "the recogniser had to be started again; ask once more")
        for own in self.sent:
            self.received.put_nowait((own, (gone, LitAPIStatus.ERROR, LoopResponseType.REGULAR, 0)))
        self.sent.clear()
        writer.close()


class _Far:
    """The worker's end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._jobs: dict[str, tuple[int, str, Job]] = {}

    def batch(self, most: int, wait_s: float) -> list[tuple[int, str, Job]]:
        """At least one; up to `most` that are there, or come within `wait_s` of the first."""
        while not self._jobs:
            self._read()
        end = time.monotonic() + wait_s
        while len(self._jobs) < most and self.connection.poll(max(0.0, end - time.monotonic())):
            self._read()
        while self.connection.poll():  # to hear of what was taken back in the meantime
            self._read()
        chosen = list(self._jobs)[:most]
        return [self._jobs.pop(own) for own in chosen] or self.batch(most, wait_s)

    def _read(self) -> None:
        message = pickle.loads(self.connection.recv_bytes())
        if isinstance(message, str):
            self._jobs.pop(message, None)
        else:
            consumer, own, _, job = message
            self._jobs[own] = (consumer, own, job)


def _connect(path: str) -> Connection:
    """The other process listens once it has started."""
    while True:
        try:
            return Client(path, "AF_UNIX")
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(_LOOK_S)
