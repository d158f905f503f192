"""Look-ups in the files of a OneRoster bundle, by a temporary database.

The files may have millions of rows, so they are not kept in memory. The database is a temporary
file without a name. Nobody else can open it, and it disappears when it is closed or this process
ends.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.oneroster.bundle import Table
from sync.sources.oneroster.plan import DELETED, SECRET, STATUS

_encode, _decode = json.JSONEncoder(ensure_ascii=False).encode, json.JSONDecoder().decode
_CACHE = -32_000
"""The memory that the database may take: SQLite counts a negative number in KiB."""

_LOOKUP = (
    "CREATE TABLE lookup (file TEXT, line INTEGER, id TEXT, link TEXT, rank INTEGER, cells TEXT)"
)
_INDEX = "CREATE INDEX lookup_by_id ON lookup (file, id, rank, line)"
_FIND = "SELECT cells, rank FROM lookup WHERE file = ? AND id = ? ORDER BY rank, line LIMIT 1"
# The first line of each id that occurs twice, and the first later line that differs from it.
_DIFFERING = """SELECT a.line, b.line
FROM (
  SELECT id, min(line) AS line FROM lookup WHERE file = :file GROUP BY id HAVING count(*) > 1
) AS d
JOIN lookup AS a ON a.file = :file AND a.id = d.id AND a.line = d.line
JOIN lookup AS b ON b.file = :file AND b.id = d.id AND b.cells <> a.cells
ORDER BY b.line LIMIT 1"""


@contextmanager
def temporary_database(place: str) -> Iterator[sqlite3.Connection]:
    """Open an empty database that exists while it is open.

    Raises:
        SourceError: it can't be written to.
    """
    try:
        # An empty name means a temporary file, which SQLite unlinks at once.
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            for setting in (f"cache_size = {_CACHE}", "synchronous = OFF", "temp_store = FILE"):
                database.execute(f"PRAGMA {setting}")
            database.execute("BEGIN")
            database.execute(_LOOKUP)
            yield database
    except sqlite3.Error as error:
        raise SourceError(
            place,
            f"can't be joined in a temporary file ({error})",
            "free space in the folder for temporary files (TMPDIR), or make it writable",
        ) from None


def is_deleted(values: Mapping[str, str]) -> bool:
    """Tell whether a row is marked to be deleted."""
    return values[STATUS].strip().lower() == DELETED


def pack_cells(cells: Iterable[str]) -> str:
    """Return cells as one text."""
    return _encode(list(cells))


def unpack_cells(text: str) -> tuple[str, ...]:
    """Return the cells of a text that `pack_cells` returned."""
    return tuple(_decode(text))


class OneRosterRow(NamedTuple):
    """One row of a look-up.

    Attributes:
        cells: its cells, in the order of the look-up's columns.
        deleted: whether it is marked to be deleted.
        selected: whether it is a role that the settings select.
    """

    cells: tuple[str, ...]
    deleted: bool
    selected: bool = True


class Lookup:
    """One file of the bundle, by its `sourcedId`. It must have that column, and a `status`.

    Attributes:
        columns: the columns that a look-up returns. Passwords are left out, and so is the role in
            users.csv of OneRoster 1.1: some exports have a row for each role of a person there.
    """

    key = "sourcedId"

    def __init__(self, database: sqlite3.Connection, table: Table, link: str | None = None) -> None:
        """Prepare to read. `link` is a column whose value SQL can join on, as `link`."""
        self._database, self._table, self._link = database, table, link
        self.file = table.name.removesuffix(".csv")
        self.columns = shared_columns(table)

    def load(self) -> None:
        """Read the file to its end.

        Raises:
            SourceError: it can't be read.
        """
        self._database.executemany("INSERT INTO lookup VALUES (?, ?, ?, ?, ?, ?)", self._entries())

    def refuse_ambiguous(self) -> None:
        """Make sure that rows with one id are the same, so that any of them can be used.

        Raises:
            SourceError: two rows with one id differ.
        """
        if lines := self._database.execute(_DIFFERING, {"file": self.file}).fetchone():
            raise ambiguous(self._table.place, *lines)

    def find(self, key: str) -> OneRosterRow | None:
        """Return the row with this key; otherwise None."""
        row = self._database.execute(_FIND, (self.file, key)).fetchone()
        return self._row(row[0], row[1]) if row else None

    def _row(self, cells: str, rank: int) -> OneRosterRow:
        return OneRosterRow(unpack_cells(cells), deleted=rank > 0)

    def _rank(self, values: Mapping[str, str]) -> int:
        """Return the rank of a row: of several rows with one id, the lowest rank is used."""
        return int(is_deleted(values))

    def _entries(self) -> Iterator[tuple[str, int, str, str | None, int, str]]:
        file, key, link, columns = self.file, self.key, self._link, self.columns
        for line, values in self._table.rows:
            if row_key := values[key].strip():
                linked = values[link].strip() if link else None
                yield (
                    file,
                    line,
                    row_key,
                    linked,
                    self._rank(values),
                    pack_cells([values[name] for name in columns]),
                )


class Roles(Lookup):
    """The roles of OneRoster 1.2 by person: active selected roles first, of these primary ones."""

    key = "userSourcedId"

    def __init__(
        self, database: sqlite3.Connection, table: Table, selected: Collection[str]
    ) -> None:
        """Take the names of the selected roles, in lower case."""
        self._selected = selected
        super().__init__(database, table)

    def _rank(self, values: Mapping[str, str]) -> int:
        if values["role"].strip().lower() not in self._selected:
            return 4
        return 2 * is_deleted(values) + (values.get("roleType", "").strip().lower() != "primary")

    def _row(self, cells: str, rank: int) -> OneRosterRow:
        return OneRosterRow(unpack_cells(cells), deleted=rank in (2, 3), selected=rank < 4)

    def refuse_ambiguous(self) -> None:
        """Accept everything: a person may have several roles."""


def load(lookups: Collection[Lookup], database: sqlite3.Connection) -> None:
    """Read all files of the look-ups.

    Raises:
        SourceError: a file can't be read to its end, or two of its rows with one id differ.
    """
    for lookup in lookups:
        lookup.load()
    database.execute(_INDEX)  # much faster after the rows than while they are inserted
    for lookup in lookups:
        lookup.refuse_ambiguous()


def shared_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that rows of other files may take from a file."""
    kept = {SECRET, "role"} if table.name == "users.csv" else {SECRET}
    return tuple(name for name in table.columns if name not in kept)


def unique_rows(
    database: sqlite3.Connection, table: Table, rows: Iterable[Row], ignored: Sequence[str]
) -> Iterator[Row]:
    """Yield the rows, each id once. Rows without an id are kept: the mapping reports them.

    Args:
        database: where the ids are stored.
        table: the file of the rows.
        rows: the rows.
        ignored: columns in which rows with one id may differ.

    Raises:
        SourceError: two rows with one id differ.
    """
    database.execute(
        "CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER, digest INTEGER) WITHOUT ROWID"
    )
    kept = [name for name in table.columns if name not in ignored]
    for row in rows:
        key = row.values["sourcedId"].strip()
        if key:
            digest = hash(tuple(row.values[name] for name in kept))
            note = (key, row.line, digest)
            if not database.execute(
                "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO NOTHING", note
            ).rowcount:
                line, before = database.execute(
                    "SELECT line, digest FROM seen WHERE id = ?", (key,)
                ).fetchone()
                if before != digest:
                    raise ambiguous(table.place, line, row.line)
                continue
        yield row


def ambiguous(place: str, one: int, other: int) -> SourceError:
    """Return the error for two lines that have the same id and differ."""
    reason = f"has the same sourcedId as line {one}, but differs from it"
    return SourceError(
        f"{place} line {other}", reason, "have the bundle exported with one row for each sourcedId"
    )
