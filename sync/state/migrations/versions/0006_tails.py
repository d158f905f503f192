"""Short tails: what stood last in each source's delivery, and whether that ended in a line end."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, AutoString(), nullable=False) for name in names]


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "source_tail",
        *_texts("source", "kind", "k1", "k2"),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "k1", "k2"),
    )
    op.create_table(
        "source_ending",
        *_texts("source"),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )


def downgrade() -> None:
    """Take the schema back."""
    for table in ("source_ending", "source_tail"):
        op.drop_table(table)
