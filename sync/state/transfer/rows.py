"""The rows of a state, copied from one database to another a page at a time.

The tables and their columns come from the schema, so that a new table is copied without a change
here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Boolean, Connection, Integer, Table, cast, func, select, text

from sync.state.dialect import insert, is_postgres
from sync.state.schema import METADATA

OF_THE_PLACE = frozenset({"leader", "pause", "digest_key", "high_water", "requested_run"})
"""Tables about the place where a state is now, and not about Inspera.

They are not copied. An older leader's epoch would let a deposed run write again, and an older mark
of the newest run would hide that the state is an older copy. A pause and a request for
a run are orders about today. The
key of the digests must be stored apart from the digests.
"""

PAGE = 2_000
"""The rows that are in memory at a time."""

_BITS = 128


@dataclass(frozen=True, slots=True)
class TableContents:
    """The number of rows of a table, and a digest of them that does not depend on their order."""

    rows: int
    digest: str


Row = tuple[object, ...]

Contents = Mapping[str, TableContents]
"""The contents of a state by table."""


class _Digest:
    def __init__(self) -> None:
        self._rows, self._sum = 0, 0

    def add(self, rows: Sequence[Row]) -> None:
        self._rows += len(rows)
        for row in rows:
            digest = blake2b(repr(row).encode(errors="surrogatepass"), digest_size=_BITS // 8)
            self._sum += int.from_bytes(digest.digest())

    def result(self) -> TableContents:
        return TableContents(self._rows, f"{self._sum % (1 << _BITS):032x}")


def digest_rows(pages: Iterable[Sequence[Row]]) -> TableContents:
    """Return the number and the digest of rows, which come in pages."""
    digest = _Digest()
    for page in pages:
        digest.add(page)
    return digest.result()


def copied_tables() -> list[Table]:
    """Return the tables that are copied; those that others refer to come first."""
    return [table for table in METADATA.sorted_tables if table.name not in OF_THE_PLACE]


def read_contents(connection: Connection) -> Contents:
    """Return the number and the digest of the rows of each copied table."""
    return {table.name: read_table(connection, table) for table in copied_tables()}


def read_table(connection: Connection, table: Table) -> TableContents:
    """Return the number and the digest of the rows of one table."""
    return digest_rows(_pages(connection, table))


def copy_rows(source: Connection, target: Connection) -> Contents:
    """Copy all rows into an empty state; the caller commits.

    The next row of a numbered table then gets the number after the last one.
    """
    contents = {}
    for table in copied_tables():
        digest = _Digest()
        for page in _pages(source, table):
            insert(target, f'"{table.name}"', table.columns.keys(), page)
            digest.add(page)
        _advance_number(target, table)
        contents[table.name] = digest.result()
    return contents


def _pages(connection: Connection, table: Table) -> Iterable[Sequence[Row]]:
    # As numbers, because SQLite has no booleans, and PostgreSQL stores numbers in them by COPY.
    columns = [
        cast(column, Integer) if isinstance(column.type, Boolean) else column
        for column in table.columns
    ]
    query = select(*columns).execution_options(yield_per=PAGE)
    return ([tuple(row) for row in page] for page in connection.execute(query).partitions())


def _advance_number(connection: Connection, table: Table) -> None:
    """Let PostgreSQL's sequence begin after the last row; SQLite has none."""
    number = table.autoincrement_column
    if number is None or not is_postgres(connection):
        return
    last = connection.execute(select(func.max(number))).scalar()
    connection.execute(
        text("SELECT setval(pg_get_serial_sequence(:table, :column), :next, false)"),
        {"table": f'"{table.name}"', "column": number.name, "next": int(last or 0) + 1},
    )
