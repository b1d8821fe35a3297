"""A real PostgreSQL for tests, on a socket of its own; they skip where its programs are not installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")) + [Path(p) for p in [shutil.which("pg_ctl")] if p]
NOBODY = pwd.getpwnam("nobody")


def call(folder: Path, program: str, *arguments: str) -> None:
    """As somebody else where this is root, whom PostgreSQL refuses."""
    other: dict[str, Any] = {"user": "nobody", "group": NOBODY.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    command = [str(PROGRAMS[-1].parent / program), *arguments]
    with (folder / "said.log").open("ab") as said:
        done = subprocess.run(command, cwd=folder, stdout=said, stderr=said, timeout=60, check=False, **other)
    assert done.returncode == 0, (folder / "said.log").read_text()


@pytest.fixture(scope="module")
def postgres_home() -> Iterator[Path]:
    """Of a PostgreSQL that listens on a socket there and nowhere else."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL's programs are not installed")
    folder = Path(tempfile.mkdtemp(prefix="slu-"))  # pytest's own folders are closed to others
    if os.geteuid() == 0:
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    call(folder, "initdb", "-D", "data", "-U", "slu", "-A", "trust", "--no-sync")
    call(folder, "pg_ctl", "-D", "data", "-w", "-o", f"-c listen_addresses='' -k {folder}", "start")
    yield folder
    if (folder / "data" / "postmaster.pid").exists():
        call(folder, "pg_ctl", "-D", "data", "-m", "immediate", "stop")
    shutil.rmtree(folder)
