"""What the log says of a sound."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from slu.monitoring.facts import NAMES as FACTS
from slu.monitoring.log_files import Read, read_lines
from slu.monitoring.windows import Log
from slu.serving.facts import NAMES, as_header, feature_facts, heard_facts, sound_facts, told
from slu.serving.request_log import RequestLog
from tests.serving.helpers import GOOD, Server


def test_level_and_statistics_are_those_of_the_sound() -> None:
    facts = sound_facts(np.full(8000, 0.1, np.float32), 16_000)
    assert facts.items() >= {"duration_s": 0.5, "level_db": -20.0, "noise_db": -20.0, "crest_db": 0.0}.items()
    assert "pitch_hz" not in facts  # there is no voice
    assert set(facts) < set(NAMES)
    assert feature_facts(torch.tensor([[1.0, 3.0], [1.0, 3.0], [1.0, 3.0]])) == {
        "frames": 3,
        "mel_mean": 2.0,
        "mel_std": 1.0,
    }


def test_each_file_has_its_own_facts_and_one_without_loses_nothing() -> None:
    facts = [{"level_db": -20.0}, {}, {"level_db": -30.0}]
    timed = {"timings_ms": {"decode": 1.0, "all": 9.0}}
    document = told({"request_id": "a", "results": [timed, {"error": "no audio"}, {}]}, facts)
    first, second, third = document["results"]
    assert first == {"level_db": -20.0, **timed}
    assert (second, third) == ({"error": "no audio"}, {"level_db": -30.0})
    assert told({"detail": "too busy"}, []) == {"detail": "too busy"}


def test_what_is_no_number_is_left_out() -> None:
    facts = heard_facts(np.zeros(16, np.float32), 16_000, np.full((2, 2), np.nan))
    assert not {"mel_mean", "mel_std", "pitch_hz"} & set(facts)
    assert {"duration_s", "level_db", "frames"} < set(facts)
    assert json.loads(as_header([facts])["x-slu-log"]) == [facts]


def test_a_line_holds_facts_but_nothing_of_the_sound_or_of_who_asked(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"request_id": "a", "labels": {}, "scores": {"x": {"y": 1.0}}, "samples": [0.1], "client": "10.0.0.1"}
    RequestLog("-").write(200, told(answer, [{"level_db": -20.0, "frames": 3}]), 1.0)
    line = capsys.readouterr().out
    assert '"level_db": -20.0' in line
    assert not any(word in line for word in ("samples", "10.0.0.1", "scores"))


def test_a_sound_without_a_sample_is_no_error() -> None:
    assert sound_facts(np.zeros(0, np.float32), 16_000) == {"duration_s": 0.0, "level_db": -120.0}


def test_a_log_that_was_rotated_goes_on_in_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = RequestLog(str(path))
    log.write(200, {"request_id": "a"}, 1.0)
    path.rename(tmp_path / "access.log.1")
    log.write(200, {"request_id": "b"}, 1.0)
    path.unlink()
    log.write(200, {"request_id": "c"}, 1.0)
    log.write(200, {"request_id": "d"}, 1.0)
    assert [json.loads(line)["request_id"] for line in (tmp_path / "access.log.1").read_text().splitlines()] == ["a"]
    assert [json.loads(line)["request_id"] for line in path.read_text().splitlines()] == ["c", "d"]


def test_a_full_disk_costs_the_line_and_not_the_answer() -> None:
    log = RequestLog("/dev/full")
    for _ in range(2):
        log.write(200, {"request_id": "a"}, 1.0)


def test_the_monitor_reads_what_a_server_writes(server: Server) -> None:
    """Standard output, where other lines stand between."""
    version = server.post(content=GOOD, headers={"Content-Type": "audio/wav"}).json()["model_version"]
    server.post(files=[("file", GOOD), ("file", b"no audio")])
    read = Read()
    (window,) = Log("all").read(read_lines([str(server.log)], read), read).windows.values()
    sketch = window.sketches[version]
    assert sketch.clips >= 2
    assert window.unusable >= 1
    assert {name for name in FACTS if sketch.known(name)} == set(FACTS)
    assert int(window.latency.sum()) == window.requests
