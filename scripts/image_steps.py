"""Do what the Dockerfile does without an engine, and ask the result: python scripts/image_steps.py FOLDER clip=FILE

    [bundle=outputs/registry/TASK/VERSION]   of the registry it serves; the latest of orders
    [requests=200]                           to measure what an answer costs

FOLDER must not exist; everything is made in it: the very RUN lines, a fresh virtual environment, and then a server that
is another user (where root starts this), on a tree mounted read-only but for /data and /tmp.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.dockerfile import Builder, Image, read_dockerfile  # noqa: E402
from slu.benchmarks.server_process import ServerProcess, free_port  # noqa: E402

_READ_ONLY = (
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount --bind "$1" "$0/data" && shift && exec "$@"'
)
"""In a mount namespace of its own: the tree, and a folder that can be written over its /data."""


def base_python(folder: Path) -> Path:
    """Stands for that of the base image: with pip, and where others may enter."""
    for place in os.environ["PATH"].split(os.pathsep):
        found = (Path(place) / "python3.11").resolve()
        if found.is_file() and all(parent.stat().st_mode & 1 for parent in found.parents):
            subprocess.run([found, "-m", "venv", folder], check=True)
            return folder / "bin" / "python"
    sys.exit("error: no python3.11 that every user may run")


def megabytes(folder: Path) -> float:
    files = (path.lstat() for path in folder.rglob("*"))
    return sum(facts.st_blocks * 512 for facts in files) / 1e6


def listing(folder: Path) -> set[tuple[str, int, int]]:
    """What would differ if anybody wrote to it."""
    facts = ((path, path.lstat()) for path in folder.rglob("*"))
    return {(str(path.relative_to(folder)), one.st_size, one.st_mtime_ns) for path, one in facts}


def as_another(image: Image, command: list[str], data: Path) -> list[str]:
    if os.getuid():
        return command
    user, group = image.user.split(":")
    for path in (data, *data.glob("*.sqlite*")):
        os.chown(path, int(user), int(group))
    dropped = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ]
    return ["unshare", "--mount", "sh", "-c", _READ_ONLY, str(image.root), str(data), *dropped, *command]


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, {"Content-Type": "application/octet-stream"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def proportional_mb(group: int) -> float:
    """Of all processes of the group; a page that three share counts a third for each."""
    total = 0
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(place.name)) == group:
                lines = (place / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


def measure(image: Image, python: Path, data: Path, clip: bytes, requests: int) -> dict[str, Any]:
    port, variables = free_port(), image.variables(python)
    words = [*map(image.inside, image.entrypoint), f"port={port}"]
    start = time.monotonic()
    process = subprocess.Popen(
        as_another(image, words, data), cwd=image.inside(image.directory), env=variables, start_new_session=True,
        stdout=(log := (data.parent / "server.log").open("wb")), stderr=log,
    )  # fmt: skip
    server = ServerProcess("image", port, process.pid, 0.0, 0.0)
    facts: dict[str, Any] = {}
    try:
        while "healthy_s" not in facts:
            if process.poll() is not None or time.monotonic() > start + 120:
                sys.exit(f"error: the server does not start: {(data.parent / 'server.log').read_text()[-500:]}")
            with suppress(OSError):
                if ask(port, "GET", "/health")[0] == 200:
                    facts["healthy_s"] = round(time.monotonic() - start, 2)
            time.sleep(0.02)
        status, answer = ask(port, "POST", "/predict", clip)
        facts |= {"first_answer_s": round(time.monotonic() - start, 2), "start_cpu_s": server.cpu_s(), "status": status}
        said = json.loads(answer)
        facts["heard"] = {name: said.get(name) for name in ("labels", "confidence", "understood", "model_version")}
        facts["user"] = Path(f"/proc/{process.pid}/status").read_text().split("Uid:")[1].split()[0]
        if not requests:
            return facts
        check = [word.replace("8000", str(port)) for word in image.healthcheck]
        facts["healthcheck"] = subprocess.run(check, env=variables, check=False).returncode
        begun = server.cpu_s()
        time.sleep(10)
        facts["idle_cpu_share"] = round((server.cpu_s() - begun) / 10, 4)
        facts["idle_mb"] = round(proportional_mb(process.pid))
        begun = server.cpu_s()
        for _ in range(requests):
            ask(port, "POST", "/predict", clip)
        facts["cpu_ms_per_answer"] = round(1e3 * (server.cpu_s() - begun) / requests, 1)
        facts["busy_mb"] = round(proportional_mb(process.pid))
        process.terminate()
        facts["stopped_with"] = process.wait(timeout=30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
    return facts


def main() -> None:
    options = {"bundle": "outputs/registry/orders/latest", "requests": "200"}
    options |= dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    folders = [Path(word).absolute() for word in sys.argv[1:] if "=" not in word]
    if len(folders) != 1 or "clip" not in options or folders[0].exists():
        sys.exit(__doc__)
    folder, bundle, clip = folders[0], Path(options["bundle"]).resolve(), Path(options["clip"]).read_bytes()
    folder.mkdir(parents=True)
    python = base_python(folder / "python")
    stages = read_dockerfile((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    start = time.monotonic()
    image = Builder(stages, ROOT, folder, python).build(list(stages)[-1])
    facts: dict[str, Any] = {"build_s": round(time.monotonic() - start)}
    shutil.rmtree(folder / "build")  # what runs needs nothing of it
    facts["installed_mb"] = round(megabytes(image.root))
    packages = {
        path.name: megabytes(path) for path in image.root.glob("opt/venv/lib/*/site-packages/*") if path.is_dir()
    }
    facts["largest_mb"] = {name: round(packages[name]) for name in sorted(packages, key=packages.__getitem__)[-8:]}
    data = folder / "data"
    shutil.copytree(bundle, data / "registry" / json.loads((bundle / "spec.json").read_text())["task"] / bundle.name)
    (data / "registry" / json.loads((bundle / "spec.json").read_text())["task"] / "latest").symlink_to(bundle.name)
    for path in (data / "registry").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    before = listing(image.root)
    facts |= measure(image, python, data, clip, int(options["requests"]))
    facts["healthy_again_s"] = measure(image, python, data, clip, 0)["healthy_s"]  # its files are in memory now
    facts |= {"may_switch_user": os.getuid() == 0, "written": sorted(listing(image.root) - before)}
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
