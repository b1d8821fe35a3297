"""What the owner may see and do over HTTP, and that nobody else may."""

import contextlib
import csv
import io
import socket

import httpx
import pytest
from sqlalchemy import update

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.feedback import FEEDBACK
from slu.serving.settings import ServeSettings
from tests.feedback.helpers import add, said
from tests.serving.admin_helpers import HOSTILE, PASSWORD, SHOP, Place
from tests.serving.helpers import Server

PATHS = ("versions", "corrections", "corrections/1/audio", "corrections.csv", "monitor", "retrain", "system", "jobs")


def log_in(owner: Place, password: str, address: str = "10.0.0.1") -> httpx.Response:
    headers = {"X-Forwarded-For": address}
    return httpx.post(f"{owner.server.url}/admin/login", json={"password": password}, headers=headers, timeout=30)


def test_without_a_password_there_is_no_such_page(server: Server) -> None:
    for path in ("/admin", "/admin/", "/admin/admin.js", "/admin/api/versions"):
        assert server.get(path).status_code == 404, path
    assert httpx.post(f"{server.url}/admin/login", json={"password": ""}, timeout=30).status_code == 404


def test_a_short_password_is_refused_and_not_repeated() -> None:
    settings = {"bundle": None, "task": None, "outputs": "outputs"}
    with pytest.raises(UserError, match="admin_password is shorter than 8 characters") as refused:
        parse_settings(ServeSettings, {**settings, "admin_password": "secret1"}, "serve")
    assert "secret1" not in str(refused.value)
    assert parse_settings(ServeSettings, {**settings, "admin_password": "secret12"}, "serve").admin_password


def test_nothing_is_shown_before_the_password_and_all_of_it_after(owner: Place) -> None:
    assert "no-cache" in owner.server.get("/admin").headers["cache-control"]
    policy = owner.server.get("/admin").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for path in PATHS:
        refused = owner.server.get(f"/admin/api/{path}")
        assert refused.status_code == 401, path
        assert owner.server.get(f"/admin/api/{path}", cookies={"slu_admin": "x" * 43}).status_code == 401
        found = owner.get(path)
        assert found.status_code == 200, (path, found.text)
        assert found.headers["cache-control"] == "no-store"
    assert owner.server.get("/models").status_code == 401, "what the tills need is another key"
    assert owner.server.get("/models", headers={"X-API-Key": PASSWORD}).status_code == 401
    assert owner.server.get("/admin/api/versions", headers=SHOP).status_code == 401
    assert "admin" not in owner.server.get("/openapi.json", headers=SHOP).text


def test_a_session_is_in_a_cookie_that_ends_with_it(owner: Place) -> None:
    answer = log_in(owner, PASSWORD)
    cookie = answer.headers["set-cookie"]
    assert answer.json() == {"open": True}
    for flag in ("HttpOnly", "SameSite=strict", "Path=/admin;", "Max-Age=43200"):
        assert flag in f"{cookie};", cookie
    assert "Secure" not in cookie
    secure = httpx.post(f"{owner.server.url}/admin/login", json={"password": PASSWORD},
                        headers={"X-Forwarded-Proto": "https"}, timeout=30)  # fmt: skip
    assert "Secure" in secure.headers["set-cookie"]
    session = {"slu_admin": answer.cookies["slu_admin"]}
    assert owner.server.get("/admin/api/versions", cookies=session).status_code == 200
    assert owner.server.get("/admin/session", cookies=session).json() == {"open": True}
    out = httpx.post(f"{owner.server.url}/admin/logout", json={}, cookies=session, timeout=30)
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert owner.server.get("/admin/api/versions", cookies=session).status_code == 401
    assert owner.server.get("/admin/session", cookies=session).json() == {"open": False}


def test_who_guesses_is_slowed_down_and_nobody_else(owner: Place) -> None:
    guesser = "203.0.113.9"
    statuses = [log_in(owner, f"guess {number}", guesser).status_code for number in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    right = log_in(owner, PASSWORD, guesser)
    assert right.status_code == 429, "also with the right one: it would be a way to know it"
    assert 0 < int(right.headers["retry-after"]) <= 60
    headers = {"X-Admin-Key": PASSWORD, "X-Forwarded-For": guesser}
    assert owner.server.get("/admin/api/jobs", headers=headers).status_code == 429
    for _ in range(15):
        assert log_in(owner, PASSWORD, "203.0.113.10").status_code == 200, "only what was wrong counts"


def test_what_changes_something_has_to_be_sent_as_json(owner: Place) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {"X-Admin-Key": PASSWORD, "Content-Type": kind}
        sent = httpx.post(f"{owner.server.url}/admin/api/corrections/accept", content=b'{"ids": [1]}', headers=headers)
        assert sent.status_code == 415, kind
    assert [row.state for row in owner.store.rows(FEEDBACK.c.id == 1)] == ["new"]
    assert owner.post("corrections/accept", {"ids": [1]}, **{"X-Admin-Key": "wrong"}).status_code == 401
    assert owner.post("corrections/accept", {"ids": [1], "state": "used"}).status_code == 422
    headers = {"X-Admin-Key": PASSWORD}
    assert httpx.delete(f"{owner.server.url}/admin/api/versions", headers=headers).status_code == 405


def test_corrections_come_with_the_surest_mistakes_first_and_are_decided(owner: Place) -> None:
    listed = owner.get("corrections", params={"size": 2}).json()
    assert (listed["total"], listed["pages"], [row["id"] for row in listed["rows"]]) == (4, 2, [1, 2])
    assert [row["id"] for row in owner.get("corrections", params={"size": 2, "page": 2}).json()["rows"]] == [3, 4]
    first, last = listed["rows"][0], owner.get("corrections", params={"page": 2, "size": 3}).json()["rows"][0]
    assert (first["comment"], first["changed"], first["disagreement"]) == (HOSTILE, ["product"], 0.9)
    assert (first["playable"], last["playable"], last["sound"]) == (True, False, "none")
    done = owner.post("corrections/accept", {"ids": [1, 2]})
    assert [row["state"] for row in done.json()["rows"]] == ["accepted", "accepted"]
    assert [row.state for row in owner.store.rows(FEEDBACK.c.id.in_([1, 2]))] == ["accepted", "accepted"]
    other = owner.post("corrections/accept", {"ids": [3]})
    assert other.status_code == 409
    assert "give one clip different labels" in other.json()["detail"]
    assert owner.post("corrections/reject", {"ids": [3]}).status_code == 200
    assert owner.get("corrections").json()["states"] == {"accepted": 2, "rejected": 1, "new": 1}
    assert [row["id"] for row in owner.get("corrections", params={"state": "rejected"}).json()["rows"]] == [3]
    for ids in ([999], [0], [2**70]):
        assert owner.post("corrections/reject", {"ids": ids}).status_code == 404, ids
    assert owner.get("corrections", params={"page": 0}).status_code == 422
    assert owner.get("corrections", params={"state": "x"}).status_code == 422


def test_a_recording_is_heard_by_its_number_and_nothing_else_is(owner: Place) -> None:
    (row,) = owner.store.rows(FEEDBACK.c.id == 1)
    data = (owner.store.outputs / str(row.audio_path)).read_bytes()
    whole = owner.get("corrections/1/audio")
    assert (whole.content, whole.headers["content-type"]) == (data, "audio/flac")
    headers = {"X-Admin-Key": PASSWORD, "Range": "bytes=4-9"}
    part = owner.server.get("/admin/api/corrections/1/audio", headers=headers)
    assert (part.status_code, part.content) == (206, data[4:10])
    assert owner.get("corrections/4/audio").status_code == 404
    for number in ("999", str(2**70), "-1"):
        assert owner.get(f"corrections/{number}/audio").status_code == 404, number
    assert owner.get("corrections/1%2f..%2f2/audio").status_code in (404, 422)
    secret = owner.store.outputs / "secret.wav"
    secret.write_bytes(b"RIFF")
    bad = add(owner.store, None, said())
    for path in ("secret.wav", "feedback_audio/../secret.wav", str(secret), "feedback_audio"):
        with owner.store.engine.begin() as connection:
            connection.execute(update(FEEDBACK).where(FEEDBACK.c.id == bad.id).values(audio_path=path))
        assert owner.get(f"corrections/{bad.id}/audio").status_code == 404, path
    owner.store.reject([bad.id])


def test_corrections_are_exported_as_the_command_does_it(owner: Place) -> None:
    answer = owner.get("corrections.csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["comment"] for row in rows][:1] == [HOSTILE]
    assert (owner.store.outputs / rows[0]["audio_path"]).is_file(), "from the outputs on"
    owner.post("corrections/reject", {"ids": [4]})
    states = {row["state"] for row in csv.DictReader(io.StringIO(owner.get("corrections.csv?state=rejected").text))}
    assert states == {"rejected"}


def test_it_tells_of_the_machine(owner: Place) -> None:
    told = owner.get("system").json()
    assert told["workers"]
    assert set(told["workers"].values()) == {"ready"}
    assert 0 < told["disk"]["free"] <= told["disk"]["total"]
    assert told["server_bytes"] > 10_000_000
    assert owner.server.post(content=b"junk", headers=SHOP).status_code == 422
    assert owner.get("system").json()["requests"]["by_status"]["422"] == 1
    assert PASSWORD not in owner.get("system").text


def test_uploads_that_hang_keep_the_shop_out_and_not_its_owner(owner: Place) -> None:
    place = httpx.URL(owner.server.url)
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {SHOP['X-API-Key']}\r\nContent-Length: 1000\r\n"
    with contextlib.ExitStack() as hanging:
        for number in range(4 * 32):  # what may be sending at a time, with the default of max_in_flight
            sender = hanging.enter_context(socket.create_connection((place.host, place.port or 80), timeout=30))
            sender.sendall(f"{head}X-Forwarded-For: 198.51.100.{number}\r\n\r\n".encode())
        for number in range(100):
            headers = {**SHOP, "X-Forwarded-For": f"192.0.2.{number}"}
            if (told := owner.server.post(content=b"x", headers=headers)).status_code == 503:
                break
        assert "too many uploads" in told.text
        assert log_in(owner, PASSWORD, "203.0.113.20").status_code == 200
