"""Review, guards and the hold-out: what is known of a correction beside its labels, and what became of it.

A server of the version before goes on writing to the table: what it does not fill has a default.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("task", sa.String(100)),
        sa.Column("confidences", sa.JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("reason", sa.String(40)),
        sa.Column("audio_digest", sa.String(32)),
        sa.Column("duration_s", sa.Float),
        sa.Column("level_db", sa.Float),
        sa.Column("snr_db", sa.Float),
        sa.Column("client", sa.String(32)),
        sa.Column("split", sa.String(10)),
        sa.Column("flags", sa.JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.Column("used_in", sa.JSON, nullable=False, server_default=sa.text("'[]'")),
    ):
        op.add_column("feedback", column)
    op.create_index("ix_feedback_audio_sha256", "feedback", ["audio_sha256"])
    op.create_index("ix_feedback_client", "feedback", ["client"])
    table = sa.table("feedback", sa.column("audio_sha256", sa.String), sa.column("split", sa.String))
    connection, audio = op.get_bind(), table.c.audio_sha256
    for (digest,) in connection.execute(sa.select(audio).where(audio.is_not(None)).distinct()).all():
        connection.execute(table.update().where(audio == digest).values(split=_split(digest)))


def _split(audio_sha256: str) -> str:
    """As slu.feedback.audio drew it when this revision was written; a revision does not change with it."""
    drawn = int.from_bytes(hashlib.sha256(f"slu feedback split {audio_sha256}".encode()).digest()[:4], "big")
    return "holdout" if drawn < 0.2 * 2**32 else "train"
