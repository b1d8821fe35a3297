"""The table of corrections as it is after the last migration. Change it with one more file in migrations/versions."""

from sqlalchemy import JSON, Column, DateTime, Float, Integer, MetaData, String, Table, text

NEW, ACCEPTED, REJECTED, USED, ERASED = STATES = ("new", "accepted", "rejected", "used", "erased")
TRAIN, HOLDOUT = SPLITS = ("train", "holdout")
CONFLICT, DUPLICATE, FLOOD, SILENCE, NOISE = FLAGS = ("conflict", "duplicate", "flood", "silence", "noise")

VERSION_TABLE = "feedback_migrations"
"""Not Alembic's own name for it, which Optuna's storage also uses: both may share a database."""
REVISION = "0002"
"""Of the last migration."""

FEEDBACK = Table(
    "feedback",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("request_id", String(64), nullable=False, index=True),
    Column("received", DateTime(timezone=True), nullable=False),  # UTC; SQLite stores it without saying so
    Column("model_version", String(100), nullable=False),
    Column("predicted", JSON, nullable=False),
    Column("confidence", Float),
    Column("actual", JSON, nullable=False),
    Column("comment", String(500), nullable=False),
    Column("state", String(20), nullable=False, default=NEW),
    Column("audio_sha256", String(64), index=True),
    Column("audio_path", String(200)),
    Column("task", String(100)),
    Column("confidences", JSON, nullable=False, server_default=text("'{}'")),
    Column("reason", String(40)),
    Column("audio_digest", String(32)),
    Column("duration_s", Float),
    Column("level_db", Float),
    Column("snr_db", Float),
    Column("client", String(32), index=True),
    Column("split", String(10)),
    Column("flags", JSON, nullable=False, server_default=text("'[]'")),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("used_in", JSON, nullable=False, server_default=text("'[]'")),
)
"""`confidences` are those of the predicted labels by head; `audio_path` is relative to the outputs; `audio_digest` is
the content hash by which slu.training.preprocessing caches features; `client` is a hash (slu.feedback.clients)."""
