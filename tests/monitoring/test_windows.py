import json

import pytest

from slu.monitoring import windows
from slu.monitoring.facts import LATENCY
from slu.monitoring.log_files import Read
from slu.monitoring.sketch import OTHERS, quantile
from slu.monitoring.windows import Log
from tests.monitoring.helpers import VERSION, as_bytes, line, log_of


@pytest.mark.parametrize(
    ("length", "starts"),
    [
        ("hour", ["2026-01-01T10", "2026-01-01T11", "2026-01-08T10"]),
        ("day", ["2026-01-01", "2026-01-08"]),
        ("week", ["2025-12-29", "2026-01-05"]),
        ("all", [""]),
    ],
)
def test_windows_are_in_order_of_time_whatever_the_order_of_lines(length: windows.Length, starts: list[str]) -> None:
    log = log_of([line(8), line(1, 11), line(1), line(8)], length)
    assert list(log.windows) == starts
    assert sum(window.requests for window in log.windows.values()) == 4


def test_requests_clips_and_versions_are_counted() -> None:
    many = line(labels=None, results=[line(model_version="b"), {"error": "no audio"}, line()])
    refused = {"time": line()["time"], "status": 422, "ms": 1.0, "detail": "no audio"}
    late = {"time": line()["time"], "status": 503, "ms": 5000.0}
    (window,) = log_of([line(), many, refused, late]).windows.values()
    assert (window.requests, window.failed, window.unusable, window.clips) == (4, 1, 2, 3)
    assert {version: sketch.clips for version, sketch in window.sketches.items()} == {VERSION: 2, "b": 1}
    assert window.statuses == {200: 2, 422: 1, 503: 1}
    assert quantile(window.latency, LATENCY, 1.0) == pytest.approx(5000, rel=0.1)
    assert window.sketches[VERSION].known("level_db") == 2


@pytest.mark.parametrize(
    "text",
    [b"INFO: started", b"[]", b"7", b"{}", b'{"time": 1, "status": 200}', b'{"time": "2026-01-01T10", "status": "ok"}',
     b'{"time": "yesterday", "status": 200}', b"\xff\xfe", b"[" * 100_000, b'{"time": "2026-01-01", "status": true}'],
)  # fmt: skip
def test_what_is_no_line_of_a_server_is_counted_as_broken(text: bytes) -> None:
    read = Read()
    log = Log("day").read([text + b"\n", *as_bytes([line()])], read)
    assert read.broken == 1
    assert log.windows["2026-01-01"].requests == 1


def test_a_last_line_that_is_being_written_is_no_error() -> None:
    read = Read()
    half = as_bytes([line()])[0][:40]
    assert Log("day").read([*as_bytes([line()]), half], read).windows["2026-01-01"].requests == 1
    assert (read.broken, read.unfinished) == (0, 1)


def test_a_whole_last_line_without_its_end_counts() -> None:
    read = Read()
    assert Log("day").read([json.dumps(line()).encode()], read).windows["2026-01-01"].requests == 1
    assert read.unfinished == 0


def test_windows_beyond_the_most_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_MOST_WINDOWS", 3)
    records = [line(day) for day in (3, 1, 9, 2, 8, 1, 7, 3, 9)]
    log = log_of(records)
    assert list(log.windows) == ["2026-01-07", "2026-01-08", "2026-01-09"]
    assert log.earlier is not None
    kept = sum(window.requests for window in log.windows.values())
    assert (log.earlier.requests, kept) == (5, 4)
    assert log.earlier.sketches[VERSION].known("level_db") == 5
    assert int(log.earlier.latency.sum()) == 5


def test_versions_without_end_are_counted_together() -> None:
    (window,) = log_of([line(model_version=f"v{number}") for number in range(40)]).windows.values()
    assert len(window.sketches) == 21
    assert window.sketches[OTHERS].clips == window.sketches[OTHERS].known("level_db") == 20


@pytest.mark.parametrize(
    "changes",
    [{"labels": "tea"}, {"labels": {}}, {"reason": 7}, {"model_version": None}, {"results": "x"}, {"ms": "slow"},
     {"labels": {"product": ["tea"]}}, {"results": [1, None]}, {"ms": 10**400}],
)  # fmt: skip
def test_strange_values_do_no_harm(changes: dict[str, object]) -> None:
    assert log_of([line(**changes), line()]).windows["2026-01-01"].requests == 2
