"""What a database server needs that a file has beside it: who writes, the pause, and the key of the seals."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _one_row(name: str, *columns: sa.Column) -> None:
    key = sa.Column("id", sa.Integer(), autoincrement=False, nullable=False)
    op.create_table(name, key, *columns, sa.PrimaryKeyConstraint("id"))


def upgrade() -> None:
    """Bring the schema here."""
    _one_row(
        "leader",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", AutoString(), nullable=False),
        sa.Column("since", AutoString(), nullable=False),
    )
    _one_row(
        "pause",
        sa.Column("since", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
    )
    _one_row("seal", sa.Column("key", sa.LargeBinary(), nullable=False))


def downgrade() -> None:
    """Take the schema back."""
    for table in ("seal", "pause", "leader"):
        op.drop_table(table)
