"""What was right instead: corrections of answers, in a database that survives the process.

SQLite with a write-ahead log by default, PostgreSQL by URL. A correction is committed before its sender hears so.
"""

import datetime
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    text,
)
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from slu.common.errors import UserError
from slu.serving.kept_audio import AudioFile

NEW = "new"
_REMEMBERED = 1000
"""Answers that can still be corrected."""
_WAIT_MS = 10_000
"""For another server that writes to the same file."""
_POSTGRES = "postgresql+psycopg"

FEEDBACK = Table(
    "feedback",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("request_id", String(64), nullable=False, index=True),
    Column("received", DateTime(timezone=True), nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("predicted", JSON, nullable=False),
    Column("confidence", Float),
    Column("actual", JSON, nullable=False),
    Column("comment", String(500), nullable=False),
    Column("state", String(20), nullable=False, default=NEW),
    Column("audio_sha256", String(64)),
    Column("audio_path", String(200)),
)


def _storable(text: str) -> str:
    """JSON may hold halves of characters, and PostgreSQL takes no zero."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a character of it cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]


class Correction(BaseModel):
    """The body of `POST /feedback`."""

    model_config = ConfigDict(extra="forbid")
    request_id: str = Field(pattern=r"^[0-9a-f]{32}(\.\d{1,3})?$")
    labels: dict[Text, Text] = Field(min_length=1)
    """Of the heads that are corrected, or confirmed."""
    comment: Text = Field(default="", max_length=500)


@dataclass(frozen=True)
class Answered:
    labels: Mapping[str, str]
    confidence: float
    model_version: str


class Remembered:
    """The last answers of this process by request id."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Answered] = OrderedDict()

    def add(self, document: Mapping[str, Any]) -> None:
        """`document` is an answer of /predict; anything else is passed over."""
        if "labels" in document and "request_id" in document:
            known = Answered(document["labels"], document["confidence"], document["model_version"])
            self._answers[document["request_id"]] = known
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)

    def get(self, request_id: str) -> Answered | None:
        return self._answers.get(request_id)


def default_url(outputs: Path) -> str:
    return f"sqlite:///{outputs.resolve() / 'feedback.sqlite'}"


class FeedbackStore:
    def __init__(self, url: str) -> None:
        """Raises UserError for a database that cannot be opened."""
        try:
            # The process is forked after this: no connection may be shared, so none is kept.
            address = _address(url)
            options = {"connect_timeout": _WAIT_MS // 2000} if address.drivername == _POSTGRES else {}
            self.engine: Engine = create_engine(address, poolclass=NullPool, connect_args=options)
            if self.engine.dialect.name == "sqlite":
                if self.engine.url.database:
                    Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
                event.listen(self.engine, "connect", _write_ahead)
            try:
                FEEDBACK.metadata.create_all(self.engine)
            except SQLAlchemyError:  # of another server that makes the table at the same moment
                FEEDBACK.metadata.create_all(self.engine)
            _add_missing_columns(self.engine)
        except ModuleNotFoundError as error:
            cure = "; pip install 'psycopg[binary]'" if error.name == "psycopg" else ""
            raise UserError(f"feedback: the driver of the database is missing: {error.name}{cure}") from None
        except (SQLAlchemyError, ArgumentError, ImportError, OSError) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
            raise UserError(f"feedback: the database cannot be opened: {reason}") from None

    def add(self, correction: Correction, answered: Answered, audio: AudioFile | None = None) -> None:
        """Committed when it returns. Raises SQLAlchemyError where it could not be."""
        with self.engine.begin() as connection:
            connection.execute(
                insert(FEEDBACK).values(
                    request_id=correction.request_id,
                    received=datetime.datetime.now(datetime.UTC),
                    model_version=answered.model_version,
                    predicted=dict(answered.labels),
                    confidence=answered.confidence,
                    actual={**answered.labels, **correction.labels},
                    comment=correction.comment,
                    state=NEW,
                    audio_sha256=audio.sha256 if audio else None,
                    audio_path=audio.path if audio else None,
                )
            )


def _add_missing_columns(engine: Engine) -> None:
    """To a table of an earlier version, whose rows then have nothing there."""

    def known() -> set[str]:
        return {column["name"] for column in inspect(engine).get_columns(FEEDBACK.name)}

    for column in FEEDBACK.columns:
        if column.name in known():
            continue
        kind = column.type.compile(engine.dialect)
        try:
            with engine.begin() as connection:
                connection.execute(text(f"ALTER TABLE {FEEDBACK.name} ADD COLUMN {column.name} {kind}"))
        except SQLAlchemyError:
            if column.name not in known():  # else another server has just added it
                raise


def _address(url: str) -> URL:
    """PostgreSQL is spoken to by psycopg 3, whether its URL names a driver or not."""
    address = make_url(url)
    return address.set(drivername=_POSTGRES) if address.drivername in ("postgresql", "postgres") else address


def _write_ahead(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_WAIT_MS}"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def unknown_label(labels: Mapping[str, str], heads: Mapping[str, list[str]]) -> str:
    """A sentence on the first label that the model does not have; empty where it has all."""
    for name, label in labels.items():
        if name not in heads:
            return f"there is no head '{name[:50]}'; the model has {', '.join(heads)}"
        if label not in heads[name]:
            return f"{name} has no class '{label[:50]}'; it has {', '.join(known or 'none' for known in heads[name])}"
    return ""
