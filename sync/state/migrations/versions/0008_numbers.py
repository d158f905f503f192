"""What was taken away when, so that removals of the last 24 hours count towards the limits of a run."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "removal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("k1", AutoString(), nullable=False),
        sa.Column("k2", AutoString(), nullable=False),
        sa.Column("at", AutoString(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_removal_at", "removal", ["at"], unique=False)


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("removal")
