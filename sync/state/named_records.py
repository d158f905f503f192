"""The tests and people that reports name: titles, times and names by key."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, bindparam, text

from sync.records.base import Kind


def find_test(connection: Connection, key: str) -> Sequence[str | None] | None:
    """Return the title, start and end of a test, known values first; None for an unknown one."""
    columns = 'title, start, "end"'
    query = (
        f"SELECT 1 AS place, {columns} FROM wanted_test WHERE key = :key"
        f" UNION ALL SELECT 0, {columns} FROM known_test WHERE key = :key"
    )
    rows = connection.execute(text(query), {"key": key}).fetchall()
    if not rows:
        return None
    # Known first: a move that is held must not look as if it had happened.
    rows = sorted(rows, key=lambda row: int(row[0]))
    return [next((row[at] for row in rows if row[at]), None) for at in (1, 2, 3)]


def find_names(connection: Connection, kind: Kind, keys: Collection[str]) -> Mapping[str, str]:
    """Return the names of people by key, wanted ones first."""
    found: dict[str, str] = {}
    if not keys:
        return found  # an empty list has no type, and PostgreSQL takes it for numbers
    for table in ("known", "wanted"):
        query = text(
            f"SELECT key, first_name, last_name FROM {table}_{kind} WHERE key IN :keys"
        ).bindparams(bindparam("keys", expanding=True))
        for key, first, last in connection.execute(query, {"keys": list(keys)}):
            if name := " ".join(filter(None, (first, last))):
                found[str(key)] = name
    return found
