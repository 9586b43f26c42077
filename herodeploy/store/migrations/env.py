"""What Alembic runs: the steps that are missing, on the connection that the store hands over."""

from __future__ import annotations

from alembic import context

from herodeploy.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    version_table=schema.VERSION_TABLE,
)
# The store has begun a transaction already, and ends it: a step runs as a whole or not at all.
context.run_migrations()
