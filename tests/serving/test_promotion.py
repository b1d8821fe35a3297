"""An alias moves while requests are answered: none is lost, each says who answered, a broken bundle changes nothing."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bundles.helpers import tiny_bundle
from tests.serving.helpers import GOOD, Server, running
from tests.serving.load import Load, logged

PROMOTIONS = 20


def promote(home: Path, version: str) -> None:
    """As the registry does it."""
    link = home / ".moving"
    link.symlink_to(version)
    link.replace(home / "latest")


def until(condition: Callable[[], bool], limit_s: float = 30) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def live(server: Server) -> list[str]:
    return [model["version"] for model in server.get("/models").json() if "refused" not in model]


@pytest.mark.slow
def test_twenty_promotions_under_load_lose_nothing(tmp_path: Path) -> None:
    home = tmp_path / "out" / "registry" / "drinks"
    for number, version in enumerate(("v1", "v2")):
        tiny_bundle(home / version, seed=number)
    promote(home, "v1")
    with running(tmp_path, "max_in_flight=8") as server:
        assert live(server) == ["v1"]
        with Load(server, 3) as load:
            for number in range(PROMOTIONS):
                version = ("v2", "v1")[number % 2]
                promote(home, version)
                until(lambda version=version: live(server) == [version])  # type: ignore[misc]
        assert set(load.counts) == {"answered"}
        assert load.counts == logged(server)
        assert load.versions == {"v1", "v2"}

        (home / "broken").mkdir()
        for file in ("spec.json", "metrics.json"):
            (home / "broken" / file).write_bytes((home / "v2" / file).read_bytes())
        promote(home, "broken")
        until(lambda: len(server.get("/models").json()) == 2)
        refused = server.get("/models").json()[1]
        assert refused["version"] == "broken"
        assert "is damaged" in refused["refused"]
        assert server.post(content=GOOD).json()["model_version"] == "v1"
        promote(home, "v1")
        until(lambda: len(server.get("/models").json()) == 1)
        promote(home, "broken")
        until(lambda: len(server.get("/models").json()) == 2)
        promote(home, "v2")
        until(lambda: live(server) == ["v2"])
        assert len(server.get("/models").json()) == 1
        assert server.post(content=GOOD).json()["model_version"] == "v2"
        assert server.post(content=GOOD, params={"model": "v1"}).json()["model_version"] == "v1", "by name, still"
