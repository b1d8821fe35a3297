"""Drills on real servers under load: whoever asks is answered, sent away with a 503 or told with a 504. Only what a
killed process held is lost, and nobody is left to hang.
"""

import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.helpers import GOOD, Server, running
from tests.serving.load import Load, logged

CAPACITY = 24
SETTINGS = (f"max_in_flight={CAPACITY}", "max_batch=1", "deadline_s=4")


@pytest.fixture(scope="module")
def drilled(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("drilled"), f"bundle={bundle}", *SETTINGS) as server:
        yield server


def test_four_times_what_it_can_do_is_answered_or_sent_away(drilled: Server) -> None:
    before = logged(drilled)
    with Load(drilled, 4 * CAPACITY) as load:
        time.sleep(4)
    assert set(load.counts) == {"answered", "shed"}
    assert load.counts["answered"] >= CAPACITY
    assert load.counts == logged(drilled) - before, "and the server has counted the same"


def test_whom_nobody_waits_for_any_more_costs_the_worker_nothing(drilled: Server) -> None:
    """Twenty ask while the worker stands still, and leave before it goes on."""
    before, dropped = logged(drilled), metric(drilled, "slu_dropped_total")
    host, port = drilled.url.removeprefix("http://").split(":")
    worker = worker_of(drilled)
    os.kill(worker, signal.SIGSTOP)
    try:
        clients = [socket.create_connection((host, int(port))) for _ in range(20)]
        for client in clients:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD)
        until(lambda: metric(drilled, "slu_in_flight") == 20)
        time.sleep(0.5)  # the last of them is on its way to the worker, too
        for client in clients:
            client.close()
        until(lambda: metric(drilled, "slu_in_flight") == 0)
    finally:
        os.kill(worker, signal.SIGCONT)
    until(lambda: metric(drilled, "slu_dropped_total") == dropped + 20)
    assert logged(drilled) - before == {"499": 20}
    assert drilled.post(content=GOOD).status_code == 200


def test_a_killed_worker_comes_back_and_loses_nobody(drilled: Server) -> None:
    before, killed = logged(drilled), worker_of(drilled)
    with Load(drilled, 8) as load:
        load.until_answered(20)
        os.kill(killed, signal.SIGKILL)
        time.sleep(1)  # what was on its way to the clients has come
        load.until_answered(20)
    assert set(load.counts) <= {"answered", "shed", "timed out"}
    assert load.counts["shed"] <= 8, "of each client what the worker had, which is said at once"
    assert load.counts["timed out"] <= 8, "and what it asked then, where the new worker came too late for it"
    assert load.counts == logged(drilled) - before
    assert killed not in drilled.family()


def test_at_the_end_what_was_begun_is_finished_and_nothing_is_left(drilled: Server) -> None:
    before = logged(drilled)
    with Load(drilled, 8) as load:
        load.until_answered(20)
        drilled.process.send_signal(signal.SIGTERM)
        drilled.process.wait(30)
    assert set(load.counts) - {"cut"} == {"answered", "refused"}, "sent away at once, and not at the very end"
    taken = logged(drilled) - before
    assert taken == {"answered": load.counts["answered"]}, "whoever was cut off was never taken"
    assert load.counts["cut"] <= 8, "connected in the moment in which the port closed"
    until(lambda: not drilled.family())
    assert "Traceback" not in drilled.log.read_text()


@pytest.mark.parametrize("killed", ["queues", "http"])
def test_without_a_process_of_its_own_the_server_ends(killed: str, bundle: Path, tmp_path: Path) -> None:
    """A supervisor sees that it has, and whoever asks sees a closed port."""
    with running(tmp_path, f"bundle={bundle}", *SETTINGS) as server:
        forked = [pid for pid in server.family() if pid != server.process.pid and b"slu.serve" in command(pid)]
        with Load(server, 8) as load:
            load.until_answered(20)
            os.kill(dict(zip(("queues", "http"), sorted(forked), strict=True))[killed], signal.SIGKILL)
            assert server.process.wait(30) == 2
        assert "a process of the server ended unexpectedly" in server.log.read_text()
        held = load.counts - Counter(answered=load.counts["answered"], refused=load.counts["refused"])
        assert load.counts["answered"] <= logged(server)["answered"], "an answer is noted before it is sent"
        assert set(held) <= ({"cut"} if killed == "http" else {"cut", "500", "timed out"})
        assert held.total() <= 2 * 8, "of each client what it had asked, and what it asked before the port closed"
        until(lambda: not server.family())


def until(condition: Callable[[], bool], limit_s: float = 10) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def metric(server: Server, name: str) -> float:
    (value,) = [line.split()[1] for line in server.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(value)


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def worker_of(server: Server) -> int:
    """Of the spawned processes the one with most memory: it alone has loaded the recogniser."""
    spawned = [pid for pid in server.family() if b"spawn_main" in command(pid)]
    return max(spawned, key=lambda pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]))
