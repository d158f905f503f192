"""The run's own workspace: wanted records, row errors and plan, in tables of the connection.

Rows are inserted plainly and indexed afterwards; an upsert would hide duplicates.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, RowError, utc_text
from sync.records.changes import Action, Fields, Value
from sync.records.kinds import COMPARED, KEY_FIELDS, NUMBERS, SENT_ONCE, Record
from sync.records.option import Option
from sync.records.test import Test
from sync.state.dialect import analyse, create_index, create_table, insert, is_postgres, prepare

_T = TypeVar("_T")

CHUNK = 5_000

Origin = tuple[str | None, ...]
"""For each part of the key: the values that a template made it from, where other values could make
the same key (rules 3)."""

_COLUMNS = dict.fromkeys(NUMBERS, "INTEGER") | {
    "fingerprint": "BLOB",
    "feed": "INTEGER",
    "line": "INTEGER",
}

_TABLES = {
    "row_error": (
        "id INTEGER PRIMARY KEY, kind TEXT, k1 TEXT, k2 TEXT, place TEXT, field TEXT, reason TEXT, "
        "remedy TEXT, feed INTEGER, cause TEXT, rule INTEGER"
    ),
    "unknown": "kind TEXT, part TEXT, value TEXT, cause TEXT, reason TEXT, remedy TEXT",
    "astray": "kind TEXT, k1 TEXT, k2 TEXT, place TEXT",
    "feed_source": "feed INTEGER, source TEXT",
    "departed": "kind TEXT, k1 TEXT, k2 TEXT, feed INTEGER, line INTEGER",
    "unselected": "kind TEXT, k1 TEXT, k2 TEXT, feed INTEGER",
    "stale": "kind TEXT, k1 TEXT, k2 TEXT",
    "fresh": "feed TEXT, k1 TEXT, k2 TEXT, status TEXT, content TEXT",
    "covered": "feed TEXT, source TEXT, kind TEXT, mark TEXT, whole INTEGER",
    "lookup": "id INTEGER, key TEXT, cells TEXT, line INTEGER",
    "vanished": "kind TEXT, key TEXT, folded TEXT",
    "missing": "kind TEXT, k1 TEXT, k2 TEXT",
    "unsure": "kind TEXT, key TEXT, folded TEXT",
    "suspect": "kind TEXT, new_key TEXT, old_key TEXT",
    "zeroed": "kind TEXT, new_key TEXT, old_key TEXT",
    "clash": "kind TEXT, k1 TEXT, reason TEXT, error INTEGER, held INTEGER",
    "reused": "kind TEXT, new_key TEXT, old_key TEXT",
    "open_record": "kind TEXT, k1 TEXT, k2 TEXT, fields TEXT",
    "test_window": (
        "test TEXT PRIMARY KEY, start TEXT, ends TEXT, begun INTEGER, ended INTEGER, closed "
        "INTEGER, retiring INTEGER, wave TEXT, unsent INTEGER, unsettled INTEGER, feed INTEGER, "
        "before INTEGER, after INTEGER, archived TEXT, parent INTEGER"
    ),
    "barred": "kind TEXT, k1 TEXT, k2 TEXT, fingerprint BLOB, reason TEXT, cause TEXT",
    "taken_back": ("kind TEXT, k1 TEXT, k2 TEXT, fingerprint BLOB, run_id INTEGER, reason TEXT"),
    "given_role": "role TEXT, staff TEXT",
    "ensured": "test TEXT, committee TEXT",
    "stay": "kind TEXT, k1 TEXT, k2 TEXT",
    "refresh": "kind TEXT, k1 TEXT, k2 TEXT, fingerprint BLOB",
    "draft": (
        "id INTEGER PRIMARY KEY, kind TEXT, k1 TEXT, k2 TEXT, action TEXT, verdict TEXT, cause "
        "TEXT, reason TEXT, place TEXT, changed TEXT, before TEXT, after TEXT, secret TEXT, "
        "fingerprint BLOB, scope TEXT"
    ),
    "plan": (
        "seq INTEGER PRIMARY KEY, wave TEXT, layer INTEGER, kind TEXT, k1 TEXT, k2 TEXT, action "
        "TEXT, verdict TEXT, cause TEXT, reason TEXT, place TEXT, changed TEXT, before TEXT, after "
        "TEXT, secret TEXT, fingerprint BLOB, scope TEXT, draft INTEGER"
    ),
    "scope_line": "digest TEXT, draft INTEGER, outermost INTEGER",
}
_TABLES |= {
    "taking": "id INTEGER, test TEXT, learner TEXT, number TEXT",
    "contested": (
        "taker INTEGER, number TEXT, holder TEXT, holder_id INTEGER, action TEXT, verdict TEXT, "
        "reason TEXT, moves INTEGER"
    ),
    "stuck": "id INTEGER",
    "first_out": "id INTEGER",
    "asked": "seq INTEGER",
    "test_time": "test TEXT PRIMARY KEY, start TEXT, ends TEXT",
    "staying_candidate": "test TEXT, learner TEXT, room TEXT, building TEXT, roles TEXT",
    "staying_contributor": "test TEXT, staff TEXT, room TEXT, building TEXT, roles TEXT",
    "overlap": "test TEXT, other TEXT, learner TEXT",
    "room_places": "name TEXT PRIMARY KEY, places INTEGER",
    "room_use": "room TEXT, test TEXT, number INTEGER",
    "test_clash": (
        "id INTEGER PRIMARY KEY, type TEXT, test TEXT, other TEXT, number INTEGER, places INTEGER, "
        "start TEXT, ends TEXT"
    ),
    "inverse": "kind TEXT, k1 TEXT, k2 TEXT, fingerprint BLOB, fields TEXT, returns INTEGER",
    "reviewed": "plan INTEGER, kind TEXT, k1 TEXT, k2 TEXT, hash TEXT",
    "held_sending": "seq INTEGER, cause TEXT, reason TEXT",
    "asked_error": "id INTEGER",
    "pilot_need": "kind TEXT, k1 TEXT, k2 TEXT",
    "earlier_change": "digest TEXT",
    "by_configuration": "id INTEGER, kind TEXT, digest TEXT",
    "existing_account": (
        "kind TEXT, number INTEGER, login TEXT, auth_system TEXT, external_id TEXT"
    ),
}
"""For candidate numbers: the changes that take one, its holder, the stuck changes, and the removals
that go first. `asked` has the lines that a narrowed plan keeps, `reviewed` those of a plan that a
person has reviewed and of the plan of now, `inverse` the records of which a change is undone,
`held_sending` those that were held when Inspera was read. `asked_error` has the row errors that a
narrowed plan keeps, `pilot_need` the records that the pilot group needs. `existing_account` has the
accounts that Inspera's exports of people name.

`given_role` has the roles on tests that a plan gives.

`ensured` has the committees that only the setting `committees` wants.

`earlier_change` has the changes by an earlier configuration, `by_configuration` those that only the
new one makes.

`scope_line` has the lines of each held scope, by its hash: `draft` is the line's number in the
draft and in `plan.draft`. A line can be in several scopes; in one of them it is `outermost` = 1.

`test_time` and what follows are for clashes."""
_NUMBERED = frozenset({"departed", "fresh"})
"""Tables that need a row number, in addition to those of wanted records."""


def wanted_columns(kind: Kind) -> tuple[str, ...]:
    """Return the columns of a `wanted_…` table, in order."""
    origins = tuple(f"origin_{name}" for name in KEY_FIELDS[kind])
    return (
        *KEY_FIELDS[kind],
        *COMPARED[kind],
        *SENT_ONCE[kind],
        "fingerprint",
        *origins,
        "feed",
        "line",
    )


def make_tables(connection: Connection) -> None:
    """Create the empty workspace."""
    prepare(connection)
    for name, columns in _TABLES.items():
        create_table(connection, name, columns, numbered=name in _NUMBERED)
    for kind in Kind:
        columns = ", ".join(
            f'"{name}" {_COLUMNS.get(name, "TEXT")}' for name in wanted_columns(kind)
        )
        create_table(connection, f"wanted_{kind}", columns, numbered=True)


def discard_feed(connection: Connection, kind: Kind, feed: int) -> None:
    """Delete what was staged from a feed that could not be read to its end."""
    connection.execute(text(f"DELETE FROM wanted_{kind} WHERE feed = :feed"), {"feed": feed})
    connection.execute(text("DELETE FROM departed WHERE feed = :feed"), {"feed": feed})


def stage(
    connection: Connection,
    kind: Kind,
    feed: int,
    records: Iterable[tuple[Record, Origin | None, int]],
    fingerprint: Callable[[Record], bytes],
    digest: Callable[[str], str],
) -> int:
    """Insert wanted records of one feed, each with its origin and its line. Return how many.

    An option's secret gets its digest as its value, by which it is compared.
    """
    columns = (*wanted_columns(kind)[:-2], "line")
    nothing: Origin = (None,) * len(KEY_FIELDS[kind])

    def row(item: tuple[Record, Origin | None, int]) -> tuple[object, ...]:
        record, origin, line = item
        if isinstance(record, Option) and record.secret:
            record = record._replace(value=digest(record.secret))
        values: tuple[object, ...] = record  # The fields are the first columns, in order.
        if isinstance(record, Test):
            values = tuple(
                utc_text(value) if isinstance(value, datetime) else value for value in record
            )
        return (*values, fingerprint(record), *(origin or nothing), line)

    return sum(
        _insert_filled(connection, kind, feed, columns, chunk)
        for chunk in chunks(map(row, records))
    )


def _insert_filled(
    connection: Connection,
    kind: Kind,
    feed: int,
    columns: Sequence[str],
    rows: list[tuple[object, ...]],
) -> int:
    """Insert only the columns that some row fills.

    Feeds map few of them, and binding the others would take most of the time.
    """
    filled = {
        name: values
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
        if values.count(None) < len(values)
    }
    return insert(
        connection,
        f"wanted_{kind}",
        list(filled),
        list(zip(*filled.values(), strict=True)),
        feed=feed,
    )


def stage_departures(
    connection: Connection, kind: Kind, feed: int, departures: Iterable[tuple[Key, int]]
) -> None:
    """Store the records that rows declare as departed, with the rows' numbers."""
    for chunk in chunks(departures):
        rows = [(*key_columns(key), line) for key, line in chunk]
        insert(connection, "departed", ("k1", "k2", "line"), rows, kind=kind.value, feed=feed)


def stage_unselected(connection: Connection, kind: Kind, feed: int, keys: Iterable[Key]) -> None:
    """Store the records of rows that `where` does not select."""
    for chunk in chunks(keys):
        rows = [key_columns(key) for key in chunk]
        insert(connection, "unselected", ("k1", "k2"), rows, kind=kind.value, feed=feed)


def read_wanted(connection: Connection, kind: Kind) -> Iterator[Any]:
    """Yield the wanted rows of a kind as mappings."""
    query = f"SELECT rowid, * FROM wanted_{kind} WHERE rowid > :last ORDER BY rowid LIMIT 2000"
    for row in read_pages(connection, query):
        yield row._mapping


def add_row_errors(
    connection: Connection, row_errors: Iterable[RowError], feed: int | None = None
) -> int:
    """Store row errors with their keys, so that their records keep what is known. Return how many.

    `feed` is the number of the feed whose rows they are, where it is one row that is wrong.
    """
    columns = ("kind", "k1", "k2", "place", "field", "reason", "remedy", "feed", "cause", "rule")

    def row(row_error: RowError) -> tuple[object, ...]:
        # If only a field was left out, the record stays valid: a blank key matches no record. NULL
        # means that the key could not be read.
        k1, k2 = (
            ("", "")
            if row_error.left_out
            else key_columns(row_error.key)
            if row_error.key
            else (None, None)
        )
        return (
            row_error.kind.value,
            k1,
            k2,
            row_error.where,
            row_error.field,
            row_error.reason,
            row_error.remedy,
            feed,
            row_error.cause,
            int(row_error.rule),
        )

    return sum(
        insert(connection, "row_error", columns, chunk) for chunk in chunks(map(row, row_errors))
    )


def drop_invalid(connection: Connection, kind: Kind) -> None:
    """Remove records with a row error from what is wanted, so that they keep what is known."""
    if not connection.execute(
        text("SELECT 1 FROM row_error WHERE kind = :kind LIMIT 1"), {"kind": kind}
    ).first():
        return
    keys = KEY_FIELDS[kind]
    k2 = keys[1] if len(keys) > 1 else "''"
    connection.execute(
        text(
            f"DELETE FROM wanted_{kind} WHERE EXISTS (SELECT 1 FROM row_error f"
            f" WHERE f.kind = :kind AND f.k1 = wanted_{kind}.{keys[0]} AND f.k2 = "
            f"{'wanted_' + kind + '.' if len(keys) > 1 else ''}{k2})"
        ),
        {"kind": kind},
    )


def count_valid(connection: Connection, kind: Kind, feed: int) -> int:
    """Return how many wanted records of a feed have no row error."""
    keys = KEY_FIELDS[kind]
    k2 = f"w.{keys[1]}" if len(keys) > 1 else "''"
    query = (
        f"SELECT count(*) FROM wanted_{kind} w WHERE w.feed = :feed AND NOT EXISTS"
        f" (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = w.{keys[0]} AND f.k2 = {k2})"
    )
    return int(connection.execute(text(query), {"feed": feed, "kind": kind.value}).scalar() or 0)


def read_row_errors(connection: Connection) -> Iterator[RowError]:
    """Yield every row error of the run, in the order of their discovery."""
    columns = "id, kind, k1, k2, place, field, reason, remedy, cause, rule"
    for row in read_pages(
        connection, f"SELECT {columns} FROM row_error WHERE id > :last ORDER BY id LIMIT 500"
    ):
        kind = Kind(row[1])
        key = key_from(kind, row[2], row[3]) if row[2] or row[3] else None
        left_out = row[2] == "" and row[3] == ""
        yield RowError(row[4], row[5], row[6], row[7], kind, key, row[8], left_out, row[9])


def index_wanted(connection: Connection) -> None:
    """Index what was staged. Call it once all of it is there."""
    for kind in Kind:
        create_index(
            connection, f"ix_wanted_{kind}", f"wanted_{kind} ({', '.join(KEY_FIELDS[kind])})"
        )
        if is_postgres(connection):
            create_index(connection, f"ix_wanted_{kind}_rowid", f"wanted_{kind} (rowid)")
    create_index(connection, "ix_wanted_seat", "wanted_candidate (learner, test)")
    create_index(connection, "ix_wanted_part", "wanted_contributor (staff)")
    create_index(connection, "ix_row_error", "row_error (kind, k1, k2)")
    create_index(connection, "ix_departed", "departed (kind, k1, k2)")
    analyse(connection, "row_error", "departed", "stale", *(f"wanted_{kind}" for kind in Kind))


def key_columns(key: Sequence[str]) -> tuple[str, str]:
    """Return a key as the two columns `k1` and `k2`; the second is empty for a simple key."""
    return (key[0], key[1] if len(key) > 1 else "")


def key_from(kind: Kind, k1: str, k2: str) -> tuple[str, ...]:
    """Return the key in the two columns `k1` and `k2`."""
    return (k1, k2) if len(KEY_FIELDS[kind]) > 1 else (k1,)


def line_key_from(kind: Kind, k1: str, k2: str) -> tuple[str, ...]:
    """Return the key of a line (`Change.line_key`), which an activation has next to its test's."""
    return key_from(kind, k1, k2) if k2 != Action.ACTIVATE or kind is not Kind.TEST else (k1, k2)


def to_json(fields: Fields) -> str:
    """Return fields as they are stored in plans and intents."""
    return json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":"))


def from_json(stored: str) -> dict[str, Value]:
    """Return the fields in a text of `to_json`."""
    value: dict[str, Value] = json.loads(stored)
    return value


def read_pages(connection: Connection, query: str, **values: object) -> Iterator[Any]:
    """Yield the rows of a query that takes `:last` and selects its order first.

    No cursor stays open between pages.
    """
    last: object = 0
    while page := connection.execute(text(query), {**values, "last": last}).fetchall():
        yield from page
        last = page[-1][0]


def read_pages_by_key(
    connection: Connection, select: str, keys: Sequence[str], most: int, **values: object
) -> Iterator[Any]:
    """Yield the rows of a query that selects its key first and ends in conditions.

    A page has `most` rows.
    """
    columns, marks = ", ".join(keys), ", ".join(f":last_{n}" for n in range(len(keys)))
    after, last = "", dict[str, object]()
    while page := connection.execute(
        text(f"{select}{after} ORDER BY {columns} LIMIT {most:d}"), {**values, **last}
    ).fetchall():
        yield from page
        after = f" AND ({columns}) > ({marks})"
        last = {f"last_{n}": page[-1][n] for n in range(len(keys))}


def chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield the items in lists of at most `CHUNK`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
