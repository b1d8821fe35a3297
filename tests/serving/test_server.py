"""The server as a shop runs it: a real process, what it answers, lists, counts and guards."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from slu.audio.decode import rms_db
from slu.bundles import Predictor, load_bundle
from tests.bundles.helpers import tiny_bundle
from tests.conftest import ROOT, tone
from tests.serving.helpers import GOOD, Server, running


def test_a_form_and_a_bare_body_get_the_answer_of_the_predictor(server: Server, bundle: Path) -> None:
    expected = Predictor(load_bundle(bundle)).predict(GOOD)
    form, bare = server.post(files={"file": ("a.wav", GOOD)}), server.post(content=GOOD)
    for response in (form, bare):
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer["labels"] == dict(expected.labels)
        assert answer["confidence"] == pytest.approx(expected.confidence, abs=1e-3)
        assert set(answer["timings_ms"]) == {"decode", "features", "recognise", "all"}
        assert response.headers["x-model-version"] == answer["model_version"] == "drinks"
        assert response.headers["x-request-id"] == answer["request_id"]
    assert server.post(content=GOOD, headers={"Content-Type": "audio/x-flac"}).status_code == 200, "the bytes decide"


def test_one_bad_file_of_a_request_costs_the_others_nothing(server: Server) -> None:
    response = server.post(files=[("file", ("a.wav", GOOD)), ("file", ("b.wav", b"junk")), ("file", ("c.wav", GOOD))])
    first, second, third = response.json()["results"]
    assert first["labels"] == third["labels"]
    assert second == {"error": second["error"]}
    assert "not audio in a known format" in second["error"]


def test_models_are_listed_and_asked_for(server: Server) -> None:
    (model,) = server.get("/models").json()
    assert (model["version"], model["task"]) == ("drinks", "drinks")
    assert model["heads"]["product"] == ["tea", "coffee", "milk"]
    file = {"file": ("a.wav", GOOD)}
    assert server.post(files=file, data={"model": "drinks"}).status_code == 200
    assert server.post(content=GOOD, params={"task": "drinks"}).status_code == 200
    assert server.post(files=file, data={"model": "../drinks"}).status_code == 404
    assert server.post(content=GOOD, params={"task": "x" * 1000}).status_code == 422


def test_it_says_where_it_answers(server: Server) -> None:
    assert f"{server.url} answers with " in server.log.read_text()


@pytest.mark.parametrize("path", ["/", "/health", "/models", "/metrics"])
def test_watchers_may_ask_for_the_head_alone(path: str, server: Server) -> None:
    answer = httpx.head(f"{server.url}{path}", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")


def test_every_answer_has_headers_for_safety_and_a_line_in_the_log(server: Server) -> None:
    answer = server.post(content=GOOD)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in server.get("/").headers["content-security-policy"]
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    line = next(line for line in lines if line.get("request_id") == answer.json()["request_id"])
    assert (line["status"], line["labels"], line["model_version"]) == (200, answer.json()["labels"], "drinks")
    assert "scores" not in line
    assert (line["duration_s"], line["frames"]) == (0.6, 61)
    assert line["level_db"] == pytest.approx(rms_db(tone(300, 0.6)), abs=0.1)
    assert line["mel_std"] > 0
    assert set(line["timings_ms"]) == {"decode", "features", "recognise", "all"}
    assert "x-slu-log" not in answer.headers


def test_what_it_counts_is_there_for_prometheus(server: Server) -> None:
    server.post(content=GOOD)
    server.post(content=b"junk")
    text = server.get("/metrics").text
    assert 'slu_model_info{version="drinks"} 1.0' in text
    for line in (
        'slu_requests_total{status="200"}', 'slu_requests_total{status="422"}', "slu_request_seconds_bucket",
        'slu_confidence_count{version="drinks"}', 'slu_classes_total{head="product"',
        'slu_stage_seconds_sum{stage="decode"}',
    ):  # fmt: skip
        assert line in text


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health HTTP/1.1\r\nX: " + b"a" * 200_000,
        b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * 40_000,
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: a\r\n" * 40_000,
    ],
)
def test_headers_come_to_an_end(server: Server, sent: bytes) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(sent)
        assert client.recv(100).startswith(b"HTTP/1.1 4")
    assert server.get("/health").status_code == 200


def test_a_body_of_many_chunks_is_no_header(server: Server) -> None:
    pieces = iter([GOOD[at : at + 500] for at in range(0, len(GOOD), 500)])
    assert server.post(content=pieces).status_code == 200


def test_a_slow_sender_holds_nobody(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(12)]  # more than may be answered at a time
    for one in slow:
        one.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nab")
    assert server.post(content=GOOD).status_code == 200
    for one in slow:
        one.close()
    assert server.post(content=GOOD).status_code == 200


def test_what_cannot_be_served_is_said(bundle: Path, tmp_path: Path) -> None:
    def refused(*settings: str) -> str:
        command = [sys.executable, "-m", "slu.serve", f"outputs={tmp_path / 'out'}", *settings]
        result = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 2, result.stdout
        assert "Traceback" not in result.stderr
        return result.stderr

    assert "train one with `python -m slu.train`" in refused()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1: Address already in use" in refused(f"bundle={bundle}", f"port={port}")
    damaged = tiny_bundle(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"nothing")
    assert f"error: the bundle {damaged} cannot be used" in refused(f"bundle={damaged}")
    (damaged / "spec.json").write_text("{")
    assert "its spec.json cannot be read" in refused(f"bundle={damaged}")
    twice = tiny_bundle(tmp_path / "elsewhere" / "drinks")
    assert "two folders are called drinks" in refused(f"bundle=[{bundle},{twice}]")
    assert "/requests.jsonl: No such file or directory" in refused(
        f"bundle={bundle}", f"log={tmp_path}/none/requests.jsonl"
    )
    assert "task=orders: the bundles are for drinks" in refused(f"bundle={bundle}", "task=orders")


def test_a_key_guards_all_but_the_page_and_who_asks_too_often_waits(bundle: Path, tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    settings = ("api_key=secret", f"log={log}", "cors=['https://shop.test']", "rate_limit_per_minute=2")
    with running(tmp_path, f"bundle={bundle}", *settings) as server:
        asked = {"Origin": "https://shop.test", "Access-Control-Request-Method": "POST"}
        for origin, allowed in (("https://shop.test", 200), ("https://other.test", 400)):
            before = httpx.options(f"{server.url}/predict", headers={**asked, "Origin": origin})
            assert before.status_code == allowed
        for path in ("/", "/page.js", "/texts.js", "/draw.js", "/page.css", "/health"):
            assert server.get(path).status_code == 200
        for path in ("/models", "/metrics", "/docs", "/openapi.json", "/info"):
            assert server.get(path).status_code == 401
            assert server.get(path, headers={"X-API-Key": "secret"}).status_code == 200
        assert server.post(content=GOOD).status_code == 401
        assert server.post(content=GOOD, headers={"X-API-Key": "secret"}).status_code == 200
        again = server.post(content=GOOD, headers={"X-API-Key": "secret", "X-Forwarded-For": "1.2.3.4"})
        assert again.status_code == 429, "no proxy is trusted"
        assert 1 <= int(again.headers["retry-after"]) <= 30
        assert server.get("/health").status_code == 200
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [401, 200, 429]
    assert "127.0.0.1" not in log.read_text()
