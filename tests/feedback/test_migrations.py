"""A database made by any version opens, with its rows: also by two processes at once, and after one was killed."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

import slu.feedback.migrations
from slu.common.errors import UserError
from slu.feedback import FEEDBACK, FeedbackStore
from slu.feedback.schema import REVISION, VERSION_TABLE
from tests.conftest import ROOT
from tests.feedback.helpers import add
from tests.postgres import postgres_home as postgres_home

OPENER = """
import sys
from slu.feedback import FeedbackStore
print("ready", flush=True)
sys.stdin.readline()
store = FeedbackStore(sys.argv[1])
print(len(store.rows()), flush=True)
"""
KILLED = """
import sys
from sqlalchemy import inspect
from slu.feedback import database
whole = database.upgrade
def upgrade(connection):
    whole(connection)
    print("split" in {one["name"] for one in inspect(connection).get_columns("feedback")}, flush=True)
    sys.stdin.readline()
database.upgrade = upgrade
database.open_database(sys.argv[1])
"""


def process(script: str, url: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", script, url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def before_migrations(url: str) -> None:
    """What an earlier version left there."""
    engine = create_engine(url)
    script = Path(__file__).with_name(f"before_migrations.{engine.dialect.name}.sql").read_text(encoding="utf-8")
    with engine.begin() as connection:
        for statement in re.sub(r"^--.*$", "", script, flags=re.MULTILINE).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()


def require_migrated(store: FeedbackStore) -> None:
    """The three rows of before, whole, in the table as the code knows it."""
    first, second, third = store.rows()
    assert (first.request_id, first.comment, first.actual["product"]) == ("a" * 32, "pelan 🙂", "milk")
    assert (first.state, first.flags, first.used_in, first.confidences) == ("new", (), (), {})
    assert first.received.isoformat()[:16] == "2026-11-26T11:37"
    assert (first.split, second.split, third.split) == (None, "holdout", "train")
    assert second.audio_path == f"feedback_audio/{'1' * 64}.wav"
    assert second.disagreement == 0.9, "of before there was one for each head"
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, FEEDBACK.metadata) == []
        assert context.get_current_revision() == REVISION
    assert add(store, quantity="2").id == 4


def two_openers(url: str, rows: int) -> None:
    openers = [process(OPENER, url) for _ in range(2)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    for opener in openers:
        out, err = opener.communicate(timeout=60)
        assert (opener.returncode, out) == (0, f"{rows}\n"), err


def test_two_processes_migrate_one_sqlite_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'f.sqlite'}"
    before_migrations(url)
    two_openers(url, 3)
    require_migrated(FeedbackStore(url))


def test_two_processes_migrate_and_make_one_postgresql_table_at_once(postgres_home: Path) -> None:
    url = f"postgresql+psycopg://slu@/postgres?host={postgres_home}"
    two_openers(url, 0)
    with FeedbackStore(url).engine.begin() as connection:
        connection.execute(text(f"DROP TABLE feedback; DROP TABLE {VERSION_TABLE}"))
    before_migrations(url)
    two_openers(url, 3)
    require_migrated(FeedbackStore(url))


def test_a_migration_that_is_killed_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    database = tmp_path / "f.sqlite"
    before_migrations(f"sqlite:///{database}")
    killed = process(KILLED, f"sqlite:///{database}")
    assert killed.stdout is not None
    assert killed.stdout.readline() == "True\n", "all of it is done and not committed"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    columns = {column["name"] for column in inspect(create_engine(f"sqlite:///{database}")).get_columns("feedback")}
    assert "split" not in columns
    require_migrated(FeedbackStore(f"sqlite:///{database}"))


def test_a_table_without_the_columns_of_kept_audio_gets_them(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "f.sqlite")) as opened:
        opened.execute(
            "CREATE TABLE feedback (id INTEGER PRIMARY KEY, request_id VARCHAR(64), received DATETIME, "
            "model_version VARCHAR(100), predicted JSON, confidence FLOAT, actual JSON, comment VARCHAR(500), "
            "state VARCHAR(20))"
        )
        opened.execute("INSERT INTO feedback VALUES (7, 'old', '2026-01-01 00:00:00', 'v', '{}', 1, '{}', '', 'new')")
        opened.commit()
    (row,) = FeedbackStore(f"sqlite:///{tmp_path / 'f.sqlite'}").rows()
    assert (row.id, row.request_id, row.audio_path, row.flags) == (7, "old", None, ())


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'f.sqlite'}"
    with FeedbackStore(url).engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(UserError, match=f"of a newer slu .its revision is 9999, this one knows up to {REVISION}"):
        FeedbackStore(url)
    with closing(sqlite3.connect(tmp_path / "f.sqlite")) as opened:
        assert opened.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [("9999",)]


def test_the_last_migration_is_the_one_that_the_code_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(slu.feedback.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
