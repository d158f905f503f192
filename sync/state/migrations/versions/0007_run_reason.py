"""Why a run stopped stays with the run."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("run", sa.Column("reason", AutoString(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take the schema back."""
    op.drop_column("run", "reason")
