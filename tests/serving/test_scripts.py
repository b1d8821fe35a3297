"""The client and the load script, against a real server and against none."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.serving.helpers import GOOD, Server


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    (tmp_path / "order.wav").write_bytes(GOOD)
    return tmp_path / "order.wav"


def script(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_client_says_what_was_heard_and_what_was_refused(server: Server, clip: Path) -> None:
    (clip.parent / "junk.wav").write_bytes(b"junk")
    said = script("ask.py", clip, clip.parent / "junk.wav", f"url={server.url}")
    assert said.returncode == 0, said.stderr
    heard, refused = said.stdout.splitlines()
    assert "'product': " in heard
    assert "refused: the audio cannot be used: it is not audio" in refused
    assert "error: no server answers at http://127.0.0.1:9" in script("ask.py", clip, "url=http://127.0.0.1:9").stderr
    missing = script("ask.py", clip.parent / "none.wav", f"url={server.url}")
    assert missing.returncode == 1
    assert missing.stderr.endswith("No such file or directory\n")


def test_the_load_is_counted(server: Server, clip: Path) -> None:
    said = script("load.py", clip, "connections=3", "seconds=1", f"url={server.url}")
    assert said.returncode == 0, said.stderr
    counts, times = said.stdout.splitlines()
    assert counts.endswith(" x 200")
    assert "answers/s; median " in times
