"""/openapi.json is true: what was made up by it is answered by it, and never by a 5xx."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import schemathesis

from tests.serving.helpers import GOOD, Server

COUNT = "SELECT count(*) FROM feedback"


def test_it_describes_the_answers(server: Server) -> None:
    paths = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    assert {operation.ok().label for operation in paths.get_all_operations()} == {
        "GET /health", "GET /models", "GET /metrics", "POST /predict", "POST /feedback",
    }  # fmt: skip
    for path in ("/health", "/models", "/metrics"):
        paths[path]["GET"].validate_response(server.get(path))
    one = server.post(content=GOOD)
    many = server.post(files=[("file", ("a.wav", GOOD)), ("file", ("b.wav", b"junk"))])
    for answer in (one, many, server.post(content=b"junk"), server.post(json={}), server.post(data={"x": "1"})):
        answer.request.read()  # schemathesis wants to see it, too
        paths["/predict"]["POST"].validate_response(answer)
    body = {"request_id": one.json()["request_id"], "labels": {"product": "tea"}}
    for sent in (body, {**body, "labels": {"colour": "red"}}, {**body, "request_id": "0" * 32}, {"labels": 1}):
        paths["/feedback"]["POST"].validate_response(httpx.post(f"{server.url}/feedback", json=sent, timeout=30))
    assert server.get("/docs").status_code == 200


def test_requests_made_up_by_it_never_get_a_5xx(server: Server, tmp_path: Path) -> None:
    """Of corrections, the document is told one answer and its labels, so that some are stored."""
    document = server.get("/openapi.json").json()
    known = {"request_id": {"enum": [server.post(content=GOOD).json()["request_id"]]}}
    known["labels"] = {"type": "object", "required": ["product"], "properties": {"product": {"enum": ["tea", "milk"]}}}
    known["labels"]["additionalProperties"] = False
    document["components"]["schemas"]["Correction"]["properties"] |= known
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    with closing(sqlite3.connect(server.log.parent / "out" / "feedback.sqlite")) as database:
        (before,) = database.execute(COUNT).fetchone()
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", "openapi.json", "--url", server.url,
                "--phases", "examples,coverage,fuzzing", "--max-examples", "100", "--generation-deterministic",
                # That bytes are audio cannot be said in a document.
                "--checks", "all", "--exclude-checks", "positive_data_acceptance",
                "--continue-on-failure", "--no-color",
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        (after,) = database.execute(COUNT).fetchone()
    print(done.stdout[-400:], f"{after - before} corrections stored")
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) generated", done.stdout)[0]) >= 200
    assert after > before
