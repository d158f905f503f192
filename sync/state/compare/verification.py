"""What reading back needs from the state: known records, written records, an export to compare."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, utc_text, utc_time
from sync.records.changes import Action, Fields, WrittenRecord
from sync.records.kinds import COMPARED, KEY_FIELDS
from sync.records.remote import RemotePerson
from sync.state.dialect import analyse, create_index, create_table, insert
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks, key_from, read_pages_by_key

_STATE_COLUMNS = ("remote_id", "lifecycle", "managed", "updated")


def read_known(connection: Connection, kind: Kind) -> Iterator[tuple[Key, Fields]]:
    """Yield all records of a kind that are kept in step, page by page; disabled staff too."""
    names = (*KEY_FIELDS[kind], *COMPARED[kind], *_STATE_COLUMNS)
    columns = ", ".join(f'"{name}"' for name in names)
    active = (
        f"SELECT {columns} FROM known_{kind} WHERE lifecycle IN ('active', 'disabled', 'refused')"
    )
    for row in read_pages_by_key(connection, active, KEY_FIELDS[kind], 500):
        fields = dict(zip(names, row, strict=True))
        yield tuple(str(fields.pop(name)) for name in KEY_FIELDS[kind]), fields


def read_window(connection: Connection, test: str, now: datetime) -> tuple[str, bool, bool]:
    """Return a known test's start, and whether it has begun and ended by `now` (aware).

    The end includes its longest extra time.
    """
    query = (
        'SELECT start, "end" AS ends,'
        " (SELECT max(extra_time) FROM known_candidate c WHERE c.test = t.key) AS longest"
        " FROM known_test t WHERE key = :test"
    )
    row = connection.execute(text(query), {"test": test}).first()
    if row is None or not row.start or not row.ends:
        return "", False, False
    last = utc_text(utc_time(row.ends) + timedelta(minutes=row.longest or 0))
    return row.start, row.start <= utc_text(now), last <= utc_text(now)


def sample_written(
    connection: Connection, run_id: int, kind: Kind, most: int | None
) -> Iterator[WrittenRecord]:
    """Yield what a run has written of a kind, test by test; up to `most`, spread evenly."""
    done = "FROM intent WHERE run_id = :run AND kind = :kind AND outcome IN ('done', 'found')"
    values = {"run": run_id, "kind": kind.value}
    # Every n-th intent, by its number: a random sample would need a sort of all of them.
    every = (
        1
        if most is None
        else max(1, -(-count(connection, f"SELECT count(*) {done}", **values) // most))
    )
    numbered = (
        f"SELECT k1, k2, action, outcome_at, row_number() OVER (ORDER BY id) AS number {done}"
    )
    query = (
        f"SELECT k1, k2, action, outcome_at FROM ({numbered}) AS numbered"
        " WHERE number % :every = 0 ORDER BY k1, k2"
    )
    for row in connection.execute(text(query), {**values, "every": every}).fetchall():
        yield WrittenRecord(
            kind, key_from(kind, row.k1, row.k2), Action(row.action), utc_time(row.outcome_at)
        )


_EXPORT = "remote_id, username, auth_system, external_id, first_name, last_name, email, status"


def stage_export(connection: Connection, kind: Kind, people: Iterable[RemotePerson]) -> int:
    """Store an export in the scratch, one row for each external id. Return how many rows."""
    names, table = _EXPORT.split(", "), f"exported_{kind}"
    create_table(
        connection, table, f"person INTEGER, {', '.join(f'{name} TEXT' for name in names)}"
    )
    total = sum(
        insert(connection, table, ("person", *names), chunk)
        for chunk in chunks(_export_rows(people))
    )
    for column in ("username", "external_id"):
        create_index(connection, f"ix_{table}_{column}", f"{table} ({column})")
    analyse(connection, table)
    return total


def _export_rows(people: Iterable[RemotePerson]) -> Iterator[tuple[Any, ...]]:
    for number, one in enumerate(people):
        rest = (one.first_name, one.last_name, one.email, one.status)
        for auth_system, external_id in one.external_ids or ((None, None),):
            yield (number, one.remote_id, one.username, auth_system, external_id, *rest)


def match_export(
    connection: Connection, kind: Kind
) -> Iterator[tuple[Key, Fields, RemotePerson | None]]:
    """Yield all active people of a kind, each with their match in the export.

    They are matched by external id, or by username.
    """
    for key, known in read_known(connection, kind):
        values = {name: known[name] for name in ("username", "auth_system", "external_id")}
        query = (
            f"SELECT {_EXPORT} FROM exported_{kind} WHERE external_id = :external_id"
            " AND auth_system = :auth_system"
            f" UNION ALL SELECT {_EXPORT} FROM exported_{kind} WHERE username = :username LIMIT 1"
        )
        row = connection.execute(text(query), values).first()
        yield key, known, _to_person(row) if row else None


def _to_person(row: Any) -> RemotePerson:
    ids = ((row.auth_system, row.external_id),) if row.external_id else ()
    return RemotePerson(
        row.remote_id, row.username, ids, row.first_name, row.last_name, row.email, row.status
    )


def find_unknown_in_export(connection: Connection, kind: Kind) -> Iterator[str]:
    """Yield an external id (or else the username) of each person in the export who is not known."""
    known = " UNION ".join(
        f"SELECT e.person FROM exported_{kind} e JOIN known_{kind} k ON {same}"
        for same in (
            "k.external_id = e.external_id AND k.auth_system = e.auth_system",
            "k.username = e.username",
        )
    )
    query = (
        f"SELECT min(coalesce(external_id, username)) FROM exported_{kind}"
        f" WHERE person NOT IN ({known}) GROUP BY person ORDER BY 1"
    )
    return (str(row[0]) for row in connection.execute(text(query)))
