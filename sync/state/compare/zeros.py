"""New keys that are known ones without their leading zeros, as a spreadsheet makes them (rules 2)."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, text

from sync.planning.zeros import CORRECT
from sync.records.base import Key, Kind, row_place
from sync.records.kinds import PEOPLE
from sync.state.dialect import analyse, create_index

_KINDS = (*PEOPLE, Kind.TEST)


def _lost_sql(kind: Kind, gone: str) -> str:
    """Return the SQL that pairs new keys with those in the table `gone` that have more zeros.

    Both sides are few on most days, and both are materialised with their shortened keys, so that
    the database can join them by hash.
    """
    return f"""
        WITH arrived AS MATERIALIZED (
            SELECT w.key, w.feed, w.line, ltrim(w.key, '0') AS bare FROM wanted_{kind} w
            WHERE NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE k.key = w.key)
            AND NOT EXISTS (SELECT 1 FROM accepted a WHERE a.kind = :kind AND a.k1 = w.key)
        ), gone AS MATERIALIZED (
            SELECT key, ltrim(key, '0') AS bare FROM {gone} WHERE kind = :kind
        )
        SELECT arrived.key AS new_key, gone.key AS old_key, arrived.feed, arrived.line
        FROM arrived JOIN gone ON gone.bare = arrived.bare
        WHERE length(gone.key) > length(arrived.key)
    """


def fill_zeroed(connection: Connection) -> None:
    """Store the new records whose key is a vanished one without its leading zeros."""
    for kind in _KINDS:
        query = f"SELECT :kind, new_key, old_key FROM ({_lost_sql(kind, 'unsure')}) AS lost"
        connection.execute(text(f"INSERT INTO zeroed {query}"), {"kind": kind.value})
    create_index(connection, "ix_zeroed_new", "zeroed (kind, new_key)")
    create_index(connection, "ix_zeroed_old", "zeroed (kind, old_key)")
    analyse(connection, "zeroed")


def is_zeroed(connection: Connection, kind: Kind, key: Key) -> bool:
    """Tell whether this record is a known one without its leading zeros. Needs the context."""
    query = text("SELECT 1 FROM zeroed WHERE kind = :kind AND new_key = :key")
    return connection.execute(query, {"kind": kind.value, "key": key[0]}).first() is not None


def lost_zeros(connection: Connection, places: Sequence[str]) -> Iterator[str]:
    """Yield a line for each kind whose keys have lost leading zeros, with the first as an example.

    Needs the windows alone, so that `check` can say it, too.
    """
    for kind in _KINDS:
        query = (
            f"SELECT new_key, old_key, feed, line, count(*) OVER () AS total"
            f" FROM ({_lost_sql(kind, 'vanished')}) AS lost ORDER BY feed, line LIMIT 1"
        )
        row = connection.execute(text(query), {"kind": kind.value}).first()
        if row is None:
            continue
        place = row_place(places[row.feed], row.line, (row.new_key,))
        more = f" and {row.total - 1:,} more row{'' if row.total == 2 else 's'}" * (row.total > 1)
        yield (
            f"{place}{more}: the key of {kind} {row.new_key} differs only by leading zeros from "
            f"the known {row.old_key}; {CORRECT}"
        )
