"""Alembic's door: runs on the connection that it is given, never on one of its own."""

import sqlmodel  # noqa: F401 - column types of migrations name it
from alembic import context

from sync.state.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=False,
)
with context.begin_transaction():
    context.run_migrations()
