"""The table as it was made before there were migrations; such a table is completed, with its rows."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    later = [sa.Column("audio_sha256", sa.String(64)), sa.Column("audio_path", sa.String(200))]
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table("feedback"):
        op.create_table(
            "feedback",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("request_id", sa.String(64), nullable=False),
            sa.Column("received", sa.DateTime(timezone=True), nullable=False),
            sa.Column("model_version", sa.String(100), nullable=False),
            sa.Column("predicted", sa.JSON, nullable=False),
            sa.Column("confidence", sa.Float),
            sa.Column("actual", sa.JSON, nullable=False),
            sa.Column("comment", sa.String(500), nullable=False),
            sa.Column("state", sa.String(20), nullable=False),
            *later,
        )
        op.create_index("ix_feedback_request_id", "feedback", ["request_id"])
        return
    known = {column["name"] for column in inspector.get_columns("feedback")}
    for column in later:
        if column.name not in known:
            op.add_column("feedback", column)
    if not any(index["name"] == "ix_feedback_request_id" for index in inspector.get_indexes("feedback")):
        op.create_index("ix_feedback_request_id", "feedback", ["request_id"])
