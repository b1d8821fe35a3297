"""Clients that ask without a pause, and what became of each request."""

import http.client
import json
import threading
import time
from collections import Counter

from tests.serving.helpers import GOOD, Server

FATES = {200: "answered", 503: "shed", 504: "timed out"}


class Load:
    """Asks as long as the block lasts; `counts` then holds all fates: those above, `refused` (the port is closed),
    `cut` (the connection ended without an answer), `hung` (nothing for 30 s), or another status."""

    def __init__(self, server: Server, clients: int) -> None:
        self.address = server.url.removeprefix("http://")
        self.counts: Counter[str] = Counter()
        self.versions: set[str] = set()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        print(f"{self.counts.total()} sent: {', '.join(f'{n} {fate}' for fate, n in sorted(self.counts.items()))}")

    def _client(self) -> None:
        while not self._ended.is_set():
            fate = self._ask()
            with self._lock:
                self.counts[fate] += 1
            if fate != "answered":
                self._ended.wait(0.1)

    def _ask(self) -> str:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request("POST", "/predict", GOOD, {"Content-Type": "audio/wav"})
            response = connection.getresponse()
            response.read()
            self.versions.add(response.headers.get("x-model-version", ""))
            return FATES.get(response.status, str(response.status))
        except TimeoutError:
            return "hung"
        except ConnectionRefusedError:
            return "refused"
        except (OSError, http.client.HTTPException):
            return "cut"
        finally:
            connection.close()

    def until_answered(self, more: int, limit_s: float = 60) -> None:
        """That many more from now on."""
        wanted, limit = self.counts["answered"] + more, time.monotonic() + limit_s
        while self.counts["answered"] < wanted:
            assert time.monotonic() < limit, self.counts
            time.sleep(0.05)


def logged(server: Server) -> Counter[str]:
    """What the server says of the fates of all requests that it took."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return Counter(FATES.get(line["status"], str(line["status"])) for line in lines)
