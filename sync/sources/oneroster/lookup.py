"""Files of a OneRoster bundle to look things up in, held in a database that lasts for one reading.

They may have millions of rows, so they are not held in memory. The database is a temporary file without a name: nobody
else can open it, and it is gone when it is closed, or when this process ends in whatever way.
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
"""The memory that the database may take, in KiB, as SQLite writes it."""

_LOOKUP = (
    "CREATE TABLE lookup (file TEXT, line INTEGER, id TEXT, link TEXT, rank INTEGER, cells TEXT)"
)
_INDEX = "CREATE INDEX lookup_by_id ON lookup (file, id, rank, line)"
_FIND = "SELECT cells, rank FROM lookup WHERE file = ? AND id = ? ORDER BY rank, line LIMIT 1"
_DIFFERING = """SELECT a.line, b.line
FROM (SELECT id, min(line) AS line FROM lookup WHERE file = :file GROUP BY id HAVING count(*) > 1) AS d
JOIN lookup AS a ON a.file = :file AND a.id = d.id AND a.line = d.line
JOIN lookup AS b ON b.file = :file AND b.id = d.id AND b.cells <> a.cells
ORDER BY b.line LIMIT 1"""


@contextmanager
def scratch(place: str) -> Iterator[sqlite3.Connection]:
    """An empty database that lasts as long as it is open.

    Raises:
        SourceError: it can't be written to any more.
    """
    try:
        # An empty name is a temporary file that is unlinked as soon as it is made.
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            for setting in (f"cache_size = {_CACHE}", "synchronous = OFF", "temp_store = FILE"):
                database.execute(f"PRAGMA {setting}")
            database.execute("BEGIN")
            database.execute(_LOOKUP)
            yield database
    except sqlite3.Error as error:
        remedy = "make room in the folder for temporary files (TMPDIR), or make it writable"
        raise SourceError(
            place, f"can't be put together in a temporary file ({error})", remedy
        ) from None


def is_deleted(values: Mapping[str, str]) -> bool:
    """Whether a row says of itself that it is to be deleted."""
    return values[STATUS].strip().lower() == DELETED


def packed(cells: Iterable[str]) -> str:
    """Cells as one text."""
    return _encode(list(cells))


def unpacked(text: str) -> tuple[str, ...]:
    """The inverse of `packed`."""
    return tuple(_decode(text))


class OneRosterRow(NamedTuple):
    """What was looked up.

    Attributes:
        cells: in the order of the lookup's columns.
        gone: it is to be deleted.
        meant: it is of those that are meant.
    """

    cells: tuple[str, ...]
    gone: bool
    meant: bool = True


class Lookup:
    """One file by its `sourcedId`. It has to have that column, and a `status`.

    Attributes:
        columns: what it gives. Passwords stay where they are, and so does the role that OneRoster 1.1 has in users.csv:
            some exports have a row for each role of a person there.
    """

    key = "sourcedId"

    def __init__(self, database: sqlite3.Connection, table: Table, link: str = "") -> None:
        """Nothing is read yet. `link` is a column whose value can be joined on in SQL, as `link`."""
        self._database, self._table, self._link = database, table, link
        self.file = table.name.removesuffix(".csv")
        self.columns = columns_given(table)

    def load(self) -> None:
        """Reads the file to its end.

        Raises:
            SourceError: it can't be read.
        """
        self._database.executemany("INSERT INTO lookup VALUES (?, ?, ?, ?, ?, ?)", self._entries())

    def refuse_ambiguous(self) -> None:
        """Makes sure that rows of one id say the same; then any of them will do.

        Raises:
            SourceError: two rows say different things of one id.
        """
        if lines := self._database.execute(_DIFFERING, {"file": self.file}).fetchone():
            raise ambiguous(self._table.place, *lines)

    def find(self, key: str) -> OneRosterRow | None:
        """What it has under this key."""
        row = self._database.execute(_FIND, (self.file, key)).fetchone()
        return self._found(row[0], row[1]) if row else None

    def _found(self, cells: str, rank: int) -> OneRosterRow:
        return OneRosterRow(unpacked(cells), gone=rank > 0)

    def _rank(self, values: Mapping[str, str]) -> int:
        """Of several rows with one id, the one with the lowest rank counts."""
        return int(is_deleted(values))

    def _entries(self) -> Iterator[tuple[str, int, str, str, int, str]]:
        file, key, link, columns = self.file, self.key, self._link, self.columns
        for line, values in self._table.rows:
            if named := values[key].strip():
                linked = values[link].strip() if link else ""
                yield (
                    file,
                    line,
                    named,
                    linked,
                    self._rank(values),
                    packed([values[name] for name in columns]),
                )


class Roles(Lookup):
    """The roles that people have in OneRoster 1.2, by person: an active one that is meant, a primary one first."""

    key = "userSourcedId"

    def __init__(self, database: sqlite3.Connection, table: Table, meant: Collection[str]) -> None:
        """`meant` are names of roles, in lower case."""
        self._meant = meant
        super().__init__(database, table)

    def _rank(self, values: Mapping[str, str]) -> int:
        if values["role"].strip().lower() not in self._meant:
            return 4
        return 2 * is_deleted(values) + (values.get("roleType", "").strip().lower() != "primary")

    def _found(self, cells: str, rank: int) -> OneRosterRow:
        return OneRosterRow(unpacked(cells), gone=rank in (2, 3), meant=rank < 4)

    def refuse_ambiguous(self) -> None:
        """A person has several roles by right."""


def load(lookups: Collection[Lookup], database: sqlite3.Connection) -> None:
    """Reads all that is to be looked up. One index that is made at once takes a fraction of the time.

    Raises:
        SourceError: a file can't be read to its end, or says two different things of one id.
    """
    for lookup in lookups:
        lookup.load()
    database.execute(_INDEX)
    for lookup in lookups:
        lookup.refuse_ambiguous()


def columns_given(table: Table) -> tuple[str, ...]:
    """The columns that a file gives to rows of others."""
    kept = {SECRET, "role"} if table.name == "users.csv" else {SECRET}
    return tuple(name for name in table.columns if name not in kept)


def each_once(
    database: sqlite3.Connection, table: Table, rows: Iterable[Row], but: Sequence[str]
) -> Iterator[Row]:
    """The rows, each id once. Rows without an id are left for others to judge.

    Args:
        database: where the ids are noted.
        table: whose rows they are.
        rows: the rows.
        but: columns in which rows of one id may differ.

    Raises:
        SourceError: two rows say different things of one id.
    """
    database.execute(
        "CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER, digest INTEGER) WITHOUT ROWID"
    )
    kept = [name for name in table.columns if name not in but]
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
    """Two lines say different things of the same id."""
    reason = f"has the sourcedId of line {one} and says something else of it"
    return SourceError(
        f"{place} line {other}", reason, "have the bundle exported with each sourcedId once"
    )
