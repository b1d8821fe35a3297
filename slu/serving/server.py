"""The server: LitServe's worker and HTTP process, the line between them, the guard before them, the pages beside."""

import asyncio
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import litserve as ls
from starlette.middleware.cors import CORSMiddleware

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.feedback.clients import client_hash
from slu.feedback.store import FeedbackStore, default_url
from slu.serving.admin.app import Server, add_admin
from slu.serving.api import speech_api
from slu.serving.feedback import Remembered
from slu.serving.gradio_page import add_gradio
from slu.serving.guard import Guard
from slu.serving.http import BoundedHttp
from slu.serving.job import job_reader
from slu.serving.kept_audio import KeptAudio
from slu.serving.line import Line
from slu.serving.metrics import ServingMetrics
from slu.serving.models import Board
from slu.serving.rate_limit import client_of
from slu.serving.request_log import RequestLog
from slu.serving.routes import add_feedback, add_routes
from slu.serving.seats import Seats
from slu.serving.settings import ServeSettings
from slu.versions.aliases import live_place, live_places, resolved
from slu.versions.places import no_bundle, place_of

_SWEEP_S = 3600.0


def find_bundles(settings: ServeSettings) -> list[Path]:
    """Folders of versions, or aliases, which may move while the server runs: `live` of each task unless bundles are
    named, or a task, or its folder.

    Raises UserError where there is none, or where the task asked for is not among them.
    """
    registry = Path(settings.outputs) / "registry"
    named = [place_of(name, registry, live_place) for name in settings.bundles] or live_places(registry)
    if not named:
        raise UserError(f"there is no bundle in {registry}; train one with `python -m slu.train`")
    folders = [resolved(place) for place in named]
    for place, folder in zip(named, folders, strict=True):
        if not (folder / "spec.json").is_file():
            raise no_bundle(place, registry, "" if folder == place.absolute() else f", which leads to {folder}")
        if settings.runtime == "onnx" and not (folder / "model.onnx").is_file():
            raise UserError(f"the bundle {place} cannot run on onnxruntime; serve it with runtime=torch")
    versions = [folder.name for folder in folders]
    if twice := sorted({name for name in versions if versions.count(name) > 1}):
        raise UserError(f"bundle: two folders are called {twice[0]}, which is how an answer names its model; serve one")
    try:
        tasks = [str(read_json(folder / "spec.json")["task"]) for folder in folders]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"a bundle of {', '.join(map(str, named))} is damaged: its spec.json cannot be read") from None
    if settings.task and settings.task not in tasks:
        raise UserError(f"task={settings.task}: the bundles are for {', '.join(sorted(set(tasks)))}")
    return [place.absolute() for place in named]


def make_server(settings: ServeSettings) -> "SpeechServer":
    """Not yet running. Raises UserError as `find_bundles` does."""
    if settings.keep_audio and settings.feedback == "none":
        raise UserError("keep_audio=true keeps the recordings of corrections, but feedback=none takes no corrections")
    places, board, audio, seats = find_bundles(settings), Board(), KeptAudio(settings), Seats(settings.max_in_flight)
    api = speech_api(job_reader(settings, audio.hold), places, settings, board, seats)
    remembered, metrics = Remembered(), ServingMetrics(board, seats)
    shared = {"settings": settings, "remembered": remembered, "metrics": metrics, "seats": seats}
    guards: list[Any] = [(Guard, shared)]
    if settings.cors:  # the last one stands outermost: a browser asks beforehand, and without the key
        allowed = {"allow_methods": ["GET", "POST"], "allow_headers": ["X-API-Key", "Content-Type"]}
        guards.append((CORSMiddleware, {"allow_origins": list(settings.cors), **allowed}))
    server = SpeechServer(
        api, accelerator="cpu", timeout=False, middlewares=guards, restart_workers=True, track_requests=False
    )
    server.board, server.line, server.audio = board, Line(seats, 2 * settings.max_batch), audio
    server.response_buffer = _Awaited()
    add_routes(server.app, board, metrics, settings.keep_audio_days if settings.keep_audio else None)
    if settings.ui == "gradio":
        add_gradio(server.app, board, settings)
    store = None
    if settings.feedback != "none":
        outputs = Path(settings.outputs)
        store = FeedbackStore(settings.feedback or default_url(outputs), outputs, settings.feedback_per_hour)
        hashed = client_hash(outputs)
        homes = [place.parent for place in places]
        add_feedback(
            server.app, store, remembered, audio, homes,
            client=lambda scope: hashed(client_of(scope, trust_proxy=settings.trust_proxy)),
            metrics=metrics,
        )  # fmt: skip
    if settings.admin_password:
        add_admin(server.app, Server(settings, board, metrics, store, server.worker_states))
    return server


class _Awaited(dict[str, Any]):
    """LitServe's answers by request. It would keep the place of one that was given up for ever; here it goes with the
    task that waited."""

    def __setitem__(self, uid: str, item: Any) -> None:
        super().__setitem__(uid, item)
        if task := asyncio.current_task():
            task.add_done_callback(lambda _: self.pop(uid, None))


class _Port(socket.socket):
    """Closed for all processes that have it: who comes later is refused, and not left to wait for nobody."""

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self._twin = socket.socket(fileno=os.dup(fileno))  # uvloop has closed the number itself by then

    def close(self) -> None:
        with suppress(OSError):  # it is closed already
            self._twin.shutdown(socket.SHUT_RDWR)
        super().close()


class SpeechServer(ls.LitServer):  # type: ignore[misc]
    """LitServe's, which ends when its HTTP process does, or the one of its manager: a port that accepts and
    never answers helps nobody."""

    board: Board
    line: Line
    audio: KeptAudio
    stopping = False
    """Asked to, or already at it."""
    lost = False
    """It ends because a process of it did."""

    def worker_states(self) -> dict[str, str]:
        """By name: starting, ready, …; one that died is started again, and not ready until then."""
        return {str(name): str(state) for name, state in self.workers_setup_status.items()}

    def _init_manager(self, num_api_servers: int) -> Any:
        manager = super()._init_manager(num_api_servers)
        self._transport = self.line
        for path in self.litapi_request_queues:
            self.litapi_request_queues[path] = self.line
        return manager

    def _start_server(
        self, port: int, count: int, log_level: str, sockets: list[socket.socket], *rest: Any, **options: Any
    ) -> Any:
        self.ports = [_Port(plain.detach()) for plain in sockets]
        processes = super()._start_server(port, count, log_level, self.ports, *rest, **options)
        threading.Thread(target=self._watch, args=(list(processes.values()),), daemon=True).start()
        threading.Thread(target=self._sweep, daemon=True).start()
        return processes

    def _sweep(self) -> None:
        while True:
            self.audio.sweep()
            time.sleep(_SWEEP_S)

    def _watch(self, processes: Sequence[BaseProcess]) -> None:
        wait([process.sentinel for process in processes])
        if not self.stopping:
            self.lost = True
            for port in self.ports:
                port.close()
            os.kill(os.getpid(), signal.SIGTERM)

    def _perform_graceful_shutdown(self, *arguments: Any, **options: Any) -> None:
        self.lost, self.stopping = self.lost or not self.stopping, True
        super()._perform_graceful_shutdown(*arguments, **options)


def serve(settings: ServeSettings) -> None:
    """Until SIGTERM or SIGINT, after which what was begun is finished.

    Raises UserError as `find_bundles` does, where the port is taken, and when a process of it was killed: whoever
    supervises the server then starts it again.
    """
    _require_port(settings)
    RequestLog(settings.log).require_writable()
    server = make_server(settings)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # whoever holds a connection holds a file
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536) if most > 0 else 65_536, most))
    main = os.getpid()

    def stop(*_: Any) -> None:  # LitServe cleans up after Ctrl-C alone, and leaves orphans otherwise
        if os.getpid() != main:
            sys.exit(0)  # of a process that was forked from this one, and has finished what it was answering
        if not server.stopping:  # once: a second one would cut the end short
            server.stopping = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=_say_where, args=(settings, server.board), daemon=True).start()
    try:
        server.line.open()
        server.run(
            host=settings.host,
            port=settings.port,
            generate_client_file=False,
            log_level="warning",
            num_api_servers=1,
            proxy_headers=False,  # uvicorn would believe X-Forwarded-For of any client on this machine
            http=BoundedHttp,
        )
    except RuntimeError:
        if reason := server.board.read().failed:
            raise UserError(reason) from None
        raise
    except (EOFError, OSError):  # of a connection to a process that is gone
        server.lost = True
    finally:
        server.line.remove()
    if server.lost:
        raise UserError("a process of the server ended unexpectedly; start it again")


def _say_where(settings: ServeSettings, board: Board) -> None:
    """Once there is somebody to answer: a command that prints nothing looks as if it hung."""
    while not (live := board.read()).versions:
        if live.failed:
            return
        time.sleep(0.1)
    host = {"127.0.0.1": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}[settings.host]
    names = ", ".join(f"{folder.parent.name} {folder.name}" for folder in live.folders())
    admin = "; the owner's page is at /admin" if settings.admin_password else ""
    print(f"http://{host}:{settings.port} answers with {names}{admin}; Ctrl-C ends it", flush=True)


def _require_port(settings: ServeSettings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((settings.host, settings.port))
        except OSError as error:
            raise UserError(f"port {settings.port} on {settings.host}: {error.strerror}; name another one") from None
