"""Corrections in PostgreSQL: a real one, two writers at once, one of them killed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from slu.common.errors import UserError
from slu.feedback import FEEDBACK, Answered, Correction, FeedbackStore
from tests.conftest import ROOT
from tests.postgres import call
from tests.postgres import postgres_home as postgres_home

ANSWER = Answered({"product": "tea", "quantity": "1"}, 0.4, "v1")

WRITER = """
import itertools, sys, uuid
from slu.feedback import Answered, Correction, FeedbackStore
store = FeedbackStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    name = uuid.uuid4().hex
    store.add(Correction(request_id=name, labels={"product": "milk"}), Answered({"product": "tea"}, 0.4, "v1"))
    print(name, flush=True)
"""


def test_two_writers_at_once_lose_nothing_when_one_is_killed(postgres_home: Path) -> None:
    url = f"postgresql://slu@/postgres?host={postgres_home}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for name, count in ((url, 1_000_000), (url.replace("postgresql:", "postgresql+psycopg:"), 100))
    ]  # fmt: skip
    killed, other = writers
    for writer in writers:  # each makes the table where the other has not
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    told = [killed.stdout.readline().strip() for _ in range(20)]
    killed.kill()
    told += killed.stdout.read().split()
    finished = other.communicate(timeout=60)[0].split()
    killed.wait()
    assert len(finished) == 100

    store = FeedbackStore(url)
    with store.engine.connect() as connection:
        rows = connection.execute(select(FEEDBACK)).mappings().all()
    stored = {row["request_id"] for row in rows}
    assert set(told) | set(finished) <= stored
    assert len(rows) == len(stored) <= len(told) + len(finished) + 1, "one may be stored and not yet told"
    assert all(row["actual"] == {"product": "milk"} and row["state"] == "new" for row in rows)

    store.add(Correction(request_id="a" * 32, labels={"quantity": "2"}, comment="pelan 🙂"), ANSWER)
    call(postgres_home, "pg_ctl", "-D", "data", "-m", "immediate", "stop")
    with pytest.raises(SQLAlchemyError):
        store.add(Correction(request_id="b" * 32, labels={"quantity": "2"}), ANSWER)
    with pytest.raises(UserError, match="feedback: the database cannot be opened"):
        FeedbackStore(url)
    call(postgres_home, "pg_ctl", "-D", "data", "-w", "-o", f"-c listen_addresses='' -k {postgres_home}", "start")
    with store.engine.connect() as connection:
        row = connection.execute(select(FEEDBACK).where(FEEDBACK.c.request_id == "a" * 32)).mappings().one()
    assert (row["actual"], row["comment"]) == ({"product": "tea", "quantity": "2"}, "pelan 🙂")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_missing_driver_is_one_sentence_with_its_cure(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if re.match(r"psycopg\b", name)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError, match=re.escape("driver of the database is missing: psycopg; pip install 'psycopg[")):
        FeedbackStore(f"{scheme}://slu@localhost/slu")
