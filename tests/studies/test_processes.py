"""Tasks in processes: results as they come, and nothing left running whatever ends the study."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from slu.studies.processes import run_each

ROOT = Path(__file__).parents[2]


def work(folder: str, seconds: float) -> int:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(seconds)
    if seconds < 0.2:
        raise ArithmeticError("this one fails")
    return os.getpid()


def still_running(folder: Path) -> list[int]:
    """Those of the processes that have been at work, after some seconds' grace."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        alive = [int(path.name) for path in folder.iterdir() if Path(f"/proc/{path.name}").exists()]
        if not alive:
            return []
        time.sleep(0.1)
    return alive


def test_one_job_works_here_and_in_turn() -> None:
    assert list(run_each(pow, [(2, 3), (3, 2)], 1)) == [(0, 8), (1, 9)]
    assert list(run_each(pow, [], 2)) == []


def test_an_error_in_one_task_ends_the_others(tmp_path: Path) -> None:
    start, others = time.monotonic(), multiprocessing.active_children()
    with pytest.raises(ArithmeticError, match="this one fails"):
        list(run_each(work, [(str(tmp_path), 300.0), (str(tmp_path), 0.1)], 2))
    assert time.monotonic() - start < 60
    assert set(multiprocessing.active_children()) == set(others)


def test_ctrl_c_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt_when_busy() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    others = multiprocessing.active_children()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        threading.Thread(target=interrupt_when_busy, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            list(run_each(work, [(str(tmp_path), 300.0), (str(tmp_path), 301.0)], 2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert set(multiprocessing.active_children()) == set(others)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks processes up in /proc")
def test_a_killed_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    pids = tmp_path / "pids"
    pids.mkdir()
    script.write_text(
        "from slu.studies.processes import run_each\n"
        "from tests.studies.test_processes import work\n"
        f"if __name__ == '__main__': list(run_each(work, [({str(pids)!r}, 300.0), ({str(pids)!r}, 301.0)], 2))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(script)], env=environment)
    deadline = time.monotonic() + 120
    while len(list(pids.iterdir())) < 2:
        assert parent.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    parent.kill()
    parent.wait()
    assert still_running(pids) == []
