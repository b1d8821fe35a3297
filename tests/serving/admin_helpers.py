"""A server with a page for its owner, three versions, and corrections of which one is hostile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from slu.feedback import FeedbackStore
from tests.feedback.helpers import add, make_store, said, voice
from tests.monitoring.helpers import line, lines, write_log
from tests.serving.helpers import Server, running
from tests.versions.helpers import registry_of

PASSWORD = "correct horse battery"
SHOP = {"X-API-Key": "for the tills"}
HOSTILE = "<img src=x onerror=\"document.title='broken in'\">"


@dataclass
class Place:
    server: Server
    store: FeedbackStore
    versions: list[str]
    """The oldest first."""

    @property
    def root(self) -> Path:
        return self.store.outputs / "registry"

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.server.get(f"/admin/api/{path}", headers={"X-Admin-Key": PASSWORD}, **arguments)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        told = {"X-Admin-Key": PASSWORD, **headers}
        return httpx.post(f"{self.server.url}/admin/api/{path}", json=body, headers=told, timeout=30)

    def done(self, path: str, body: Any, place: str = "work", limit_s: float = 90) -> dict[str, Any]:
        """The command that this starts, once it has ended."""
        asked = self.post(path, body)
        assert asked.status_code == 202, asked.text
        limit = time.monotonic() + limit_s
        while (job := self.get("jobs").json()[place])["state"] == "running":
            assert time.monotonic() < limit, job
            time.sleep(0.1)
        assert job["started"] >= asked.json()["started"]
        return job


@contextmanager
def owned(folder: Path, bundle: Path, *settings: str) -> Iterator[Place]:
    versions = registry_of(folder / "out" / "registry", bundle, 3)
    store = make_store(folder / "out")
    add(store, voice(300), said(confidences={"product": 0.9}), comment=HOSTILE, client="0123456789abcdef")
    add(store, voice(400), said(confidences={"product": 0.7}), product="coffee")
    add(store, voice(400), said(confidences={"product": 0.6}), product="milk")
    add(store, None, said(confidences={"product": 0.2}), product="milk")
    days = [record | {"time": line(day)["time"]} for day in range(1, 5)
            for record in lines(40, seed=day, level_db=-25.0 if day < 4 else -45.0)]  # fmt: skip
    write_log(folder / "access.log", days)
    with running(folder, f"admin_password='{PASSWORD}'", "log=access.log", *settings) as server:
        yield Place(server, store, versions)
