"""Every kind: staff, options, committees and contributors; candidates' committees; refusals."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _common() -> list[sa.Column]:
    return [
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("remote_id", AutoString(), nullable=True),
        sa.Column("standing", AutoString(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("updated", AutoString(), nullable=False),
    ]


def _known(kind: str, keys: tuple[str, ...], fields: tuple[str, ...]) -> None:
    op.create_table(
        f"known_{kind}",
        *(sa.Column(name, AutoString(), nullable=False) for name in keys),
        *(sa.Column(name, AutoString(), nullable=True) for name in fields),
        *_common(),
        sa.PrimaryKeyConstraint(*keys),
    )


def upgrade() -> None:
    """Bring the schema here."""
    person = ("username", "external_id", "auth_system", "first_name", "last_name", "email")
    _known("staff", ("key",), (*person, "status", "accesses", "organisations"))
    for name in ("email", "username", "external_id"):
        op.create_index(f"ix_known_staff_{name}", "known_staff", [name], unique=False)
    _known("option", ("test", "option"), ("value",))
    _known("committee", ("test", "committee"), ("type",))
    _known("contributor", ("test", "staff"), ("roles", "committees", "room", "building"))
    op.create_index("ix_known_contributor_staff", "known_contributor", ["staff"], unique=False)
    op.add_column("known_candidate", sa.Column("committees", AutoString(), nullable=True))
    op.create_table(
        "alias",
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("wanted", AutoString(), nullable=False),
        sa.Column("username", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_table(
        "refused",
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("k1", AutoString(), nullable=False),
        sa.Column("k2", AutoString(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("since", AutoString(), nullable=False),
        sa.Column("last", AutoString(), nullable=False),
        sa.Column("again", AutoString(), nullable=False),
        sa.Column("message", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "k1", "k2"),
    )


def downgrade() -> None:
    """Take the schema back."""
    for kind in ("contributor", "committee", "option", "staff"):
        op.drop_table(f"known_{kind}")
    for table in ("refused", "alias"):
        op.drop_table(table)
    with op.batch_alter_table("known_candidate", schema=None) as batch_op:
        batch_op.drop_column("committees")
