"""The machine and the server on it, as far as an owner wants to know before calling somebody."""

import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from slu import __version__
from slu.serving.metrics import ServingMetrics
from slu.serving.settings import ServeSettings

_PROC = Path("/proc")


def add_system(
    page: FastAPI, settings: ServeSettings, metrics: ServingMetrics, workers: Callable[[], Mapping[str, str]]
) -> None:
    started = time.time()

    @page.get("/api/system")
    def system() -> dict[str, Any]:
        return {
            "version": __version__,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "uptime_s": round(time.time() - started),
            "cores": os.cpu_count(),
            "load": [round(value, 2) for value in os.getloadavg()],
            "memory": _memory(),
            "server_bytes": _resident(os.getppid()),
            "disk": _disk(Path(settings.outputs)),
            "outputs": str(Path(settings.outputs).absolute()),
            "workers": dict(workers()),
            "requests": metrics.figures(),
            "settings": {
                "runtime": settings.runtime,
                "log": settings.log,
                "keep_audio": settings.keep_audio,
                "keep_audio_days": settings.keep_audio_days,
                "api_key": bool(settings.api_key),
            },
        }


def _disk(outputs: Path) -> dict[str, int]:
    usage = shutil.disk_usage(outputs if outputs.is_dir() else Path())
    return {"free": usage.free, "total": usage.total}


def _memory() -> dict[str, int] | None:
    """Of the machine, in bytes; none where it does not say so as Linux does."""
    try:
        lines = dict(line.split(":", 1) for line in (_PROC / "meminfo").read_text().splitlines())
        return {"free": _bytes(lines["MemAvailable"]), "total": _bytes(lines["MemTotal"])}
    except (OSError, ValueError, KeyError):
        return None


def _resident(main: int) -> int | None:
    """Of the server's processes together; pages that they share count once for each."""
    total = 0
    for path in _PROC.glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
            if str(main) in (lines["Pid"].strip(), lines["PPid"].strip()):
                total += _bytes(lines["VmRSS"])
        except (OSError, ValueError, KeyError):  # it has ended, or has no memory any more
            continue
    return total or None


def _bytes(text: str) -> int:
    return int(text.split()[0]) * 1024
