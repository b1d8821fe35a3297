"""How often answers were right, by the corrections that somebody has reviewed.

Those are not all answers: people correct what is wrong more readily than they confirm what is right, so the accuracy
among them is rather too low.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.engine import Engine, Row
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from slu.common.errors import UserError
from slu.evaluation.intervals import exact_interval
from slu.feedback import FEEDBACK

REVIEWED = ("accepted", "used")
"""States of a correction that somebody has found right."""
_NEEDED = ("model_version", "predicted", "actual", "state")


@dataclass
class Accuracy:
    right: int = 0
    clips: int = 0

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 %, as of independent clips."""
        return exact_interval(self.right, self.clips)

    def to_json(self) -> dict[str, Any]:
        share = self.right / self.clips if self.clips else None
        return {"right": self.right, "clips": self.clips, "accuracy": share, "interval": self.interval}


@dataclass
class Reviewed:
    """Of the corrections of one version, or of all."""

    joint: Accuracy = field(default_factory=Accuracy)
    """All labels right."""
    heads: dict[str, Accuracy] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    """Of all corrections, reviewed or not."""

    def to_json(self) -> dict[str, Any]:
        heads = {head: accuracy.to_json() for head, accuracy in self.heads.items()}
        return {"states": dict(self.states), "joint": self.joint.to_json(), "heads": heads}


def read_feedback(url: str, version: str | None) -> Reviewed:
    """Of the answers by `version`, or by any.

    Nothing is written or made. Raises UserError for a database that cannot be read.
    """
    reviewed = Reviewed()
    try:
        for row in _rows(_engine(url), version):
            reviewed.states[str(row.state)] += 1
            predicted, actual = row.predicted, row.actual
            if row.state in REVIEWED and isinstance(predicted, dict) and isinstance(actual, dict):
                _count(reviewed, predicted, actual)
    except ModuleNotFoundError as error:
        raise UserError(f"feedback: the driver of the database is missing: {error.name}") from None
    except (SQLAlchemyError, ArgumentError, OSError, ValueError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        raise UserError(f"feedback: the database cannot be read: {reason}") from None
    return reviewed


def _count(reviewed: Reviewed, predicted: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
    heads = [head for head in predicted if head in actual]
    for head in heads:
        accuracy = reviewed.heads.setdefault(head, Accuracy())
        accuracy.clips += 1
        accuracy.right += predicted[head] == actual[head]
    if heads:
        reviewed.joint.clips += 1
        reviewed.joint.right += all(predicted[head] == actual[head] for head in heads)


def _engine(url: str) -> Engine:
    """A path, or the URL of a database; SQLite is opened for reading alone."""
    path = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else url if "://" not in url else None
    if path is not None:
        if not Path(path).is_file():
            raise UserError(f"feedback: there is no file {path}")
        address = f"sqlite:///file:{Path(path).resolve()}?mode=ro&uri=true"
        return create_engine(address, poolclass=NullPool)
    scheme, _, rest = url.partition("://")
    scheme = "postgresql+psycopg" if scheme in ("postgres", "postgresql") else scheme
    return create_engine(f"{scheme}://{rest}", poolclass=NullPool)


def _rows(engine: Engine, version: str | None) -> Iterator[Row[Any]]:
    """Streamed; a table of another version of the server may have more columns."""
    inspector = inspect(engine)
    if not inspector.has_table(FEEDBACK.name):
        return
    known = {column["name"] for column in inspector.get_columns(FEEDBACK.name)}
    if missing := [name for name in _NEEDED if name not in known]:
        raise UserError(f"feedback: the table {FEEDBACK.name} has no column {missing[0]}")
    query = select(*(FEEDBACK.c[name] for name in _NEEDED))
    if version is not None:
        query = query.where(FEEDBACK.c.model_version == version)
    with engine.connect() as connection:
        yield from connection.execution_options(yield_per=1000).execute(query)
