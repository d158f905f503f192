"""The tenant of a state, its newest run, whether it must be recovered, and values that stay as Inspera has them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _one_row(name: str, *columns: sa.Column) -> None:
    key = sa.Column("id", sa.Integer(), autoincrement=False, nullable=False)
    op.create_table(name, key, *columns, sa.PrimaryKeyConstraint("id"))


def upgrade() -> None:
    """Bring the schema here."""
    _one_row(
        "tenant",
        sa.Column("url", AutoString(), nullable=False),
        sa.Column("client_id", AutoString(), nullable=False),
    )
    _one_row(
        "high_water",
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("started", AutoString(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("made_as", sa.BigInteger(), nullable=False),
    )
    _one_row(
        "recovery",
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "kept",
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("k1", AutoString(), nullable=False),
        sa.Column("k2", AutoString(), nullable=False),
        sa.Column("field", AutoString(), nullable=False),
        sa.Column("wanted", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "k1", "k2", "field"),
    )


def downgrade() -> None:
    """Take the schema back."""
    for table in ("kept", "recovery", "high_water", "tenant"):
        op.drop_table(table)
