"""Indexes by which it is found who has an account or a test in Inspera already."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ("known_learner", "known_staff", "known_test")


def upgrade() -> None:
    """Bring the schema here."""
    for table in _TABLES:
        op.create_index(f"ix_{table}_remote_id", table, ["remote_id"])


def downgrade() -> None:
    """Take the schema back."""
    for table in _TABLES:
        op.drop_index(f"ix_{table}_remote_id", table_name=table)
