"""Alembic's entry point: it runs on the connection that it is given, never on one of its own."""

import sqlmodel  # noqa: F401 - column types of migrations name it
from alembic import context

from sync.state.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=connection.dialect.name == "postgresql",
)
with context.begin_transaction():
    context.run_migrations()
