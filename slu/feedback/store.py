"""Corrections in their database. Whatever is written is committed when the call returns."""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import and_, case, func, insert, or_, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.elements import ColumnElement

from slu.common.errors import UserError
from slu.feedback.audio import AudioFile, split_of
from slu.feedback.database import name_of, open_database, restored, writing
from slu.feedback.entries import Answered, Correction, Row
from slu.feedback.guards import HOUR, OF_CLIENT, OF_CLIP, clip_flags, flooded, merged, same_labels, sound_flags
from slu.feedback.schema import ACCEPTED, ERASED, FEEDBACK, FLAGS, NEW, REJECTED, USED

PER_HOUR = 60
_TABLE = FEEDBACK.c
_AT_ONCE = 500
"""Values of one IN (…)."""


def default_url(outputs: Path) -> str:
    return f"sqlite:///{outputs.resolve() / 'feedback.sqlite'}"


class FeedbackStore:
    """`outputs` is where kept audio lies; of more corrections than `per_hour` by one client, all are flagged."""

    def __init__(
        self, url: str, outputs: Path = Path("outputs"), per_hour: int = PER_HOUR, *, create: bool = True
    ) -> None:
        """Raises UserError for a database that cannot be opened, or a file that is not there and not to be made."""
        self.outputs, self.per_hour = outputs, per_hour
        self.engine: Engine = open_database(url, create=create)
        self.name = name_of(self.engine.url)
        """For people, without a password."""

    def add(
        self,
        correction: Correction,
        answered: Answered,
        audio: AudioFile | None = None,
        client: str | None = None,
        now: datetime.datetime | None = None,
    ) -> None:
        """Stored and committed when it returns, in a new database where the file of the old one is gone.

        Raises SQLAlchemyError or OSError where it could not be.
        """
        received = now or datetime.datetime.now(datetime.UTC)
        flags = sound_flags(answered.reason, answered.level_db, None)
        row = {
            "request_id": correction.request_id,
            "received": received,
            "model_version": answered.model_version,
            "predicted": dict(answered.labels),
            "confidence": answered.confidence,
            "actual": {**answered.labels, **correction.labels},
            "comment": correction.comment,
            "state": NEW,
            "audio_sha256": audio.sha256 if audio else None,
            "audio_path": audio.path if audio else None,
            "audio_digest": audio.digest if audio else None,
            "task": answered.task or None,
            "confidences": dict(answered.confidences),
            "reason": answered.reason or None,
            "duration_s": answered.duration_s,
            "level_db": answered.level_db,
            "client": client,
            "split": split_of(audio.sha256) if audio else None,
            "flags": [name for name in FLAGS if name in flags],
        }
        try:
            self._add(row)
        except OperationalError as error:  # no such table in the empty file that SQLite has made, or no folder for it
            if not restored(self.engine, error):
                raise
            self._add(row)

    def _add(self, row: Mapping[str, Any]) -> None:
        with writing(self.engine) as connection:
            self.insert(connection, [row])
            if row["client"]:
                self._flag_flood(connection, row["client"], row["received"])

    def insert(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Within a transaction of slu.feedback.database.writing."""
        connection.execute(insert(FEEDBACK), list(rows))
        self.flag_clips(connection, {row["audio_sha256"] for row in rows})

    def rows(self, *conditions: ColumnElement[bool]) -> list[Row]:
        """In the order of their arrival."""
        with self.engine.connect() as connection:
            return rows_of(connection, *conditions)

    def queue(self, *conditions: ColumnElement[bool]) -> list[Row]:
        """What the model was surest of, and wrong by the correction, comes first; then the newest."""
        found = self.rows(*conditions)
        return sorted(found, key=lambda row: (row.disagreement, row.received), reverse=True)

    def accept(self, ids: Collection[int]) -> None:
        """All of them, or none: raises UserError where one is not there, was erased, or would contradict what is
        accepted of the same clip."""
        with writing(self.engine) as connection:
            chosen = self._chosen(connection, ids)
            accepted = or_(_TABLE.state == ACCEPTED, and_(_TABLE.state == USED, _TABLE.reviewed_at.is_not(None)))
            said: dict[str, Row] = {}
            clips = {row.audio_sha256 for row in chosen} - {None}
            others = [
                row for some in chunks(clips) for row in rows_of(connection, _TABLE.audio_sha256.in_(some), accepted)
            ]
            for row in [*others, *chosen]:
                if row.audio_sha256 is None:
                    continue
                other = said.setdefault(row.audio_sha256, row)
                if same_labels(other.actual) != same_labels(row.actual):
                    raise UserError(
                        f"corrections {other.id} and {row.id} give one clip different labels "
                        f"({told(other.actual)}; {told(row.actual)}): accept one of them and reject the other"
                    )
            self._review(connection, chosen, case((_TABLE.state == USED, USED), else_=ACCEPTED))

    def reject(self, ids: Collection[int]) -> None:
        """Raises UserError where one is not there, or was erased."""
        with writing(self.engine) as connection:
            self._review(connection, self._chosen(connection, ids), REJECTED)

    def mark_used(self, ids: Collection[int], version: str) -> None:
        """After a training that learned from them became the version `version`. Erased meanwhile, they stay erased, and
        keep the note that the version knows them; rejected meanwhile, they stay rejected."""
        with writing(self.engine) as connection:
            for some in chunks(ids):
                for row in rows_of(connection, _TABLE.id.in_(some)):
                    state = USED if row.counts else row.state
                    used_in = [*row.used_in, *([] if version in row.used_in else [version])]
                    connection.execute(update(FEEDBACK).where(_TABLE.id == row.id).values(state=state, used_in=used_in))

    def flag_clips(self, connection: Connection, clips: Iterable[str | None]) -> None:
        """Conflicts and duplicates of these clips, by the hashes of their audio, as they are now."""
        for clip in set(clips) - {None}:
            rows = rows_of(connection, _TABLE.audio_sha256 == clip)
            known = clip_flags(rows)
            set_flags(connection, ((row, merged(row, known[row.id], OF_CLIP)) for row in rows if row.id in known))

    def _flag_flood(self, connection: Connection, client: str, received: datetime.datetime) -> None:
        near = and_(_TABLE.client == client, _TABLE.received > received - HOUR, _TABLE.received < received + HOUR)
        count = connection.scalar(select(func.count()).select_from(FEEDBACK).where(near))
        if not count or count <= self.per_hour:
            return
        rows = rows_of(connection, near)
        found = flooded({row.id: row.received for row in rows}, self.per_hour)
        set_flags(connection, ((row, merged(row, OF_CLIENT, OF_CLIENT)) for row in rows if row.id in found))

    def _chosen(self, connection: Connection, ids: Collection[int]) -> list[Row]:
        chosen = [row for some in chunks(ids) for row in rows_of(connection, _TABLE.id.in_(some))]
        if missing := sorted(set(ids) - {row.id for row in chosen}):
            raise UserError(f"there is no correction {missing[0]}; `python -m slu.feedback list` shows their numbers")
        if erased := [row.id for row in chosen if row.state == ERASED]:
            raise UserError(f"correction {erased[0]} was erased, and there is nothing left of it to learn from")
        return chosen

    def _review(self, connection: Connection, rows: Sequence[Row], state: Any) -> None:
        values = {"state": state, "reviewed_at": datetime.datetime.now(datetime.UTC)}
        for some in chunks([row.id for row in rows]):
            connection.execute(update(FEEDBACK).where(_TABLE.id.in_(some)).values(**values))
        self.flag_clips(connection, {row.audio_sha256 for row in rows})


def rows_of(connection: Connection, *conditions: ColumnElement[bool]) -> list[Row]:
    found = connection.execute(select(FEEDBACK).where(*conditions).order_by(_TABLE.id)).mappings()
    return [Row.of(dict(stored)) for stored in found]


def set_flags(connection: Connection, flags: Iterable[tuple[Row, list[str]]]) -> None:
    for row, known in flags:
        if list(row.flags) != known:
            connection.execute(update(FEEDBACK).where(_TABLE.id == row.id).values(flags=known))


def chunks(values: Iterable[Any]) -> list[list[Any]]:
    order = sorted(set(values))
    return [order[start : start + _AT_ONCE] for start in range(0, len(order), _AT_ONCE)]


def told(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {label or 'none'}" for name, label in labels.items())
