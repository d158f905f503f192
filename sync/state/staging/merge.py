"""Several feeds of one kind: a later one yields to an earlier one, or fills its blanks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.kinds import COMPARED, KEY_FIELDS, SENT_ONCE
from sync.state.staging.derive import Refingerprint

FILL = "fill"

_TOGETHER = frozenset({"start", "end", "duration"})
"""A test's times belong together: a start of one feed and an end of another may not fit."""

_SHARE = {"extra_time": "extra_share", "extra_share": "extra_time"}
"""Minutes and a share of the duration are two forms of one field."""


def merge_into_earlier(
    connection: Connection, kind: Kind, feed: int, how: str, refingerprint: Refingerprint
) -> None:
    """Remove from this feed what an earlier feed of its kind also has.

    With `fill` its values fill the blanks of the earlier one.
    """
    keys = KEY_FIELDS[kind]
    _drop_overruled_row_errors(connection, kind, feed)
    same = " AND ".join(f"e.{name} = w.{name}" for name in keys)
    if how == FILL:
        same += f" AND NOT {_contradicting_sql(kind)}"
        for pair in _read_pairs(connection, kind, feed, same):
            _fill_blanks(connection, kind, pair, refingerprint)
    connection.execute(
        text(
            f"DELETE FROM wanted_{kind} WHERE rowid IN (SELECT w.rowid FROM wanted_{kind} w"
            f" JOIN wanted_{kind} e ON {same} WHERE w.feed = :feed AND e.feed < :feed)"
        ),
        {"feed": feed},
    )


def _drop_overruled_row_errors(connection: Connection, kind: Kind, feed: int) -> None:
    """Drop the keys of this feed's row errors that an earlier feed names: that row counts."""
    same = " AND ".join(
        f"e.{name} = row_error.{of}"
        for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    connection.execute(
        text(
            "UPDATE row_error SET k1 = '', k2 = '' WHERE kind = :kind AND feed = :feed"
            " AND k1 IS NOT NULL"
            f" AND EXISTS (SELECT 1 FROM wanted_{kind} e WHERE {same} AND e.feed < :feed)"
        ),
        {"kind": kind, "feed": feed},
    )


def _contradicting_sql(kind: Kind) -> str:
    """Return the SQL for whether the later feed has several different rows of a record.

    They stay, and become row errors like any others.
    """
    keys = ", ".join(KEY_FIELDS[kind])
    compared = " || '\x1f' || ".join(
        f"coalesce({_text_sql(name)}, '\x1e')" for name in (*COMPARED[kind], *SENT_ONCE[kind])
    )
    several = (
        f"SELECT {keys} FROM wanted_{kind} WHERE feed = :feed GROUP BY {keys}"
        f" HAVING count(DISTINCT {compared}) > 1"
    )
    return f"({', '.join('w.' + name for name in KEY_FIELDS[kind])}) IN ({several})"


def _read_pairs(
    connection: Connection, kind: Kind, feed: int, same: str
) -> Iterator[Mapping[Any, Any]]:
    """Yield rows of an earlier feed with blanks that this feed can fill, with both values."""
    names = _fillable_fields(kind)
    lacks = " OR ".join(
        f"(coalesce({_text_sql(name, 'e')}, '') = ''"
        f" AND coalesce({_text_sql(name, 'w')}, '') <> '')"
        for name in names
    )
    columns = ", ".join(
        [
            *(f"e.{name} AS e_{name}" for name in _all_fields(kind)),
            *(f"w.{name} AS w_{name}" for name in names),
        ]
    )
    query = (
        f"SELECT e.rowid AS id, {columns} FROM wanted_{kind} w JOIN wanted_{kind} e ON {same}"
        f" WHERE w.feed = :feed AND e.feed < :feed AND ({lacks}) AND e.rowid > :last"
        " ORDER BY e.rowid LIMIT 2000"
    )
    last = -1
    while (
        page := connection.execute(text(query), {"feed": feed, "last": last}).mappings().fetchall()
    ):
        yield from page
        last = page[-1]["id"]


def _text_sql(name: str, table: str = "") -> str:
    """Return the SQL for a column as text; minutes are numbers."""
    return f'CAST({table}{"." if table else ""}"{name}" AS TEXT)'


def _all_fields(kind: Kind) -> Sequence[str]:
    return (*KEY_FIELDS[kind], *COMPARED[kind], *SENT_ONCE[kind])


def _fillable_fields(kind: Kind) -> Sequence[str]:
    names = (*COMPARED[kind], *(name for name in SENT_ONCE[kind] if name in _SHARE))
    return [name for name in names if kind is not Kind.TEST or name not in _TOGETHER]


def _fill_blanks(
    connection: Connection, kind: Kind, pair: Mapping[Any, Any], refingerprint: Refingerprint
) -> None:
    fields = {name: pair[f"e_{name}"] for name in _all_fields(kind)}
    new = {
        name: pair[f"w_{name}"]
        for name in _fillable_fields(kind)
        if _is_blank(fields, name) and pair[f"w_{name}"] not in (None, "")
    }
    compared = {
        name: value for name, value in {**fields, **new}.items() if name not in SENT_ONCE[kind]
    }
    values = {**new, "fingerprint": refingerprint(kind, compared), "id": pair["id"]}
    assignments = ", ".join(f'"{name}" = :{name}' for name in (*new, "fingerprint"))
    connection.execute(text(f"UPDATE wanted_{kind} SET {assignments} WHERE rowid = :id"), values)


def _is_blank(fields: Mapping[str, object], name: str) -> bool:
    other = _SHARE.get(name)
    return fields[name] in (None, "") and (other not in fields or fields[str(other)] is None)


def drop_known(connection: Connection, kind: Kind, feed: int) -> None:
    """Remove from this feed all that is known, so that what is known stays."""
    matched = " AND ".join(f"k.{name} = wanted_{kind}.{name}" for name in KEY_FIELDS[kind])
    connection.execute(
        text(
            f"DELETE FROM wanted_{kind} WHERE feed = :feed AND EXISTS (SELECT 1"
            f" FROM known_{kind} k WHERE {matched})"
        ),
        {"feed": feed},
    )
