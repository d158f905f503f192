"""The state's tables. Any tool may read them; only `apply`, `adopt` and the service write.

Times are text in UTC and whole seconds, such as `2026-11-23T08:00:00Z`. Keys are the sources' own,
in columns of their own. A `fingerprint` belongs to the last wanted record which Inspera is known to
hold. A `source` is the one that last named the record: empty when it no longer does, NULL when that
was never stored. `managed` is false for what existed in Inspera before this tool: it is never
removed (rules 10). `lifecycle` is `active` unless the table's description says more.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table
from sqlalchemy.ext.compiler import compiles
from sqlmodel import AutoString, Field, SQLModel

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

    `lifecycle` of a learner: active, released (no longer kept in step) or refused (it existed in
    Inspera, which has accepted nothing that was sent). Of staff: active, disabled or refused. Of a
    test: active, withdrawn (left its source before it ended) or retired. `start` and `end` of a
    test are the times last confirmed in Inspera; `activated` is when this tool activated it, or
    first saw that it was activated. Of a pin or a quit code `value` holds its digest.
    """
    on_a_test = record.kind in ON_A_TEST
    columns = [Column(name, AutoString, primary_key=True) for name in record.key]
    columns += [
        Column(name, Integer if name in record.numbers else AutoString) for name in record.compared
    ]
    columns += [
        Column("fingerprint", LargeBinary),
        Column("remote_id", AutoString, index=not on_a_test),
        Column("lifecycle", AutoString, nullable=False),
        Column("managed", Boolean, nullable=False),
        Column("updated", AutoString, nullable=False),
    ]
    if record.kind is not Kind.OPTION:
        columns.append(Column("source", AutoString))
    if record.kind is Kind.TEST:
        columns.append(Column("activated", AutoString))
    table = Table(f"known_{record.kind}", SQLModel.metadata, *columns)
    for name in record.named(lambda spec: spec.indexed):
        Index(f"ix_{table.name}_{name}", table.c[name])
    if "last_name" in record.compared:  # people search by name
        Index(f"ix_{table.name}_last_name", table.c.last_name)
    return table


KNOWN: Mapping[Kind, Table] = {kind: _known_table(record) for kind, record in RECORD_TYPES.items()}
"""By kind, what Inspera holds of it."""


class Run(SQLModel, table=True):
    """One execution of `apply` or `adopt`.

    `counts` is JSON; `status` is running, done, stopped or interrupted. `reason` is what stopped
    it, or why its exit status is what it is: lines of text, empty when all went well. `audit_lines`
    and `audit_hash` are the newest line of the audit log when it ended.
    """

    id: int | None = Field(default=None, primary_key=True)
    command: str
    started: str
    ended: str | None = None
    status: str
    exit_status: int | None = None
    counts: str = "{}"
    reason: str = ""
    audit_lines: int | None = None
    audit_hash: str | None = None


class RecordedFinding(SQLModel, table=True):
    """A row error, or a change that was not carried out, which a person may want to see.

    `rule` is the number of the safety rule behind it.
    """

    __tablename__ = "finding"

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    type: str
    kind: str
    k1: str = ""
    k2: str = ""
    place: str = ""
    text: str = ""
    rule: int | None = None


class Intent(SQLModel, table=True):
    """A change about to be sent, committed before its call, and its outcome, committed after.

    An intent without an outcome is *open*: its outcome is found out before anything else is sent
    for its record (rules 24). `fields` are what is sent, `before` what was known until then, both
    JSON. `approved` says that a person allowed it, `notified` that Inspera was asked to notify
    the person.
    """

    __table_args__ = (
        Index("ix_intent_record", "kind", "k1", "k2"),
        Index("ix_intent_open", "outcome"),
        Index("ix_intent_at", "kind", "action", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    kind: str
    k1: str
    k2: str = ""
    action: str
    fields: str
    before: str = "{}"
    approved: bool = False
    notified: bool | None = None
    at: str
    outcome: str | None = None
    outcome_at: str | None = None
    message: str = ""


class Accepted(SQLModel, table=True):
    """A decision of a person on a record.

    Either it is new, although it looks like one that vanished (`adopt --as-new`); or it is a
    candidate whose extra time is settled, although this tool did not put them there (`adopt`,
    `--repair`).
    """

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    at: str


class Alias(SQLModel, table=True):
    """A person who was matched by email: Inspera has `username`, the source has `wanted`."""

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    wanted: str
    username: str


class RefusedChange(SQLModel, table=True):
    """A change that Inspera refused, until it passes. It is tried again at `again` (UTC).

    It is also tried again when its row changes. `fingerprint` is that of the wanted record, empty
    for a removal; `times` counts the refusals in a row, from `since` to `last`. With the `cause`
    `started` it is tried again only when its test has changed since `last`.
    """

    __tablename__ = "refused"

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    fingerprint: bytes = Field(default=b"", sa_type=LargeBinary)
    times: int = 1
    since: str
    last: str
    again: str
    message: str = ""
    cause: str = ""


class ShownTrait(SQLModel, table=True):
    """What Inspera has shown of a test that stops changes on it.

    `trait` is `archived` (nothing is sent until `again`, UTC) or `parent` (other tests are parts of
    it). `message` is in Inspera's words.
    """

    __tablename__ = "test_trait"

    test: str = Field(primary_key=True)
    trait: str = Field(primary_key=True)
    since: str
    again: str = ""
    message: str = ""


class Removal(SQLModel, table=True):
    """A record that was removed in Inspera, or a test that was withdrawn, and when (UTC).

    Those of the last 7 days count towards the limits of a run, except those that a person
    `approved`. Later they are deleted.
    """

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    k1: str
    k2: str = ""
    at: str = Field(index=True)
    approved: bool = False


class Snapshot(SQLModel, table=True):
    """A record as a feed last contained it, where the feed is also read for changes only.

    `feed` is the digest of the feed with its rules; `status` is wanted, departed or row error;
    `content` is JSON.
    """

    feed: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    status: str
    content: str


class Watermark(SQLModel, table=True):
    """The point from which a feed is read for changes next time, stored with its snapshot.

    It is in the source's own clock (rules 29).
    """

    __tablename__ = "watermark"

    feed: str = Field(primary_key=True)
    source: str
    kind: str
    value: str
    read: str


class SourceGroup(SQLModel, table=True):
    """A value, such as a faculty, in the source's column `group` when it was last complete."""

    __tablename__ = "source_group"

    source: str = Field(primary_key=True)
    value: str = Field(primary_key=True)


class SourceSize(SQLModel, table=True):
    """The number of rows of a source that feeds join, when it was last complete."""

    __tablename__ = "source_size"

    source: str = Field(primary_key=True)
    rows: int


class SourceTail(SQLModel, table=True):
    """A record among the last of a source's delivery, with its line, when it was complete."""

    __tablename__ = "source_tail"

    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    line: int


class SourceEnding(SQLModel, table=True):
    """Whether the last delivery of a source ended in a line end, as complete files do."""

    __tablename__ = "source_ending"

    source: str = Field(primary_key=True)
    whole: bool


class Leader(SQLModel, table=True):
    """On PostgreSQL: the run that may write. Each one that takes the lock raises `epoch`.

    Under an older epoch no run may write. There is one row. On SQLite the lock of the file is
    enough, and the table stays empty.
    """

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    epoch: int = Field(sa_type=BigInteger)
    holder: str
    since: str


class Paused(SQLModel, table=True):
    """On PostgreSQL: while there is a row, nothing is sent. On SQLite it is a file."""

    __tablename__ = "pause"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    since: str
    reason: str = ""


class DigestKey(SQLModel, table=True):
    """On PostgreSQL: the key of the secret digests, in one row. On SQLite it is a file."""

    __tablename__ = "digest_key"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: bytes = Field(sa_type=LargeBinary)


class RequestedRun(SQLModel, table=True):
    """On PostgreSQL: a job that a person wants to run now. On SQLite it is a file."""

    __tablename__ = "requested_run"

    job: str = Field(primary_key=True)
    at: str


class StateTenant(SQLModel, table=True):
    """The tenant of this state, in one row: its URL in one spelling, and the client id."""

    __tablename__ = "tenant"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    url: str
    client_id: str


class HighWater(SQLModel, table=True):
    """On PostgreSQL: the newest run, in one row. On SQLite it is a file next to the state.

    `made_as` is the table's own number (its OID) when the row was written: a table restored from a
    dump has another.
    """

    __tablename__ = "high_water"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    run: int = Field(sa_type=BigInteger)
    started: str
    ended: bool
    made_as: int = Field(sa_type=BigInteger)


class RecoveryFlag(SQLModel, table=True):
    """While there is a row, this state may be an older copy: nothing is sent until `reconcile`.

    `adopted` says that `adopt` has since taken in what the sources name and Inspera has.
    """

    __tablename__ = "recovery"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    reason: str
    adopted: bool = False


class KeptValue(SQLModel, table=True):
    """A field that keeps Inspera's value (`adopt --keep`) while the source's is `wanted` (JSON)."""

    __tablename__ = "kept_value"

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    field: str = Field(primary_key=True)
    wanted: str


class Absence(SQLModel, table=True):
    """A managed record that healthy readings do not contain any more, until it goes or comes back.

    `since` and `last` are the times of the first and the last of `readings` readings (UTC).
    """

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    since: str
    last: str
    readings: int = 1


class StoredHold(SQLModel, table=True):
    """Changes that the newest plan holds for one reason, under the hash that allows them all.

    `since` is when this hash was first held, `run_id` the newest run that held it. `sending` says
    that Inspera was read before it was held. `test` is the soonest test concerned, with its start.
    """

    __tablename__ = "hold"

    id: str = Field(primary_key=True)
    run_id: int
    since: str
    cause: str
    name: str
    reason: str
    sending: bool = False
    test: str | None = None
    start: str | None = None


class StoredHeldChange(SQLModel, table=True):
    """A change of a hold. `digest` is the hash of exactly this change.

    `before` and `after` are JSON of the fields that differ.
    """

    __tablename__ = "held_change"

    hold: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    digest: str = Field(index=True)
    action: str
    changed: str
    before: str
    after: str
    place: str = ""
    reason: str = ""


class StoredDecision(SQLModel, table=True):
    """What a person has decided about exactly one change: `approved` or `rejected`.

    An approval is used up when its change is sent, and counts until `expires` (UTC). A rejection
    has no end; it counts as long as the change is the same. `run_id` is the first run that began
    with it.
    """

    __tablename__ = "decision"

    digest: str = Field(primary_key=True)
    kind: str
    k1: str
    k2: str = ""
    verdict: str
    person: str
    why: str
    at: str
    expires: str | None = None
    run_id: int | None = None


class Undone(SQLModel, table=True):
    """A change of run `run_id` that a person took back, so that it is held and not sent again.

    It is held as long as the sources say the same: `fingerprint` is that of the wanted record,
    empty when the sources do not contain it, and `fields` are its values (JSON), with which a record
    is compared whose feed maps more fields by now. `undo_run` is the run of `undo` itself.
    """

    kind: str = Field(primary_key=True)
    k1: str = Field(primary_key=True)
    k2: str = Field(default="", primary_key=True)
    fingerprint: bytes = Field(default=b"", sa_type=LargeBinary)
    fields: str = "{}"
    run_id: int
    undo_run: int
    person: str
    why: str
    at: str


class AppliedConfiguration(SQLModel, table=True):
    """The feeds of the configuration by which this state was last brought in step, in one row.

    `content` is JSON without secrets; the next change of meaning is compared with it.
    """

    __tablename__ = "applied_configuration"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str
    content: str
    at: str


class ReadSource(SQLModel, table=True):
    """How many rows a run read from a source for a kind, and what was wrong with it.

    `trouble` is why its absences proved nothing; `partial` says that only changes were read. `at`
    is when the run planned with it (UTC).
    """

    __tablename__ = "source_reading"

    run_id: int = Field(foreign_key="run.id", primary_key=True)
    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    rows: int
    partial: bool = False
    trouble: str = ""
    at: str


class ExamFigure(SQLModel, table=True):
    """How many records of a test that starts soon have this `state`, at the end of the newest run.

    `state` is `wanted` (of candidates), or what keeps a change back: `held`, `waiting`, `deferred`,
    `not sent`, `row error`, and `removal` for whatever is still to be taken off. The test is empty
    for row errors in which no test could be read. `at` is the time of the run (UTC).
    """

    __tablename__ = "exam_figure"

    test: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    start: str
    number: int
    run_id: int
    at: str


class AuditedLine(SQLModel, table=True):
    """A line of the audit log: append-only, each tied to those before it by its `hash`.

    `person` is a pseudonym, which `audit_person` resolves as long as the person is not forgotten.
    """

    __tablename__ = "audit"

    number: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    at: str
    who: str
    run: int | None = None
    event: str
    kind: str = ""
    action: str = ""
    record: str = ""
    person: str = Field(default="", index=True)
    scope: str = ""
    outcome: str = ""
    content: str = ""
    details: str = ""
    hash: str


class AuditPerson(SQLModel, table=True):
    """The pseudonym of a person in the audit log, with its random salt, until they are forgotten."""

    __tablename__ = "audit_person"

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)
    pseudonym: str


class AuditNote(SQLModel, table=True):
    """A line that waits for the next holder of the run lock, who appends it to the audit log.

    On SQLite such notes are files next to the state; `id` is then the name of one that has been
    appended, until it is deleted.
    """

    __tablename__ = "audit_note"

    id: str = Field(primary_key=True)
    content: str = ""


class AuditedSetting(SQLModel, table=True):
    """A setting of the configuration of the last run, with the hash of its value."""

    __tablename__ = "audit_setting"

    name: str = Field(primary_key=True)
    digest: str


class NotifiedTarget(SQLModel, table=True):
    """What a target of notifications knows: `concerns` is JSON, `at` is its last notification (UTC).

    Only PostgreSQL uses it: a state in a file has a file next to it, since a run locks the state.
    """

    __tablename__ = "notified"

    target: str = Field(primary_key=True)
    at: str
    concerns: str


@compiles(AutoString, "postgresql")
def _by_bytes(text: AutoString, compiler: Any, **_: object) -> str:
    """Sort and compare text by its bytes, as SQLite does, whatever the database's own order."""
    return f'{compiler.visit_VARCHAR(text)} COLLATE "C"'


METADATA = SQLModel.metadata
