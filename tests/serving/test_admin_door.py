"""The door of the owner's page and its commands, without a server: passwords, guesses, what is a failure, secrets."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request

from slu.common.settings import parse_settings
from slu.serving.admin.asking import database_of, stored_in
from slu.serving.admin.door import Door
from slu.serving.admin.jobs import Job
from slu.serving.settings import ServeSettings

PASSWORD = "kata sandi ümlaut"


def request(key: bytes) -> Request:
    headers = [(b"x-admin-key", key)]
    return Request(
        {"type": "http", "method": "GET", "path": "/api/jobs", "headers": headers, "client": ("10.0.0.1", 1)}
    )


def door() -> Door:
    return Door(lambda *_: None, PASSWORD, (), trust_proxy=False)  # type: ignore[arg-type,return-value]


def test_a_password_with_any_letters_works_in_a_header() -> None:
    assert door()._refused(request(PASSWORD.encode())) is None


def test_the_owner_at_the_same_address_forgives_no_guesses() -> None:
    asked, statuses = door(), []
    for number in range(12):
        refused = asked._refused(request(f"guess {number}".encode()))
        statuses.append(0 if refused is None else refused.status_code)
        asked._refused(request(PASSWORD.encode()))
    assert statuses == [401] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("says", "code", "state"),
    [
        ("2 alerts; report: out/report.html", 1, "done"),
        ("ValueError: a mistake of ours", 1, "failed"),
        ("2 alerts; report: out/report.html", 2, "failed"),
        ("", 0, "done"),
    ],
)
def test_an_exit_code_of_1_is_fine_only_where_the_command_came_to_its_end(says: str, code: int, state: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"], text=True)
    job = Job("monitor", "; report: ", process)
    job.lines.append(says)
    process.wait(30)
    job.ended = time.time()
    assert job.state == state


def test_the_database_with_its_password_is_kept_in_no_run(
    run_here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://slu:s3cret@nowhere.invalid/slu"
    settings = parse_settings(ServeSettings, {"bundle": None, "task": None, "outputs": "o", "feedback": url}, "serve")
    assert "s3cret" not in "".join(stored_in(settings))
    for name, value in database_of(settings).items():
        monkeypatch.setenv(name, value)
    assert run_here("retrain").returncode != 0
    kept = [path.read_text() for path in tmp_path.glob("outputs/runs/retrain/*/.hydra/*.yaml")]
    assert len(kept) == 3
    assert not any("s3cret" in text for text in kept)
