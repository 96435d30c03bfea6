"""Alembic's migrations: each says how the tables were at its time, and none is ever changed."""
