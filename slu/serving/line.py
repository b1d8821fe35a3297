"""A line between the process that speaks HTTP and the worker, in place of LitServe's queues.

LitServe sends every request and answer through a third process and asks that one a thousand times a second whether
there is anything: 3 ms of CPU for each answer, and a sixth of a core for nothing. Here both ends share one Unix socket.
Nobody polls, and an end that is gone is noticed at once.
"""

import asyncio
import logging
import os
import pickle
import shutil
import struct
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from litserve.loops.base import LitLoop
from litserve.transport.base import MessageTransport
from litserve.utils import LitAPIStatus, LoopResponseType, PickleableHTTPException

from slu.common.errors import UserError
from slu.serving.job import Job
from slu.serving.seats import Seats

_HEADER = struct.Struct("!i")
"""Of a message, its length: as multiprocessing's connections write it."""
_LOG = logging.getLogger(__name__)
_LOOK_S = 0.02
_LONGEST_PATH = 100
"""Bytes of the name of a Unix socket, on every system."""

Request = tuple[int, str, float, Job]
"""What LitServe puts into its queue: consumer, LitServe's own id, time, and what was asked."""


class Line(MessageTransport):  # type: ignore[misc]
    """Both the queue of requests and the transport of answers. Made before the other processes are; each of them has
    its own end."""

    def __init__(self, seats: Seats, ahead: int) -> None:
        """`ahead` requests at most are with the worker; the others wait where it can be seen that nobody waits for
        them any more."""
        self.seats, self.ahead, self.path = seats, ahead, ""
        self._near: _Near | None = None
        self._far: _Far | None = None

    def open(self) -> None:
        """Raises UserError where there is no place for a socket."""
        folder = tempfile.mkdtemp(prefix="slu-serve-")  # nobody else may enter it, and so reach the socket
        self.path = str(Path(folder) / "line")
        if len(os.fsencode(self.path)) > _LONGEST_PATH:
            self.remove()
            raise UserError(f"the temporary folder {folder} has too long a name for a socket; set TMPDIR to another")

    def remove(self) -> None:
        if self.path:
            shutil.rmtree(Path(self.path).parent, ignore_errors=True)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "seats": None, "_near": None, "_far": None}  # a worker needs none of these

    # In the process that speaks HTTP.

    def put(self, request: Request) -> None:
        self._end().ask(request)

    async def areceive(self, consumer_id: int, timeout: float | None = None) -> Any:
        return await self._end().receive(self.path)

    def _end(self) -> "_Near":
        self._near = self._near or _Near(self.seats, self.ahead)
        return self._near

    # In the worker.

    def batch(self, most: int, wait_s: float) -> list[tuple[int, str, Job]]:
        self._far = self._far or _Far(_connect(self.path))
        return self._far.batch(most, wait_s)

    def send(self, item: Any, consumer_id: int) -> None:
        assert self._far is not None
        self._far.connection.send_bytes(pickle.dumps(item))


class LineLoop(LitLoop):  # type: ignore[misc]
    """Batches as they come in over the line. LitServe's own loop looks up the signature of every function that it
    calls, for each request anew."""

    def __call__(self, lit_api: Any, device: str, worker_id: int, line: Line, *_: Any) -> None:
        while True:
            try:
                batch = line.batch(lit_api.max_batch_size, lit_api.batch_timeout)
                for (consumer, own, _job), answer in zip(batch, _answers(lit_api, batch), strict=True):
                    line.send((own, (*answer, LoopResponseType.REGULAR, worker_id)), consumer)
            except (EOFError, OSError):  # without the process that asks there is nothing to do
                os._exit(0)


def _answers(lit_api: Any, batch: list[tuple[int, str, Job]]) -> list[tuple[Any, LitAPIStatus]]:
    try:
        outputs = lit_api.predict([lit_api.decode_request(job) for _, _, job in batch])
        return [(lit_api.encode_response(output), LitAPIStatus.OK) for output in outputs]
    except Exception:  # errors are values: this one was thought of by nobody
        _LOG.exception("a batch of %d failed", len(batch))
        return [(PickleableHTTPException(500, "the recogniser failed"), LitAPIStatus.ERROR)] * len(batch)


@dataclass
class _Near:
    """The end of the process that speaks HTTP, in its event loop."""

    seats: Seats
    ahead: int
    waiting: deque[Request] = field(default_factory=deque)
    sent: set[str] = field(default_factory=set)
    """LitServe's ids of what the worker has, and has not answered yet."""
    received: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    writer: asyncio.StreamWriter | None = None
    """To the worker; none while there is no worker."""
    server: asyncio.Server | None = None

    async def receive(self, path: str) -> Any:
        if self.server is None:
            self.server = await asyncio.start_unix_server(self._hear, path)
        return await self.received.get()

    def ask(self, request: Request) -> None:
        if len(self.waiting) >= self.seats.count:  # more than have a seat: some of them have been given up
            self.waiting = deque(one for one in self.waiting if not self.seats.abandoned(one[3].seat))
        self.waiting.append(request)
        self._go_on()

    def _go_on(self) -> None:
        """Give the worker what it is to have; not one that is lost, but not yet heard of."""
        while self.waiting and len(self.sent) < self.ahead and self.writer and not self.writer.is_closing():
            request = self.waiting.popleft()
            if self.seats.abandoned(request[3].seat):
                continue
            self.sent.add(request[1])
            data = pickle.dumps(request, protocol=5)
            self.writer.write(_HEADER.pack(len(data)))
            self.writer.write(data)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._go_on()
        try:
            while True:
                (size,) = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                answer = pickle.loads(await reader.readexactly(size))
                self.sent.discard(answer[0])
                self.received.put_nowait(answer)
                self._go_on()
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

    def batch(self, most: int, wait_s: float) -> list[tuple[int, str, Job]]:
        """At least one; up to `most` that are there, or come within `wait_s` of the first."""
        jobs = [self._read()]
        end = time.monotonic() + wait_s
        while len(jobs) < most and self.connection.poll(max(0.0, end - time.monotonic())):
            jobs.append(self._read())
        return jobs

    def _read(self) -> tuple[int, str, Job]:
        consumer, own, _, job = pickle.loads(self.connection.recv_bytes())
        return consumer, own, job


def _connect(path: str) -> Connection:
    """The other process listens once it has started."""
    while True:
        try:
            return Client(path, "AF_UNIX")
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(_LOOK_S)
