"""Processes are killed while they promote, at random and at every step; several promote at once."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from slu.versions.moves import locked
from tests.conftest import ROOT
from tests.versions.helpers import TASK, at, registry_of, unloaded

KILLS = 24
# Promotes its versions in turn, and goes back now and then; says each move that was made.
PROMOTING = """
import itertools, sys
from pathlib import Path
from slu.common.errors import UserError
from slu.versions import Versions

registry, most = Versions(Path(sys.argv[1]), lambda folder: None), int(sys.argv[2])
print("begun", flush=True)
for number, version in zip(range(most), itertools.cycle(sys.argv[3:])):
    entry = registry.promote("drinks", version) if number % 3 else registry.rollback("drinks")
    if entry is not None:
        print(entry.was, entry.version, flush=True)
"""

# Per line of its input one process, which dies as it does the step of that number to a file (an audit event of Python);
# how that process ended.
DYING = """
import os, signal, sys
from pathlib import Path
from slu.versions import Versions

root, action = sys.argv[1:]
registry, seen = Versions(Path(root), lambda folder: None), 0

def watch(event, arguments):
    global seen
    if event in ("open", "os.rename", "os.symlink", "os.remove") and root in str(arguments):
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

for line in sys.stdin:
    step, version = int(line.split()[0]), line.split()[1]
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        registry.promote("drinks", version) if action == "promote" else registry.rollback("drinks")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def start(root: Path, most: int, versions: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROMOTING, str(root), str(most), *versions],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def require_sound(root: Path, versions: list[str]) -> None:
    """First as a reader finds it, then as the next one to move something does."""
    registry = unloaded(root)
    assert registry.problems(TASK) == []
    assert set(at(root)) <= set(versions)
    with locked(root, TASK):
        pass
    last = [entry for entry in registry.history(TASK) if entry.alias == "live"][-1]
    assert at(root) == (last.version, last.was), "the links are what the history says"
    assert registry.problems(TASK) == []


def require_chain(root: Path) -> int:
    """Every move began where the one before it ended; how many there were."""
    moves = [entry for entry in unloaded(root).history(TASK) if entry.alias == "live"]
    assert all(after.was == before.version for before, after in pairwise(moves))
    return len(moves)


def test_killed_at_random_moments(bundle: Path, tmp_path: Path) -> None:
    versions = registry_of(tmp_path, bundle, 3)
    unloaded(tmp_path).promote(TASK, versions[0])
    moments = random.Random(0)
    for _ in range(KILLS):
        with start(tmp_path, 10**6, versions) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(moments.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            process.stdout.read()
        assert process.returncode == -signal.SIGKILL
        require_sound(tmp_path, versions)
    assert require_chain(tmp_path) > 1


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_killed_at_every_step(bundle: Path, tmp_path: Path, action: str) -> None:
    versions = registry_of(tmp_path, bundle, 3)
    unloaded(tmp_path).promote(TASK, versions[0])
    ended, ends = "", set()
    with subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path), action],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as dying:  # fmt: skip
        assert dying.stdin is not None
        assert dying.stdout is not None
        for step in range(1, 200):
            live = at(tmp_path)[0]
            print(step, next(version for version in versions if version != live), file=dying.stdin, flush=True)
            ended = dying.stdout.readline()
            ends.add(at(tmp_path)[0] == live)
            require_sound(tmp_path, versions)
            if ended == "0\n":
                break
            assert ended == f"{-signal.SIGKILL}\n"
        dying.stdin.close()
    assert ended == "0\n", "the last one lived"
    assert step > 15
    assert ends == {True, False}, "some were killed before live moved, some after"
    require_chain(tmp_path)


def test_several_at_once(bundle: Path, tmp_path: Path) -> None:
    versions = registry_of(tmp_path, bundle, 3)
    unloaded(tmp_path).promote(TASK, versions[0])
    processes = [start(tmp_path, 20, versions[number:] + versions[:number]) for number in range(3)]
    said = [process.communicate(timeout=120)[0].splitlines()[1:] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    require_sound(tmp_path, versions)
    assert require_chain(tmp_path) == 1 + sum(map(len, said)), "each move that was reported, and no other"
