"""Alembic's scripts for the table of corrections; slu.feedback.database runs them when a database is opened."""
