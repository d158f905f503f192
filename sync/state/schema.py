"""The state's tables. Operators may read them with any tool; only `apply`, `adopt` and the service write them.

Times are text in UTC and whole seconds, such as `2026-11-23T08:00:00Z`. Keys are the sources' own, in columns of
their own. A `fingerprint` is that of the last wanted record which Inspera is known to hold. A `source` is the one that
last named the record: empty when it no longer does, NULL when that was never noted.
"""

from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy.ext.compiler import compiles
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import AutoString

ACTIVE, RELEASED, DISABLED, WITHDRAWN, RETIRED = (
    "active",
    "released",
    "disabled",
    "withdrawn",
    "retired",
)
REFUSED = "refused"


class KnownLearner(SQLModel, table=True):
    """A learner whom Inspera holds. `lifecycle`: active, released (no longer kept in step) or refused.

    Refused is one who was found there, and of whom Inspera has taken nothing that was sent.
    """

    __tablename__ = "known_learner"
    __table_args__ = (Index("ix_known_learner_email", "email"),)

    key: str = Field(primary_key=True)
    username: str | None = Field(default=None, index=True)
    external_id: str | None = Field(default=None, index=True)
    auth_system: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = Field(default=None, index=True)
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str
    source: str | None = None


class KnownStaff(SQLModel, table=True):
    """A member of staff whom Inspera holds. `lifecycle`: active, disabled or refused.

    Refused is one of whom Inspera has taken nothing that was sent. `managed` is false for one found there.
    """

    __tablename__ = "known_staff"
    __table_args__ = (Index("ix_known_staff_email", "email"),)

    key: str = Field(primary_key=True)
    username: str | None = Field(default=None, index=True)
    external_id: str | None = Field(default=None, index=True)
    auth_system: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    status: str | None = None
    accesses: str | None = None
    organisations: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = Field(default=None, index=True)
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str
    source: str | None = None


class KnownTest(SQLModel, table=True):
    """A test that Inspera holds. `lifecycle`: active, withdrawn (left its source before it ended) or retired.

    `start` and `end` are the times last confirmed in Inspera. `managed` is false for a test that we found there.
    """

    __tablename__ = "known_test"

    key: str = Field(primary_key=True)
    external_test_id: str | None = Field(default=None, index=True)
    title: str | None = None
    start: str | None = None
    end: str | None = None
    duration: int | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = Field(default=None, index=True)
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str
    source: str | None = None


class KnownCandidate(SQLModel, table=True):
    """A seat that Inspera holds. `managed` is false for one that was there before our first assignment: never removed."""

    __tablename__ = "known_candidate"
    __table_args__ = (Index("ix_known_candidate_learner", "learner"),)

    test: str = Field(primary_key=True)
    learner: str = Field(primary_key=True)
    candidate_id: str | None = None
    extra_time: int | None = None
    room: str | None = None
    building: str | None = None
    committees: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = None
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str
    source: str | None = None


class KnownOption(SQLModel, table=True):
    """A setting of a test as we last sent it. In the place of a pin or quit code `value` holds its digest."""

    __tablename__ = "known_option"

    test: str = Field(primary_key=True)
    option: str = Field(primary_key=True)
    value: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = None
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str


class KnownCommittee(SQLModel, table=True):
    """A committee of a test that Inspera holds. `managed` is false for one that was there before us."""

    __tablename__ = "known_committee"

    test: str = Field(primary_key=True)
    committee: str = Field(primary_key=True)
    type: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = None
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str


class KnownContributor(SQLModel, table=True):
    """A member of staff on a test. Lists are joined by line breaks; `managed` is false for one who was there before us."""

    __tablename__ = "known_contributor"
    __table_args__ = (Index("ix_known_contributor_staff", "staff"),)

    test: str = Field(primary_key=True)
    staff: str = Field(primary_key=True)
    roles: str | None = None
    committees: str | None = None
    room: str | None = None
    building: str | None = None
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    remote_id: str | None = None
    lifecycle: str = ACTIVE
    managed: bool = True
    updated: str
    source: str | None = None


class Run(SQLModel, table=True):
    """One execution of `apply` or `adopt`. `counts` is JSON; `status` is running, done, stopped or interrupted.

    `reason` is what stopped it, or why its exit status is what it is: lines of text, empty when all went well.
    """

    id: int | None = Field(default=None, primary_key=True)
    command: str
    started: str
    ended: str | None = None
    status: str
    exit_status: int | None = None
    counts: str = "{}"
    reason: str = ""


class Finding(SQLModel, table=True):
    """Something of a run that a person may want to look at: a row error, or a change that was not carried out."""

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    type: str
    kind: str
    k1: str = ""
    k2: str = ""
    place: str = ""
    text: str = ""


class Intent(SQLModel, table=True):
    """What was about to be sent for one record, committed before it was; and its outcome, committed after.

    An intent without an outcome is *open*: what became of it is found out before anything else is sent for its record.
    """

    __table_args__ = (
        Index("ix_intent_record", "kind", "k1", "k2"),
        Index("ix_intent_open", "outcome"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    kind: str
    k1: str
    k2: str = ""
    action: str
    fields: str
    at: str
    outcome: str | None = None
    outcome_at: str | None = None
    message: str = ""


class Accepted(SQLModel, table=True):
    """A record that a person has said is new, although it looks like one that vanished (`adopt --as-new`).

    Or a candidate whose extra time a person has settled, although we did not put them there (`adopt`, `--repair`).
    """

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    at: str


class Alias(SQLModel, table=True):
    """A person who was matched by email: `username` is theirs in Inspera, where the source says `wanted`."""

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    wanted: str
    username: str


class Refused(SQLModel, table=True):
    """A change to which Inspera said no, until it passes. It is tried again at `again` (UTC), or when its row changes.

    `fingerprint` is that of what was wanted, empty for a removal; `times` counts the refusals in a row, from `since` to
    `last`.
    """

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    fingerprint: bytes = Field(default=b"", sa_type=LargeBinary)
    times: int = 1
    since: str
    last: str
    again: str
    message: str = ""


class Removal(SQLModel, table=True):
    """A record that was taken away in Inspera, or a test that was withdrawn, and when (UTC).

    Those of the last 24 hours count towards the limits of a run, but for those that a person had `approved`.
    """

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    k1: str
    k2: str = ""
    at: str = Field(index=True)
    approved: bool = False


class Snapshot(SQLModel, table=True):
    """What a feed said last of one record, where it is also read for changes only.

    `feed` is the digest of the feed with its rules; `status` is wanted, departed or row error; `content` is JSON.
    """

    feed: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    status: str
    content: str


class Watermark(SQLModel, table=True):
    """From where a feed is read for changes the next time: by the source's own clock, stored with its snapshot."""

    __tablename__ = "watermark"

    feed: str = Field(primary_key=True)
    source: str
    kind: str
    value: str
    read: str


class SourceGroup(SQLModel, table=True):
    """A value, such as a faculty, that a source had in the column that its rule `group` names, when it was whole."""

    __tablename__ = "source_group"

    source: str = Field(primary_key=True)
    value: str = Field(primary_key=True)


class SourceSize(SQLModel, table=True):
    """How many rows a source that feeds join had when it was last whole."""

    __tablename__ = "source_size"

    source: str = Field(primary_key=True)
    rows: int


class SourceTail(SQLModel, table=True):
    """A record that stood among the last of what a source delivered, with its line, when that was last whole."""

    __tablename__ = "source_tail"

    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    line: int


class SourceEnding(SQLModel, table=True):
    """Whether the last delivery of a source ended in a line end, as whole files do."""

    __tablename__ = "source_ending"

    source: str = Field(primary_key=True)
    whole: bool


class Leader(SQLModel, table=True):
    """On PostgreSQL: which run may write. Each one that takes the lock raises `epoch`; under an older one, none may.

    There is one row. On SQLite the lock of the file is enough, and the table stays empty.
    """

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    epoch: int = Field(sa_type=BigInteger)
    holder: str
    since: str


class Paused(SQLModel, table=True):
    """On PostgreSQL: while there is a row, nothing is sent. On SQLite that is a file beside the state."""

    __tablename__ = "pause"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    since: str
    reason: str = ""


class DigestKey(SQLModel, table=True):
    """On PostgreSQL: the key of the secret digests, in one row. On SQLite that is a file beside the state."""

    __tablename__ = "digest_key"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: bytes = Field(sa_type=LargeBinary)


class StateTenant(SQLModel, table=True):
    """The tenant that a state belongs to, in one row: its URL in one spelling, and the client id."""

    __tablename__ = "tenant"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    url: str
    client_id: str


class HighWater(SQLModel, table=True):
    """On PostgreSQL: the newest run, in one row. On SQLite that is a file beside the state.

    `made_as` is the table's own number (its OID) when the row was written: a table restored from a dump has another.
    """

    __tablename__ = "high_water"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    run: int = Field(sa_type=BigInteger)
    started: str
    ended: bool
    made_as: int = Field(sa_type=BigInteger)


class Recovery(SQLModel, table=True):
    """While there is a row, this state may be an older copy, and nothing is sent until `reconcile` has been done.

    `adopted` says that `adopt` has taken in, since then, what Inspera already has of what the sources name.
    """

    __tablename__ = "recovery"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    reason: str
    adopted: bool = False


class KeptValue(SQLModel, table=True):
    """A field that keeps Inspera's value (`adopt --keep`) as long as the source's value is `wanted` (JSON)."""

    __tablename__ = "kept_value"

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    field: str = Field(primary_key=True)
    wanted: str


@compiles(AutoString, "postgresql")
def _by_bytes(text: AutoString, compiler: Any, **_: object) -> str:
    """Text is sorted and compared as on SQLite, by its bytes, whatever the order of the database."""
    return f'{compiler.visit_VARCHAR(text)} COLLATE "C"'


METADATA = SQLModel.metadata
