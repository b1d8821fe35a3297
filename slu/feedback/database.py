"""The database of corrections: SQLite with a write-ahead log, or PostgreSQL by URL, at its last migration."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from slu.common.errors import UserError
from slu.feedback.schema import REVISION, VERSION_TABLE

_LOG = logging.getLogger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)  # each opening would tell of the migrations that it looked at
_WAIT_MS = 10_000
"""For another process that writes to the same file."""
_POSTGRES = "postgresql+psycopg"
_LOCK = 7_353_221
"""Of PostgreSQL's advisory locks, the one that writers take; a number of our own."""
_WRITES = "slu_writes"


def open_database(url: str, *, create: bool = True) -> Engine:
    """Made, or migrated, where it is not at the last revision; processes may do so at once, and one waits.

    Raises UserError for a database that cannot be opened, or a file that is not there and not to be made.
    """
    address = _address(url)
    if not create and address.drivername.startswith("sqlite") and not Path(address.database or "").exists():
        raise UserError(f"there are no corrections at {name_of(address)}; a server stores them, or an import")
    try:
        # The server is forked after this: no connection may be shared, so none is kept.
        options = {"connect_timeout": _WAIT_MS // 2000} if address.drivername == _POSTGRES else {}
        engine = create_engine(address, poolclass=NullPool, connect_args=options)
        if engine.dialect.name == "sqlite":
            Path(engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
            event.listen(engine, "connect", _write_ahead)
            event.listen(engine, "begin", _begin)
        _migrate(engine)
        return engine
    except ModuleNotFoundError as error:
        cure = "; pip install 'psycopg[binary]'" if error.name == "psycopg" else ""
        raise UserError(f"feedback: the driver of the database is missing: {error.name}{cure}") from None
    except (SQLAlchemyError, ArgumentError, ImportError, OSError) as error:
        raise UserError(f"feedback: the database cannot be opened: {name_of(address)}: {reason_of(error)}") from None


def restored(engine: Engine, failure: OperationalError) -> bool:
    """Whether a write to SQLite that failed can be tried again: its file had gone, and there is an empty one now.

    Raises SQLAlchemyError or OSError where none can be made.
    """
    if engine.dialect.name != "sqlite" or "locked" in str(failure.orig):  # it has waited for long enough
        return False
    Path(engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
    if _migrate(engine):  # else another thread has just done it
        _LOG.warning("feedback: the database %s was gone, and was made anew without what it held", name_of(engine.url))
    return True


def name_of(address: URL) -> str:
    """A file, or the URL without its password."""
    if address.drivername.startswith("sqlite"):
        return address.database or "memory"
    return address.set(query={}).render_as_string(hide_password=True)


def reason_of(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is alone in writing from its first statement on, so that what it reads stays true.

    SQLite: a transaction that reads and then writes would fail at once where another wrote in between, without
    waiting; this one takes the lock first, and waits for it. PostgreSQL: an advisory lock until the commit.
    """
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        yield connection


def upgrade(connection: Connection) -> None:
    """All migrations that are missing, in the caller's transaction: all of them or none."""
    from alembic import command  # seconds of importing, needed once in the life of a database
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise UserError(
            f"feedback: the database is of a newer slu (its revision is {_revision(connection)}, this one knows up to "
            f"{REVISION}); update slu"
        ) from None


def _migrate(engine: Engine) -> bool:
    """Whether something had to be done; False where another process has done it while this one waited."""
    with engine.connect() as connection:
        if _revision(connection) == REVISION:
            return False
    with writing(engine) as connection:
        if _revision(connection) == REVISION:
            return False
        upgrade(connection)
    return True


def _revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    known = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return None if known is None else str(known)


def _address(url: str) -> URL:
    """PostgreSQL is spoken to by psycopg 3, whether its URL names a driver or not. Raises UserError for what is no URL,
    or names no file."""
    if "://" not in url:
        raise UserError(f"feedback={url} is no URL of a database; of a file it is feedback=sqlite:///{url}")
    kind = url.split("://", 1)[0]  # alone, for a password may follow
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise UserError(
            f"feedback={kind}://… cannot be read as a URL of a database; write sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST:PORT/NAME, with %40 for an @ in the password"
        ) from None
    if address.drivername.startswith("sqlite") and address.database in (None, "", ":memory:"):
        raise UserError(f"feedback={kind}:// names no file, and corrections in memory are lost; write sqlite:///FILE")
    return address.set(drivername=_POSTGRES) if address.drivername in ("postgresql", "postgres") else address


def _write_ahead(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # else the driver begins transactions itself, late, and never for a CREATE
    cursor = connection.cursor()
    # The wait comes first: two processes that make the file at once both switch its journal.
    for setting in (f"busy_timeout={_WAIT_MS}", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
