"""All that the state holds about one record, for `explain`: known, calls, decisions, findings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind
from sync.records.changes import Action, Fields
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST
from sync.state.history import PastFinding
from sync.state.staging.scratch import key_columns

MOST_CALLS = 20
"""The most calls of one record that are named, the newest."""


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """What Inspera holds of a record as far as this state knows. Times are text in UTC.

    Attributes:
        source: the source that last named it; empty when none does any more, None if unknown.
        as_sent: whether Inspera last had what a source contained, and not only what was read there.
    """

    fields: Fields
    lifecycle: str
    managed: bool
    remote_id: str | None
    source: str | None
    updated: str
    as_sent: bool


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of an earlier run, with what became of it. `outcome` is None while it is unknown."""

    at: str
    run: int
    command: str
    action: str
    outcome: str | None
    message: str
    approved: bool


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What a person has decided about this record, or what waits for them, in plain words."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """The record, and what happened to it.

    Attributes:
        created: the call that put the record into Inspera; None when no run of this state did.
        calls: the newest calls, the newest first; `call_count` counts all.
        findings: what the last run that found something about it has found.
        found_by: that run and its command.
    """

    known: KnownRecord | None
    created: PastCall | None
    calls: Sequence[PastCall]
    call_count: int
    decisions: Sequence[PastDecision]
    findings: Sequence[PastFinding]
    found_by: tuple[int, str] | None


def read_history(connection: Connection, kind: Kind, key: Key) -> RecordHistory:
    """Return what the state holds about a record; all of it may be empty."""
    k1, k2 = key_columns(key)
    record = {"kind": kind.value, "k1": k1, "k2": k2}
    created = _read_calls(
        connection, record, "i.action = 'create' AND i.outcome IN ('done', 'found')", 1
    )
    query = text(f"SELECT count(*) FROM intent i WHERE {_SAME.format('i')}")
    found_by, findings = _read_findings(connection, record, kind, key)
    return RecordHistory(
        known=_read_known(connection, kind, key),
        created=created[0] if created else None,
        calls=_read_calls(connection, record, "i.id IS NOT NULL", MOST_CALLS),
        call_count=int(connection.execute(query, record).scalar_one()),
        decisions=list(_read_decisions(connection, record)),
        findings=findings,
        found_by=found_by,
    )


_SAME = (
    "{0}.kind = :kind AND {0}.k1 = :k1 AND ({0}.k2 = :k2"
    f" OR ({{0}}.kind = '{Kind.TEST}' AND {{0}}.k2 = '{Action.ACTIVATE}'))"
)
"""The same record. The activation of a test has a line of its own (`Change.line_key`)."""


def _read_known(connection: Connection, kind: Kind, key: Key) -> KnownRecord | None:
    source = "NULL" if kind is Kind.OPTION else "source"
    columns = ", ".join(f'"{name}"' for name in COMPARED[kind])
    where = " AND ".join(f"{name} = :{name}" for name in KEY_FIELDS[kind])
    query = (
        f"SELECT {columns}, lifecycle, managed, remote_id, {source} AS named_by, updated,"
        f" fingerprint IS NOT NULL AS as_sent FROM known_{kind} WHERE {where}"
    )
    values = dict(zip(KEY_FIELDS[kind], key, strict=True))
    row = connection.execute(text(query), values).mappings().first()
    if row is None:
        return None
    fields = {name: row[name] for name in COMPARED[kind]}
    return KnownRecord(
        fields,
        row["lifecycle"],
        bool(row["managed"]),
        row["remote_id"],
        row["named_by"],
        row["updated"],
        bool(row["as_sent"]),
    )


def _read_calls(
    connection: Connection, record: dict[str, str], condition: str, most: int
) -> list[PastCall]:
    query = text(
        "SELECT i.at, i.run_id, r.command, i.action, i.outcome, i.message, i.approved"
        f" FROM intent i JOIN run r ON r.id = i.run_id WHERE {_SAME.format('i')} AND {condition}"
        f" ORDER BY i.id DESC LIMIT {most:d}"
    )
    return [
        PastCall(
            row.at,
            row.run_id,
            row.command,
            row.action,
            row.outcome,
            row.message,
            bool(row.approved),
        )
        for row in connection.execute(query, record)
    ]


def _read_findings(
    connection: Connection, record: dict[str, str], kind: Kind, key: Key
) -> tuple[tuple[int, str] | None, list[PastFinding]]:
    """Return what the newest run that decided about this record has found, and which run it was."""
    query = text(
        "SELECT f.run_id, r.command, f.type, f.place, f.text, f.rule FROM finding f"
        " JOIN run r ON r.id = f.run_id"
        f" WHERE {_SAME.format('f')} AND f.run_id = (SELECT max(id) FROM run WHERE ended IS NOT"
        " NULL AND (command = 'apply' OR command LIKE 'job %')) ORDER BY f.id"
    )
    rows = connection.execute(query, record).fetchall()
    found = [PastFinding(row.type, kind, key, row.place, row.text, row.rule) for row in rows]
    return ((rows[0].run_id, rows[0].command) if rows else None), found


_DECISIONS = (
    (
        "decision",
        "SELECT at, verdict || ' by ' || person || ': ' || why ||"
        " coalesce(' (until ' || expires || ')', '') AS text FROM decision d WHERE {same}",
    ),
    (
        "held_change",
        "SELECT h.since AS at, 'held under ' || d.hold || '; `held ' || d.hold || '` shows it,"
        " `approve` or `reject` decides' AS text"
        " FROM held_change d JOIN hold h ON h.id = d.hold WHERE {same}",
    ),
    (
        "undone",
        "SELECT at, 'taken back from run ' || run_id || ' by ' || person AS text"
        " FROM undone d WHERE {same}",
    ),
    (
        "accepted",
        "SELECT at, 'accepted as it is (`adopt`)' AS text FROM accepted d WHERE {same}",
    ),
    (
        "kept_value",
        "SELECT '' AS at, 'Inspera''s ' || d.field || ' is kept until the source changes"
        " (`adopt --keep`)' AS text FROM kept_value d WHERE {same}",
    ),
    (
        "absence",
        "SELECT since AS at, 'missing in the sources since then, in ' || readings ||"
        " CASE readings WHEN 1 THEN ' reading' ELSE ' readings' END AS text FROM absence d WHERE {same}",
    ),
    (
        "refused",
        "SELECT since AS at, 'refused by Inspera (' || times || ' in a row), tried again after ' ||"
        " again || ': ' || message AS text FROM refused d WHERE {same}",
    ),
)


def _read_decisions(connection: Connection, record: dict[str, str]) -> Iterator[PastDecision]:
    for _, query in _DECISIONS:
        for row in connection.execute(text(query.format(same=_SAME.format("d"))), record):
            yield PastDecision(row.at, row.text)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else decides about a record of which the plan has no line. Needs the plan.

    Attributes:
        unsent: its test had ended before it was ever sent.
        retired: its test is retired, or retires in this run.
        named_by: how many candidates or contributors that are wanted or known name this person.
    """

    unsent: bool = False
    retired: bool = False
    named_by: int = 0


def read_surroundings(connection: Connection, kind: Kind, key: Key) -> Surroundings:
    """Return what else decides about this record in this run."""
    if kind in (Kind.LEARNER, Kind.STAFF):
        on, part = (
            (Kind.CANDIDATE, "learner") if kind is Kind.LEARNER else (Kind.CONTRIBUTOR, "staff")
        )
        query = text(
            f"SELECT count(*) FROM (SELECT test FROM wanted_{on} WHERE {part} = :key UNION"
            f" SELECT test FROM known_{on} WHERE {part} = :key AND lifecycle = 'active') AS named"
        )
        return Surroundings(named_by=int(connection.execute(query, {"key": key[0]}).scalar_one()))
    query = text(
        "SELECT coalesce(max(unsent), 0) AS unsent, coalesce(max(retiring), 0) AS retiring,"
        " (SELECT count(*) FROM known_test WHERE key = :key AND lifecycle = 'retired') AS retired"
        " FROM test_window WHERE test = :key"
    )
    row = connection.execute(query, {"key": key[0]}).one()
    return Surroundings(bool(row.unsent), bool(row.retiring or row.retired))


def read_keys(connection: Connection, kind: Kind) -> Iterator[Key]:
    """Yield the keys of all records of a kind that are known or wanted, or have a row error."""
    parts = KEY_FIELDS[kind]
    columns = ", ".join(parts)
    second = "k2" if kind in ON_A_TEST else "''"
    listed = f"{columns}, ''" if len(parts) == 1 else columns
    query = text(
        f"SELECT {listed} FROM known_{kind} UNION SELECT {listed} FROM wanted_{kind}"
        f" UNION SELECT k1, {second} FROM row_error WHERE kind = :kind AND k1 <> ''"
    )
    for row in connection.execute(query, {"kind": kind.value}):
        yield tuple(row)[: len(parts)]
