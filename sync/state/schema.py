"""The state's tables. Operators may read them with any tool; only `apply`, `adopt` and the service write them.

Times are text in UTC and whole seconds, such as `2026-11-23T08:00:00Z`. Keys are the sources' own, in columns of
their own. A `fingerprint` is that of the last wanted record which Inspera is known to hold. A `source` is the one that
last named the record: empty when it no longer does, NULL when that was never noted.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table
from sqlalchemy.ext.compiler import compiles
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import AutoString

from sync.records.base import Kind
from sync.records.fields import RecordType
from sync.records.kinds import ON_A_TEST, RECORD_TYPES

ACTIVE, RELEASED, DISABLED, WITHDRAWN, RETIRED = (
    "active",
    "released",
    "disabled",
    "withdrawn",
    "retired",
)
REFUSED = "refused"


def _known_table(record: RecordType) -> Table:
    """Define the table of a kind's records that Inspera holds, with the columns of its record type.

    `standing` of a learner: active, released (no longer kept in step) or refused (found there, and Inspera has taken
    nothing that was sent). Of staff: active, disabled or refused. Of a test: active, withdrawn (left its source before
    it ended) or retired. `ours` is false for what was there before us, which is never removed. `start` and `end` of a
    test are the times last confirmed in Inspera. In the place of a pin or a quit code `value` holds a digest of it.
    """
    on_a_test = record.kind in ON_A_TEST
    columns = [Column(name, AutoString, primary_key=True) for name in record.key]
    columns += [
        Column(name, Integer if name in record.numbers else AutoString) for name in record.compared
    ]
    columns += [
        Column("fingerprint", LargeBinary),
        Column("remote_id", AutoString, index=not on_a_test),
        Column("standing", AutoString, nullable=False),
        Column("ours", Boolean, nullable=False),
        Column("updated", AutoString, nullable=False),
    ]
    if record.kind not in (Kind.OPTION, Kind.COMMITTEE):
        columns.append(Column("source", AutoString))
    table = Table(f"known_{record.kind}", SQLModel.metadata, *columns)
    for name in record.named(lambda spec: spec.indexed):
        Index(f"ix_{table.name}_{name}", table.c[name])
    return table


KNOWN: Mapping[Kind, Table] = {kind: _known_table(record) for kind, record in RECORD_TYPES.items()}
"""By kind, what Inspera holds of it."""


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

    `feed` is the digest of the feed with its rules; `standing` is wanted, departed or row error; `content` is JSON.
    """

    feed: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    standing: str
    content: str


class Watermark(SQLModel, table=True):
    """From where a feed is read for changes the next time: by the source's own clock, stored with its snapshot."""

    __tablename__ = "mark"

    feed: str = Field(primary_key=True)
    source: str
    kind: str
    mark: str
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
    """On PostgreSQL: the key of the seals, in one row. On SQLite that is a file beside the state."""

    __tablename__ = "seal"

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

    __tablename__ = "kept"

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
