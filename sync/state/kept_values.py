"""Fields that keep Inspera's value (`adopt --keep`) until the source's own value changes."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PERSON_OF, SENT_ONCE
from sync.state.staging.scratch import key_columns, key_from

Refingerprint = Callable[[Kind, Mapping[str, object]], bytes]

_OF_RECORD = "kind = :kind AND k1 = :k1 AND k2 = :k2"


def _key_values(kind: Kind, key: Key) -> dict[str, object]:
    k1, k2 = key_columns(key)
    return {"kind": kind.value, "k1": k1, "k2": k2}


def store(connection: Connection, kind: Kind, key: Key, wanted: Fields) -> None:
    """Store the fields that keep Inspera's value, each with the source's value that they ignore."""
    forget(connection, kind, key)
    for field, value in wanted.items():
        connection.execute(
            text(
                "INSERT INTO kept_value (kind, k1, k2, field, wanted)"
                " VALUES (:kind, :k1, :k2, :field, :wanted)"
            ),
            {
                **_key_values(kind, key),
                "field": field,
                "wanted": json.dumps(value, ensure_ascii=False),
            },
        )


def forget(connection: Connection, kind: Kind, key: Key) -> None:
    """Forget all kept values of this record."""
    connection.execute(text(f"DELETE FROM kept_value WHERE {_OF_RECORD}"), _key_values(kind, key))


def rename(connection: Connection, kind: Kind, old: str, new: str) -> None:
    """Give the kept values of a record, and of what names it on tests, the new key."""
    for other in (kind, *ON_A_TEST):
        part = "k1" if other is kind or kind is Kind.TEST else "k2"
        if other is kind or kind is Kind.TEST or PERSON_OF.get(other) is kind:
            connection.execute(
                text(f"UPDATE kept_value SET {part} = :new WHERE kind = :kind AND {part} = :old"),
                {"kind": other.value, "old": old, "new": new},
            )


def read(connection: Connection, kind: Kind, key: Key) -> Fields:
    """Return the fields of this record that keep Inspera's value, each with the ignored value."""
    query = f"SELECT field, wanted FROM kept_value WHERE {_OF_RECORD}"
    return {
        str(row.field): json.loads(row.wanted)
        for row in connection.execute(text(query), _key_values(kind, key))
    }


def read_all(connection: Connection) -> Iterator[tuple[Kind, Key, Fields]]:
    """Yield all records with kept values. They are few: a person chose each."""
    rows = connection.execute(
        text("SELECT kind, k1, k2, field, wanted FROM kept_value ORDER BY kind, k1, k2")
    ).fetchall()
    for (name, k1, k2), group in groupby(rows, key=lambda row: (row.kind, row.k1, row.k2)):
        kind = Kind(name)
        yield (
            kind,
            key_from(kind, k1, k2),
            {str(row.field): json.loads(row.wanted) for row in group},
        )


def take_out_of_wanted(connection: Connection, refingerprint: Refingerprint) -> None:
    """Remove the kept fields from the wanted rows while the source still has the ignored value."""
    for kind, key, fields in list(read_all(connection)):
        row = _read_wanted(connection, kind, key)
        still = [name for name, value in fields.items() if row is not None and row[name] == value]
        if row is None or not still:
            continue
        left = {**row, **dict.fromkeys(still)}
        values = {
            name: left[name] for name in (*KEY_FIELDS[kind], *COMPARED[kind], *SENT_ONCE[kind])
        }
        blank = "".join(f', "{name}" = NULL' for name in still)
        connection.execute(
            text(
                f"UPDATE wanted_{kind} SET fingerprint = :fingerprint{blank} WHERE rowid = :rowid"
            ),
            {"fingerprint": refingerprint(kind, values), "rowid": row["rowid"]},
        )


def forget_outdated(connection: Connection) -> None:
    """Forget kept values where the source has another value now; the caller commits.

    Call `take_out_of_wanted` first.
    """
    for kind, key, fields in list(read_all(connection)):
        row = _read_wanted(connection, kind, key)
        for name, value in fields.items():
            if row is not None and row[name] not in (None, value):
                connection.execute(
                    text(f"DELETE FROM kept_value WHERE {_OF_RECORD} AND field = :field"),
                    {**_key_values(kind, key), "field": name},
                )


def _read_wanted(connection: Connection, kind: Kind, key: Key) -> dict[str, Any] | None:
    """Return the wanted row of a record that is known, or None."""
    same = " AND ".join(f"w.{name} = :{name} AND k.{name} = w.{name}" for name in KEY_FIELDS[kind])
    names = (*KEY_FIELDS[kind], *COMPARED[kind], *SENT_ONCE[kind], "rowid")
    columns = ", ".join(f"w.{name}" for name in names)
    query = f"SELECT {columns} FROM wanted_{kind} w JOIN known_{kind} k ON {same}"
    values = dict(zip(KEY_FIELDS[kind], key, strict=True))
    row = connection.execute(text(query), values).mappings().first()
    return None if row is None else {name: row[name] for name in names}
