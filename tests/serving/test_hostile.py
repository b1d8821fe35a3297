"""Whatever is sent gets a valid answer or a 4xx and costs little; who asks next, or beside it, is answered as ever."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.bundles.helpers import tiny_bundle
from tests.serving.helpers import GOOD, Server, running
from tests.serving.hostile import requests
from tests.serving.load import Load

CPU_S, MEMORY_MB = 0.3, 120
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_MALFORMED = (400, 404, 408, 413, 415, 422, 431)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the limits of `conf/serve.yaml`."""
    folder = tmp_path_factory.mktemp("plain")
    with running(folder, f"bundle={tiny_bundle(folder / 'drinks')}") as server:
        yield server


class Costs:
    """Of a server's processes: CPU seconds, and by how much their memory went up in the meantime.

    What they spend with nobody asking, above all on looking at the aliases, is measured first and taken
    off, for as long as the request took.
    """

    def __init__(self, server: Server) -> None:
        self.server, self.idle = server, 0.0
        with self:
            time.sleep(2)
        self.idle = self.cpu_s / 2

    def __enter__(self) -> "Costs":
        self.family = self.server.family()
        for pid in self.family:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # its peak is from now on
        self._before, self._start, self._memory = self._cpu(), time.monotonic(), self._sum("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        spent, took = self._cpu() - self._before, time.monotonic() - self._start
        self.cpu_s, self.memory_mb = spent - self.idle * took, self._sum("VmHWM") - self._memory

    def _cpu(self) -> float:
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.family]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) * _TICK

    def _sum(self, name: str) -> float:
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self.family]
        return sum(int(text.split(f"{name}:")[1].split()[0]) for text in texts) / 1000


def send(server: Server, path: str, arguments: dict) -> httpx.Response | None:
    """None where the connection was closed on somebody who sends more than is read."""
    try:
        return httpx.post(f"{server.url}{path}", timeout=30, verify=False, **arguments)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return None


@pytest.fixture(scope="module")
def everything() -> dict[str, tuple[str, dict]]:
    return requests()


def check(name: str, path: str, response: httpx.Response) -> None:
    assert response.status_code in (200, *_MALFORMED), (name, response.text)
    if response.status_code != 200:
        detail = response.json()["detail"] if "json" in response.headers["content-type"] else response.text
        leaks = [word for word in ("0x", "/etc", "/tmp", "Traceback", "object at") if word in detail]
        assert leaks == [], (name, detail)
    elif path == "/predict":
        assert name != "silence" or response.json()["understood"] is False


def test_whatever_is_sent_is_answered_at_little_cost(plain: Server, everything: dict) -> None:
    plain.post(content=GOOD)
    assert len(everything) >= 60
    costs, spent, cut = Costs(plain), {}, []
    for name, (path, arguments) in everything.items():
        with costs:
            response = send(plain, path, arguments)
            time.sleep(0.03)  # what the server does after its answer counts, too
        spent[name] = costs.cpu_s, costs.memory_mb
        if response is None:
            cut.append(name)
        else:
            check(name, path, response)
        assert plain.post(content=GOOD).status_code == 200, f"whoever asks after {name} is answered as ever"
        assert plain.family() == costs.family, f"{name} has cost a process"
    for place, unit in ((0, "CPU s"), (1, "MB")):
        most = sorted(spent.items(), key=lambda one: -one[1][place])[:3]
        print(f"{len(spent)} requests; {unit}:", ", ".join(f"{cost[place]:.3f} {name}" for name, cost in most))
    print(f"closed on the sender: {cut}")
    assert all("MB" in name or "headers" in name for name in cut)
    assert {name: cost for name, cost in spent.items() if cost[0] > CPU_S or cost[1] > MEMORY_MB} == {}


def test_whoever_asks_beside_them_is_answered(plain: Server, everything: dict) -> None:
    with Load(plain, 2) as load, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: send(plain, *one), everything.values()))
    assert set(load.counts) == {"answered"}
    assert plain.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("nothing", 422), ("an empty file", 422), ("no file", 422), ("another field", 422), ("40 files", 400),
        ("1,000 fields", 400), ("no boundary", 400), ("junk as a form", (400, 422)), ("half a header", (400, 422)),
        ("JSON", 415), ("11 MB", 413), ("11 MB in chunks", 413), ("an hour", 422), ("60,000 channels", 422),
        ("feedback: NaN", 422), ("feedback: 5 MB", 413), ("a model elsewhere", 404), ("a file called zero", (200, 400)),
    ],
)  # fmt: skip
def test_it_is_told_what_is_wrong(plain: Server, everything: dict, name: str, status: int | tuple[int, ...]) -> None:
    response = send(plain, *everything[name])
    assert response.status_code in (status if isinstance(status, tuple) else (status,)), response.text
