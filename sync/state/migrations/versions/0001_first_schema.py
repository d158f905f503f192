"""The first schema: known records, runs with their intents, and what the sources delivered."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import AutoString
from sync.state.audit.guard import make_triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column:
    return sa.Column(name, AutoString(), nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=null)


def _large_number(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _bytes(name: str, *, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def _one_row() -> sa.Column:
    """Return the key of a table of one row, which the program sets itself."""
    return sa.Column("id", sa.Integer(), autoincrement=False, nullable=False)


def upgrade() -> None:
    """Make all tables in an empty state."""
    op.create_table(
        "accepted",
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("at"),
        sa.PrimaryKeyConstraint("kind", "k1", "k2"),
    )
    op.create_table(
        "alias",
        _text("kind"),
        _text("key"),
        _text("wanted"),
        _text("username"),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_table("digest_key", _one_row(), _bytes("key"), sa.PrimaryKeyConstraint("id"))
    op.create_table(
        "high_water",
        _one_row(),
        _large_number("run"),
        _text("started"),
        _flag("ended"),
        _large_number("made_as"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "kept_value",
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("field"),
        _text("wanted"),
        sa.PrimaryKeyConstraint("kind", "k1", "k2", "field"),
    )
    op.create_table(
        "known_candidate",
        _text("test"),
        _text("learner"),
        _text("candidate_id", null=True),
        _number("extra_time", null=True),
        _text("room", null=True),
        _text("building", null=True),
        _text("committees", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        _text("source", null=True),
        sa.PrimaryKeyConstraint("test", "learner"),
    )
    op.create_index("ix_known_candidate_learner", "known_candidate", ["learner"])
    op.create_table(
        "known_committee",
        _text("test"),
        _text("committee"),
        _text("type", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        _text("source", null=True),
        sa.PrimaryKeyConstraint("test", "committee"),
    )
    op.create_table(
        "known_contributor",
        _text("test"),
        _text("staff"),
        _text("roles", null=True),
        _text("committees", null=True),
        _text("room", null=True),
        _text("building", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        _text("source", null=True),
        sa.PrimaryKeyConstraint("test", "staff"),
    )
    op.create_index("ix_known_contributor_staff", "known_contributor", ["staff"])
    op.create_table(
        "known_learner",
        _text("key"),
        _text("username", null=True),
        _text("external_id", null=True),
        _text("auth_system", null=True),
        _text("first_name", null=True),
        _text("last_name", null=True),
        _text("email", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        _text("source", null=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_known_learner_email", "known_learner", ["email"])
    op.create_index("ix_known_learner_external_id", "known_learner", ["external_id"])
    op.create_index("ix_known_learner_last_name", "known_learner", ["last_name"])
    op.create_index("ix_known_learner_remote_id", "known_learner", ["remote_id"])
    op.create_index("ix_known_learner_username", "known_learner", ["username"])
    op.create_table(
        "known_option",
        _text("test"),
        _text("option"),
        _text("value", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        sa.PrimaryKeyConstraint("test", "option"),
    )
    op.create_table(
        "known_staff",
        _text("key"),
        _text("username", null=True),
        _text("external_id", null=True),
        _text("auth_system", null=True),
        _text("first_name", null=True),
        _text("last_name", null=True),
        _text("email", null=True),
        _text("status", null=True),
        _text("accesses", null=True),
        _text("organisations", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        _text("source", null=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_known_staff_email", "known_staff", ["email"])
    op.create_index("ix_known_staff_external_id", "known_staff", ["external_id"])
    op.create_index("ix_known_staff_last_name", "known_staff", ["last_name"])
    op.create_index("ix_known_staff_remote_id", "known_staff", ["remote_id"])
    op.create_index("ix_known_staff_username", "known_staff", ["username"])
    op.create_table(
        "known_test",
        _text("key"),
        _text("external_test_id", null=True),
        _text("title", null=True),
        _text("start", null=True),
        _text("end", null=True),
        _number("duration", null=True),
        _bytes("fingerprint", null=True),
        _text("remote_id", null=True),
        _text("lifecycle"),
        _flag("managed"),
        _text("updated"),
        _text("source", null=True),
        _text("activated", null=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_known_test_external_test_id", "known_test", ["external_test_id"])
    op.create_index("ix_known_test_remote_id", "known_test", ["remote_id"])
    op.create_table(
        "leader",
        _one_row(),
        _large_number("epoch"),
        _text("holder"),
        _text("since"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "pause", _one_row(), _text("since"), _text("reason"), sa.PrimaryKeyConstraint("id")
    )
    op.create_table(
        "notified",
        _text("target"),
        _text("at"),
        _text("concerns"),
        sa.PrimaryKeyConstraint("target"),
    )
    op.create_table(
        "recovery", _one_row(), _text("reason"), _flag("adopted"), sa.PrimaryKeyConstraint("id")
    )
    op.create_table(
        "refused",
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _bytes("fingerprint"),
        _number("times"),
        _text("since"),
        _text("last"),
        _text("again"),
        _text("message"),
        _text("cause"),
        sa.PrimaryKeyConstraint("kind", "k1", "k2"),
    )
    op.create_table(
        "removal",
        _number("id"),
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("at"),
        _flag("approved"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_removal_at", "removal", ["at"])
    op.create_table(
        "run",
        _number("id"),
        _text("command"),
        _text("started"),
        _text("ended", null=True),
        _text("status"),
        _number("exit_status", null=True),
        _text("counts"),
        _text("reason"),
        _number("audit_lines", null=True),
        _text("audit_hash", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "snapshot",
        _text("feed"),
        _text("k1"),
        _text("k2"),
        _text("status"),
        _text("content"),
        sa.PrimaryKeyConstraint("feed", "k1", "k2"),
    )
    op.create_table(
        "source_ending", _text("source"), _flag("whole"), sa.PrimaryKeyConstraint("source")
    )
    op.create_table(
        "source_group", _text("source"), _text("value"), sa.PrimaryKeyConstraint("source", "value")
    )
    op.create_table(
        "source_size", _text("source"), _number("rows"), sa.PrimaryKeyConstraint("source")
    )
    op.create_table(
        "source_tail",
        _text("source"),
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _number("line"),
        sa.PrimaryKeyConstraint("source", "kind", "k1", "k2"),
    )
    op.create_table(
        "tenant", _one_row(), _text("url"), _text("client_id"), sa.PrimaryKeyConstraint("id")
    )
    op.create_table(
        "watermark",
        _text("feed"),
        _text("source"),
        _text("kind"),
        _text("value"),
        _text("read"),
        sa.PrimaryKeyConstraint("feed"),
    )
    op.create_table(
        "finding",
        _number("id"),
        _number("run_id"),
        _text("type"),
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("place"),
        _text("text"),
        _number("rule", null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
    )
    op.create_index("ix_finding_run_id", "finding", ["run_id"])
    op.create_table(
        "intent",
        _number("id"),
        _number("run_id"),
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("action"),
        _text("fields"),
        _text("before"),
        _flag("approved"),
        sa.Column("notified", sa.Boolean()),
        _text("at"),
        _text("outcome", null=True),
        _text("outcome_at", null=True),
        _text("message"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
    )
    op.create_index("ix_intent_at", "intent", ["kind", "action", "at"])
    op.create_index("ix_intent_open", "intent", ["outcome"])
    op.create_index("ix_intent_record", "intent", ["kind", "k1", "k2"])
    _decisions()
    _audit()


def _decisions() -> None:
    """Make the tables of what waits, and of what people have decided."""
    op.create_table(
        "absence",
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("since"),
        _text("last"),
        _number("readings"),
        sa.PrimaryKeyConstraint("kind", "k1", "k2"),
    )
    op.create_table(
        "hold",
        _text("id"),
        _number("run_id"),
        _text("since"),
        _text("cause"),
        _text("name"),
        _text("reason"),
        _flag("sending"),
        _text("test", null=True),
        _text("start", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "held_change",
        _text("hold"),
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("digest"),
        _text("action"),
        _text("changed"),
        _text("before"),
        _text("after"),
        _text("place"),
        _text("reason"),
        sa.PrimaryKeyConstraint("hold", "kind", "k1", "k2"),
    )
    op.create_index("ix_held_change_digest", "held_change", ["digest"])
    op.create_table(
        "decision",
        _text("digest"),
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _text("verdict"),
        _text("person"),
        _text("why"),
        _text("at"),
        _text("expires", null=True),
        _number("run_id", null=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "undone",
        _text("kind"),
        _text("k1"),
        _text("k2"),
        _bytes("fingerprint"),
        _text("fields"),
        _number("run_id"),
        _number("undo_run"),
        _text("person"),
        _text("why"),
        _text("at"),
        sa.PrimaryKeyConstraint("kind", "k1", "k2"),
    )
    op.create_table(
        "applied_configuration",
        _one_row(),
        _text("digest"),
        _text("content"),
        _text("at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "requested_run",
        _text("job"),
        _text("at"),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table(
        "source_reading",
        _number("run_id"),
        _text("source"),
        _text("kind"),
        _number("rows"),
        _flag("partial"),
        _text("trouble"),
        _text("at"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
        sa.PrimaryKeyConstraint("run_id", "source", "kind"),
    )
    op.create_table(
        "exam_figure",
        _text("test"),
        _text("kind"),
        _text("state"),
        _text("start"),
        _number("number"),
        _number("run_id"),
        _text("at"),
        sa.PrimaryKeyConstraint("test", "kind", "state"),
    )
    op.create_table(
        "test_trait",
        _text("test"),
        _text("trait"),
        _text("since"),
        _text("again"),
        _text("message"),
        sa.PrimaryKeyConstraint("test", "trait"),
    )


def _audit() -> None:
    """Make the tables of the audit log."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("at"),
        _text("who"),
        _number("run", null=True),
        _text("event"),
        _text("kind"),
        _text("action"),
        _text("record"),
        _text("person"),
        _text("scope"),
        _text("outcome"),
        _text("content"),
        _text("details"),
        _text("hash"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_audit_person", "audit", ["person"])
    op.create_table(
        "audit_person",
        _text("kind"),
        _text("key"),
        _bytes("salt"),
        _text("pseudonym"),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_table("audit_note", _text("id"), _text("content"), sa.PrimaryKeyConstraint("id"))
    op.create_table(
        "audit_setting", _text("name"), _text("digest"), sa.PrimaryKeyConstraint("name")
    )
    make_triggers(op.get_bind())
