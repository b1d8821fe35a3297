"""Processes are killed while they promote, at random and at every step; several promote at once."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.versions.moves import HISTORY, PENDING, Entry, locked
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


@pytest.mark.parametrize("name", [HISTORY, PENDING])
def test_a_full_disk_stops_a_move_before_it_begins(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one, two = registry_of(tmp_path, bundle, 2)
    unloaded(tmp_path).promote(TASK, one)
    with _full(monkeypatch, name), pytest.raises(OSError, match="No space left"):
        unloaded(tmp_path).promote(TASK, two)
    assert at(tmp_path) == (one, two)
    assert not (tmp_path / TASK / PENDING).exists()
    require_sound(tmp_path, [one, two])
    assert require_chain(tmp_path) == 1


def test_a_disk_that_is_full_in_the_midst_of_a_move_is_told_and_the_next_command_finishes_it(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = registry_of(tmp_path, bundle, 2)
    unloaded(tmp_path).promote(TASK, one)
    with _full(monkeypatch, ".live.new"), pytest.raises(UserError, match=rf"still on its way to {two} \(No space left"):
        unloaded(tmp_path).promote(TASK, two)
    assert at(tmp_path)[0] == one
    assert unloaded(tmp_path).promote(TASK, two) is None, "it was finished first"
    assert at(tmp_path) == (two, one)
    require_sound(tmp_path, [one, two])
    assert require_chain(tmp_path) == 2


@contextmanager
def _full(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """A disk on which there is no room for the file of that name."""
    replace, link = os.replace, Path.symlink_to

    def full(path: object) -> bool:
        if Path(str(path)).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return False

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda old, new: full(new) or replace(old, new))
        patched.setattr(Path, "symlink_to", lambda self, to: full(self) or link(self, to))
        yield


@pytest.mark.parametrize(
    "document",
    [
        {"links": {"live": "../../../evil"}},
        {"links": {"../../evil": "{one}"}},
        {"links": {"live": 3}},
        {"links": {"live": ".."}},
        {"links": {"live": "{one}"}, "entry": {"time": 1}},
        {"links": ["live"]},
        [],
        None,
    ],
)
def test_what_is_no_move_is_named_with_its_cure(bundle: Path, tmp_path: Path, document: object) -> None:
    (one,) = registry_of(tmp_path, bundle, 1)
    text = json.dumps(document).replace("{one}", one)
    if isinstance(document, dict) and "entry" not in document:
        text = json.dumps({**json.loads(text), "entry": Entry("live", None, one, "promote").to_json()})
    (tmp_path / TASK / PENDING).write_text(text)
    with pytest.raises(UserError, match=r"\.move\.json is no move; remove it"):
        unloaded(tmp_path).promote(TASK, one)
    (tmp_path / TASK / PENDING).unlink()
    assert unloaded(tmp_path).promote(TASK, one) is not None


@pytest.mark.parametrize("line", [b"junk", b"[]", b"\xff\xfe", b'{"time": 1}', b"null"])
def test_a_line_of_the_history_that_is_none_is_named_with_its_cure(bundle: Path, tmp_path: Path, line: bytes) -> None:
    (one,) = registry_of(tmp_path, bundle, 1)
    with (tmp_path / TASK / HISTORY).open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(UserError, match=r"history\.jsonl:2: it cannot be read as a move; remove that line"):
        unloaded(tmp_path).history(TASK)
    assert unloaded(tmp_path).promote(TASK, one) is not None
