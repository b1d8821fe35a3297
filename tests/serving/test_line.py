"""The line between the process that speaks HTTP and the worker: both ends, and one of them dying."""

import asyncio
import multiprocessing
import pickle
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Client

import pytest
from litserve.utils import LitAPIStatus, LoopResponseType

from slu.serving.job import Job
from slu.serving.line import Line
from slu.serving.seats import Seat

OK = (LitAPIStatus.OK, LoopResponseType.REGULAR, 0)


def request(name: str) -> tuple[int, str, float, Job]:
    return 0, f"own-{name}", time.monotonic(), Job((name.encode(),), "", "", False, Seat(0, 1), request_id=name)


def echo(line: Line, most: int, times: int) -> None:
    """A worker that answers with the files, and ends after so many batches."""
    for _ in range(times):
        for consumer, own, job in line.batch(most, 0.0):
            line.send((own, (job.files[0], *OK)), consumer)


def with_line(act: Callable[[Line], Awaitable[None]]) -> None:
    line = Line(60)
    try:
        asyncio.run(asyncio.wait_for(act(line), 60))
    finally:
        line.remove()


def worker(line: Line, most: int = 8, times: int = 1000) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=echo, args=(line, most, times), daemon=True)
    process.start()
    return process


async def listening(line: Line) -> None:
    """Until the near end has its socket."""
    waiting = asyncio.create_task(line.areceive(0))
    await asyncio.sleep(0.1)
    waiting.cancel()


def test_requests_are_answered_whether_the_worker_is_there_already_or_comes_later() -> None:
    async def act(line: Line) -> None:
        process = worker(line)
        line.put(request("early"))
        assert await line.areceive(0) == ("own-early", (b"early", *OK))
        for number in range(50):
            line.put(request(str(number)))
        answers = [await line.areceive(0) for _ in range(50)]
        assert [own for own, _ in answers] == [f"own-{number}" for number in range(50)]
        process.kill()

    with_line(act)


def test_what_a_dead_worker_had_is_told_and_the_next_one_goes_on() -> None:
    async def act(line: Line) -> None:
        await listening(line)
        far = await asyncio.to_thread(Client, line.path, "AF_UNIX")
        line.put(request("lost"))
        assert pickle.loads(await asyncio.to_thread(far.recv_bytes))[1] == "own-lost"
        far.close()
        own, (error, status, *_) = await line.areceive(0)
        assert (own, error.status_code, status) == ("own-lost", 503, LitAPIStatus.ERROR)
        line.put(request("kept"))
        process = worker(line)
        assert (await line.areceive(0))[0] == "own-kept"
        process.kill()

    with_line(act)


def test_a_worker_ends_with_the_process_that_asks() -> None:
    async def act(line: Line) -> None:
        process = worker(line)
        line.put(request("a"))
        await line.areceive(0)
        assert line._near is not None
        assert line._near.writer is not None
        line._near.writer.close()
        await asyncio.to_thread(process.join, 20)
        assert process.exitcode is not None

    with_line(act)


def test_of_more_than_may_wait_the_oldest_are_forgotten() -> None:
    async def act(line: Line) -> None:
        for number in range(70):
            line.put(request(str(number)))
        process = worker(line)
        assert [(await line.areceive(0))[0] for _ in range(60)] == [f"own-{number}" for number in range(10, 70)]
        process.kill()

    with_line(act)


def test_an_end_is_not_sent_to_other_processes() -> None:
    line = Line(60)
    try:
        line.put(request("a"))
        other = pickle.loads(pickle.dumps(line))
        assert (other.path, other._near) == (line.path, None)
    finally:
        line.remove()
    with pytest.raises(FileNotFoundError):
        Client(line.path, "AF_UNIX")
