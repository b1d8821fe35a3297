"""Corrections: stored before the sender hears so, by several servers at once, and only where they make sense."""

import hashlib
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest

from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.feedback import Answered, Correction, FeedbackStore, default_url, unknown_label
from slu.serving.feedback import Losses, Remembered
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone
from tests.serving.helpers import GOOD, Server, audio, running

ANSWER = Answered({"product": "tea", "quantity": "1"}, 0.4, "v1")


def rows(database: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as opened:
        return opened.execute("SELECT request_id, actual FROM feedback").fetchall()


def send(server: Server, **body: object) -> httpx.Response:
    return httpx.post(f"{server.url}/feedback", json=body, timeout=30)


def test_corrections_survive_the_death_of_everything_and_two_servers_write_at_once(tmp_path: Path) -> None:
    bundle, database = tiny_bundle(tmp_path / "drinks"), tmp_path / "corrections.sqlite"
    settings = (f"bundle={bundle}", f"feedback=sqlite:///{database}")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with running(tmp_path / "a", *settings) as one, running(tmp_path / "b", *settings) as two:
        answers = [(server, server.post(content=GOOD).json()) for server in (one, two) for _ in range(10)]

        def correct(pair: tuple[Server, dict[str, str]]) -> int:
            return send(pair[0], request_id=pair[1]["request_id"], labels={"product": "milk"}).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(correct, answers)) == {200}
        last = one.post(content=GOOD).json()["request_id"]
        assert send(one, request_id=last, labels={"quantity": "2"}, comment="loud").status_code == 200
        os.killpg(one.process.pid, signal.SIGKILL)
        os.killpg(two.process.pid, signal.SIGKILL)
    assert not list(tmp_path.rglob("feedback_audio")), "nobody asked for the sound to be kept"
    kept = rows(database)
    assert {name for name, _ in kept} == {answer["request_id"] for _, answer in answers} | {last}
    assert len(kept) == 21


def test_a_file_of_many_is_corrected_with_its_sound_and_nonsense_is_refused(tmp_path: Path) -> None:
    other = audio(tone(500, 0.6), "FLAC")
    with running(tmp_path, f"bundle={tiny_bundle(tmp_path / 'drinks')}", "keep_audio=true") as server:
        many = server.post(files=[("file", ("a.wav", GOOD)), ("file", ("../../b.wav", other))]).json()
        folder = tmp_path / "out" / "feedback_audio"
        assert not folder.exists(), "before there is a correction"
        second = many["results"][1]["request_id"]
        assert second == f"{many['request_id']}.1"
        assert send(server, request_id=second, labels={"product": "milk"}).json() == {"stored": second}
        for body, status in (
            ({"request_id": "0" * 32, "labels": {"product": "milk"}}, 404),
            ({"request_id": second, "labels": {"product": "beer"}}, 422),
            ({"request_id": second, "labels": {"colour": "red"}}, 422),
            ({"request_id": second, "labels": {}}, 422),
            ({"request_id": second, "labels": {"product": "milk"}, "comment": "x" * 501}, 422),
            ({"request_id": "../x", "labels": {"product": "milk"}}, 422),
        ):
            assert send(server, **body).status_code == status, body
        told = send(server, request_id=second, labels={"quantity": 3}).json()["detail"]
        assert told == 'body.labels.quantity: should be text, and 3 is a number; write it in quotes: "3"'
        assert len(rows(tmp_path / "out" / "feedback.sqlite")) == 1
        (file,) = folder.iterdir()
        assert file.read_bytes() == other
        assert file.name == f"{hashlib.sha256(other).hexdigest()}.flac"
        assert folder.stat().st_mode & 0o077 == 0
        (row,) = FeedbackStore(default_url(tmp_path / "out")).rows()
        assert (row.audio_sha256, row.audio_path) == (file.stem, f"feedback_audio/{file.name}")
        assert row.audio_digest == content_hash(file)


def test_what_is_known_of_an_answer_is_stored_with_its_correction_and_guarded(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "drinks")
    with running(tmp_path, f"bundle={bundle}", "feedback_per_hour=2", "trust_proxy=true") as server:
        answer = server.post(content=GOOD).json()
        assert send(server, request_id=answer["request_id"], labels={"product": "milk"}).status_code == 200
        silent = server.post(content=audio(np.zeros(RATE, np.float32))).json()["request_id"]
        assert send(server, request_id=silent, labels={"product": "milk"}).status_code == 200
        again = server.post(content=GOOD).json()["request_id"]
        for address, label in (("10.0.0.7", "tea"), ("10.0.0.7", "tea"), ("10.0.0.7", "coffee")):
            body = {"request_id": again, "labels": {"product": label}}
            headers = {"X-Forwarded-For": address}
            assert httpx.post(f"{server.url}/feedback", json=body, headers=headers, timeout=30).status_code == 200
    first, quiet, *others = FeedbackStore(default_url(tmp_path / "out")).rows()
    assert first.predicted == answer["labels"]
    assert first.confidences == {name: answer["scores"][name][label] for name, label in answer["labels"].items()}
    assert (first.task, first.model_version, first.confidence) == ("drinks", "drinks", answer["confidence"])
    assert (first.reason or "", first.duration_s) == (answer["reason"], answer["duration_s"])
    assert first.level_db == pytest.approx(-18, abs=4)
    assert (first.audio_sha256, first.audio_path) == (hashlib.sha256(GOOD).hexdigest(), None), "no more than a hash"
    assert first.split in ("train", "holdout")
    assert "silence" in quiet.flags
    assert first.flags == ("conflict",), "by the hash, although no sound is kept"
    assert all({"conflict", "flood"} <= set(row.flags) for row in others)
    assert others[1].flags[:2] == ("conflict", "duplicate")
    assert first.client != others[0].client == others[2].client
    assert not any("10.0.0.7" in str(row) for row in others)


def test_what_cannot_be_stored_is_an_error_of_its_caller(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="feedback: the database cannot be opened"):
        FeedbackStore(f"sqlite:///{tmp_path}")
    with pytest.raises(UserError, match="feedback: the database cannot be opened"):
        FeedbackStore("nothing://here")
    store = FeedbackStore(f"sqlite:///{tmp_path / 'new' / 'f.sqlite'}")
    store.add(Correction(request_id="a" * 32, labels={"quantity": "2"}), ANSWER)
    assert rows(tmp_path / "new" / "f.sqlite") == [("a" * 32, '{"product": "tea", "quantity": "2"}')]


def test_a_database_that_is_lost_while_it_serves_is_told_and_made_anew(tmp_path: Path) -> None:
    database = tmp_path / "corrections" / "f.sqlite"
    with running(tmp_path, f"bundle={tiny_bundle(tmp_path / 'drinks')}", f"feedback=sqlite:///{database}") as server:
        ids = [server.post(content=GOOD).json()["request_id"] for _ in range(4)]
        database.rename(tmp_path / "moved.sqlite")
        assert send(server, request_id=ids[0], labels={"product": "milk"}).status_code == 200
        assert [name for name, _ in rows(database)] == [ids[0]]
        assert f"{database} was gone, and was made anew" in server.log.read_text()
        for number in (1, 2):
            database.write_bytes(b"junk" * 1000)
            assert send(server, request_id=ids[number], labels={"product": "milk"}).status_code == 503
        (told,) = [line for line in server.log.read_text().splitlines() if "could not be stored" in line]
        assert f"a correction could not be stored in {database}: file is not a database" in told
        assert "Traceback" not in server.log.read_text()
        database.parent.joinpath("f.sqlite").unlink()
        database.parent.rmdir()
        assert send(server, request_id=ids[3], labels={"product": "milk"}).status_code == 200
        assert [name for name, _ in rows(database)] == [ids[3]]
        counted = server.get("/metrics").text
    assert 'slu_corrections_total{outcome="stored"} 2.0' in counted
    assert 'slu_corrections_total{outcome="failed"} 2.0' in counted


def test_a_reason_is_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    losses, often = Losses("f.sqlite"), Losses("f.sqlite", again_s=0)
    for reason in ("full", "full", "full", "locked"):
        losses.tell(reason)
        often.tell(reason)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 + 4
    assert said[-2] == "a correction could not be stored in f.sqlite: locked (2 more since the last such line)"


def test_labels_are_checked_and_only_the_last_answers_are_remembered() -> None:
    heads = {"product": ["tea", "milk"]}
    assert unknown_label({"product": "milk"}, heads) == ""
    assert "has no class 'beer'; it has tea, milk" in unknown_label({"product": "beer"}, heads)
    assert "there is no head 'size'" in unknown_label({"size": "big"}, heads)
    remembered = Remembered()
    for number in range(1500):
        remembered.add({"request_id": str(number), "labels": {}, "confidence": 0.5, "model_version": "v"})
    remembered.add({"detail": "no audio"})
    assert remembered.get("0") is None
    assert remembered.get("1499") is not None
