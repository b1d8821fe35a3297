"""The line between the process that speaks HTTP and the worker: both ends, and one of them dying."""

import asyncio
import multiprocessing
import pickle
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Client
from pathlib import Path

import pytest
from litserve.utils import LitAPIStatus, LoopResponseType

from slu.common.errors import UserError
from slu.serving.job import Job
from slu.serving.line import Line
from slu.serving.seats import Seats

OK = (LitAPIStatus.OK, LoopResponseType.REGULAR, 0)


def new_line() -> Line:
    line = Line(Seats(60), 4)
    line.open()
    return line


def request(line: Line, name: str) -> tuple[int, str, float, Job]:
    seat = line.seats.take()
    assert seat is not None
    return 0, f"own-{name}", time.monotonic(), Job((name.encode(),), "", "", False, seat, request_id=name)


def echo(line: Line, most: int, times: int) -> None:
    """A worker that answers with the files, and ends after so many batches."""
    for _ in range(times):
        for consumer, own, job in line.batch(most, 0.0):
            line.send((own, (job.files[0], *OK)), consumer)


def with_line(act: Callable[[Line], Awaitable[None]]) -> None:
    line = new_line()
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
    while not Path(line.path).exists():
        await asyncio.sleep(0.01)
    waiting.cancel()


def test_requests_are_answered_whether_the_worker_is_there_already_or_comes_later() -> None:
    async def act(line: Line) -> None:
        process = worker(line)
        line.put(request(line, "early"))
        assert await line.areceive(0) == ("own-early", (b"early", *OK))
        for number in range(50):
            line.put(request(line, str(number)))
        answers = [await line.areceive(0) for _ in range(50)]
        assert [own for own, _ in answers] == [f"own-{number}" for number in range(50)]
        process.kill()

    with_line(act)


def test_what_a_dead_worker_had_is_told_and_the_next_one_goes_on() -> None:
    async def act(line: Line) -> None:
        await listening(line)
        far = await asyncio.to_thread(Client, line.path, "AF_UNIX")
        line.put(request(line, "lost"))
        assert pickle.loads(await asyncio.to_thread(far.recv_bytes))[1] == "own-lost"
        far.close()
        own, (error, status, *_) = await line.areceive(0)
        assert (own, error.status_code, status) == ("own-lost", 503, LitAPIStatus.ERROR)
        line.put(request(line, "kept"))
        process = worker(line)
        assert (await line.areceive(0))[0] == "own-kept"
        process.kill()

    with_line(act)


def test_a_worker_ends_with_the_process_that_asks() -> None:
    async def act(line: Line) -> None:
        process = worker(line)
        line.put(request(line, "a"))
        await line.areceive(0)
        assert line._near is not None
        assert line._near.writer is not None
        line._near.writer.close()
        await asyncio.to_thread(process.join, 20)
        assert process.exitcode is not None

    with_line(act)


def test_what_nobody_waits_for_any_more_is_never_sent() -> None:
    """The worker reads nothing; whoever has asked leaves, and others ask."""

    async def act(line: Line) -> None:
        await listening(line)
        far = await asyncio.to_thread(Client, line.path, "AF_UNIX")
        asked = [request(line, str(number)) for number in range(30)]
        for one in asked:
            line.put(one)
        await asyncio.sleep(0.1)
        for one in asked[:-1]:
            line.seats.leave(one[3].seat)
        for round_ in range(5):
            for number in range(59):
                one = request(line, f"{round_}-{number}")
                line.put(one)
                line.seats.leave(one[3].seat)
        assert line._near is not None
        assert len(line._near.waiting) <= 60, "however many have left"
        got = [pickle.loads(await asyncio.to_thread(far.recv_bytes))[1] for _ in range(4)]
        assert got == [f"own-{number}" for number in range(4)], "as many as it is to have at a time"
        for own in got:
            far.send_bytes(pickle.dumps((own, (b"", *OK))))
        assert pickle.loads(await asyncio.to_thread(far.recv_bytes))[1] == "own-29", "the one that is waited for"
        assert line.seats.dropped >= 25

    with_line(act)


def test_a_worker_that_is_gone_at_once_does_not_keep_the_loop_busy() -> None:
    async def act(line: Line) -> None:
        await listening(line)
        for number in range(10):
            line.put(request(line, str(number)))
        for _ in range(5):
            (await asyncio.to_thread(Client, line.path, "AF_UNIX")).close()
        await asyncio.sleep(0.2)
        process = worker(line)
        answered = set()
        while len(answered) < 10:
            own, _ = await line.areceive(0)
            assert own not in answered
            answered.add(own)
        process.kill()

    with_line(act)


def test_an_end_is_not_sent_to_other_processes() -> None:
    line = new_line()
    try:
        line.put(request(line, "a"))
        other = pickle.loads(pickle.dumps(line))
        assert (other.path, other._near) == (line.path, None)
    finally:
        line.remove()
    with pytest.raises(FileNotFoundError):
        Client(line.path, "AF_UNIX")


def test_a_temporary_folder_with_too_long_a_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ("x" * 90)).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("x" * 90)))
    with pytest.raises(UserError, match="set TMPDIR"):
        Line(Seats(1), 1).open()
    assert not list((tmp_path / ("x" * 90)).iterdir())
