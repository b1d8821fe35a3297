"""Run by Alembic: the caller's connection, in the caller's transaction."""

from alembic import context

from slu.feedback.schema import FEEDBACK, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=FEEDBACK.metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
