"""Sources: who named what is known, what incremental readings rest on, and the groups that a source had."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NAMED = ("learner", "staff", "test", "contributor", "candidate")


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, AutoString(), nullable=False) for name in names]


def upgrade() -> None:
    """Bring the schema here."""
    for kind in _NAMED:
        op.add_column(f"known_{kind}", sa.Column("source", AutoString(), nullable=True))
    op.create_table(
        "snapshot",
        *_texts("feed", "k1", "k2", "standing", "content"),
        sa.PrimaryKeyConstraint("feed", "k1", "k2"),
    )
    op.create_table(
        "mark",
        *_texts("feed", "source", "kind", "mark", "read"),
        sa.PrimaryKeyConstraint("feed"),
    )
    op.create_table(
        "source_size",
        *_texts("source"),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "source_group", *_texts("source", "value"), sa.PrimaryKeyConstraint("source", "value")
    )


def downgrade() -> None:
    """Take the schema back."""
    for table in ("source_size", "source_group", "mark", "snapshot"):
        op.drop_table(table)
    for kind in _NAMED:
        with op.batch_alter_table(f"known_{kind}", schema=None) as batch_op:
            batch_op.drop_column("source")
