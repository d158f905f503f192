"""Fields that keep Inspera's value (`adopt --keep`) until the source's own value changes."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PERSON_OF, SENT_ONCE
from sync.state.staging.scratch import columns_of, key_from

Refingerprint = Callable[[Kind, Mapping[str, object]], bytes]

_OF_ONE = "kind = :kind AND k1 = :k1 AND k2 = :k2"


def _columns(kind: Kind, key: Key) -> dict[str, object]:
    k1, k2 = columns_of(key)
    return {"kind": kind.value, "k1": k1, "k2": k2}


def keep(connection: Connection, kind: Kind, key: Key, wanted: Fields) -> None:
    """Note the fields that keep Inspera's value, each with the source's value until which changes they do."""
    drop(connection, kind, key)
    for field, value in wanted.items():
        connection.execute(
            text(
                "INSERT INTO kept (kind, k1, k2, field, wanted) VALUES (:kind, :k1, :k2, :field, :wanted)"
            ),
            {
                **_columns(kind, key),
                "field": field,
                "wanted": json.dumps(value, ensure_ascii=False),
            },
        )


def drop(connection: Connection, kind: Kind, key: Key) -> None:
    """Keep nothing of this record any more."""
    connection.execute(text(f"DELETE FROM kept WHERE {_OF_ONE}"), _columns(kind, key))


def rename(connection: Connection, kind: Kind, old: str, new: str) -> None:
    """Follow a record to its new key, and what names it on tests with it."""
    for other in (kind, *ON_A_TEST):
        part = "k1" if other is kind or kind is Kind.TEST else "k2"
        if other is kind or kind is Kind.TEST or PERSON_OF.get(other) is kind:
            connection.execute(
                text(f"UPDATE kept SET {part} = :new WHERE kind = :kind AND {part} = :old"),
                {"kind": other.value, "old": old, "new": new},
            )


def kept(connection: Connection, kind: Kind, key: Key) -> Fields:
    """Return the fields of this record that keep Inspera's value, each with the source's value of then."""
    query = f"SELECT field, wanted FROM kept WHERE {_OF_ONE}"
    return {
        str(row.field): json.loads(row.wanted)
        for row in connection.execute(text(query), _columns(kind, key))
    }


def everything(connection: Connection) -> Iterator[tuple[Kind, Key, Fields]]:
    """Return all records with fields that keep Inspera's value; few, since a person has said it of each."""
    rows = connection.execute(
        text("SELECT kind, k1, k2, field, wanted FROM kept ORDER BY kind, k1, k2")
    ).fetchall()
    for (name, k1, k2), group in groupby(rows, key=lambda row: (row.kind, row.k1, row.k2)):
        kind = Kind(name)
        yield (
            kind,
            key_from(kind, k1, k2),
            {str(row.field): json.loads(row.wanted) for row in group},
        )


def leave_alone(connection: Connection, refingerprint: Refingerprint) -> None:
    """Take the kept fields out of what is wanted, where the source still says what it said then."""
    for kind, key, fields in list(everything(connection)):
        row = _wanted(connection, kind, key)
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


def lapse(connection: Connection) -> None:
    """Forget what was kept where the source says something else now; the caller commits. Needs `leave_alone` first."""
    for kind, key, fields in list(everything(connection)):
        row = _wanted(connection, kind, key)
        for name, value in fields.items():
            if row is not None and row[name] not in (None, value):
                connection.execute(
                    text(f"DELETE FROM kept WHERE {_OF_ONE} AND field = :field"),
                    {**_columns(kind, key), "field": name},
                )


def _wanted(connection: Connection, kind: Kind, key: Key) -> dict[str, Any] | None:
    """Return the wanted row of a record that is known; None when there is none."""
    same = " AND ".join(f"w.{name} = :{name} AND k.{name} = w.{name}" for name in KEY_FIELDS[kind])
    names = (*KEY_FIELDS[kind], *COMPARED[kind], *SENT_ONCE[kind], "rowid")
    columns = ", ".join(f"w.{name}" for name in names)
    query = f"SELECT {columns} FROM wanted_{kind} w JOIN known_{kind} k ON {same}"
    values = dict(zip(KEY_FIELDS[kind], key, strict=True))
    row = connection.execute(text(query), values).mappings().first()
    return None if row is None else {name: row[name] for name in names}
