"""The rows that a OneRoster bundle gives: one file's rows, with what they take from other files of the bundle."""

import sqlite3
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from sync.records.base import Row
from sync.sources.oneroster.bundle import Table
from sync.sources.oneroster.lookup import (
    Lookup,
    OneRosterRow,
    Roles,
    columns_given,
    each_once,
    is_deleted,
    load,
    packed,
    scratch,
    unpacked,
)
from sync.sources.oneroster.manifest import BULK, Manifest
from sync.sources.oneroster.plan import DELETED, STATUS, FileJoin, FilePlan

_CACHED = 512
_REQUIRED = {"roles": ("userSourcedId", "role", STATUS)}


class RowMeaning(NamedTuple):
    """Who or what is meant, by the settings.

    Attributes:
        roles: in lower case; empty when rows are no people's.
        by_course: a test is a course, not a class.
        references: whether everything that is named has to be there.
    """

    roles: frozenset[str]
    by_course: bool
    references: bool


class Rows:
    """One reading of a bundle.

    Attributes:
        columns: of the rows that it gives.
        doubts: what speaks against the bundle's being whole, once the rows have ended.
    """

    def __init__(
        self, plan: FilePlan, tables: Mapping[str, Table], manifest: Manifest, meant: RowMeaning
    ) -> None:
        """Reads no row yet. `tables` are the plan's files, as far as the bundle has them.

        Raises:
            SourceError: a column is missing without which files can't be joined.
        """
        self._plan, self._tables, self._manifest, self._meant = plan, tables, manifest, meant
        self._base = tables[plan.base]
        self._joins = [join for join in plan.joins if join.file in tables]
        self.doubts: list[str] = []
        self.columns = self._columns()

    def _columns(self) -> tuple[str, ...]:
        self._base.require("sourcedId", STATUS)
        columns = dict.fromkeys(self._base.columns)
        if self._meant.roles and "roles" not in self._tables:
            self._base.require("role")
        for join in self._joins:
            self._tables[join.file].require(*_REQUIRED.get(join.file, ("sourcedId", STATUS)))
            if columns.keys().isdisjoint(join.named_in):
                file, _, column = _origin(join.named_in[-1], self._joins)
                self._tables.get(file, self._base).require(column)
            given = columns_given(self._tables[join.file])
            columns.update(dict.fromkeys(f"{join.prefix}.{name}" for name in given))
            if join.file == "roles":
                columns.setdefault("role")
        return tuple(columns)

    def rows(self) -> Iterator[Row]:
        """The rows, in the order of the file that they are of, with its lines.

        Raises:
            SourceError: a file can't be read to its end, or two rows of it contradict each other.
        """
        with scratch(self._base.place) as database:
            links = [self._link(database, join) for join in self._joins]
            load([link.lookup for link in links], database)
            if self._plan.base == "enrollments":
                yield from self._enrolled(database, links)
            elif self._meant.roles:
                yield from self._people(database, links)
            else:
                yield from self._tests(database, links)
        self.doubts += [doubt for link in links if (doubt := link.doubt())]

    def _link(self, database: sqlite3.Connection, join: FileJoin) -> "_Link":
        table = self._tables[join.file]
        if join.file == "roles":
            return _Link(join, Roles(database, table, self._meant.roles), self._meant.references)
        by_course = join.file == "classes" and self._meant.by_course
        bulk = self._manifest.modes[join.file] == BULK
        lookup = Lookup(database, table, "courseSourcedId" if by_course else "")
        return _Link(join, lookup, self._meant.references and bulk)

    def _tests(self, database: sqlite3.Connection, links: "list[_Link]") -> Iterator[Row]:
        for row in each_once(database, self._base, self._base.rows, ()):
            yield _joined(row.line, dict(row.values), is_deleted(row.values), links)

    def _people(self, database: sqlite3.Connection, links: "list[_Link]") -> Iterator[Row]:
        roles = next((link for link in links if link.join.file == "roles"), None)
        others = [link for link in links if link is not roles]
        rows = (
            self._base.rows
            if roles
            else (row for row in self._base.rows if self._is_meant(row.values))
        )
        for row in each_once(database, self._base, rows, ("role",)):
            values, gone = dict(row.values), is_deleted(row.values)
            if roles:
                standing = roles.into(values, row.line, gone)
                if not (standing.meant if standing else self._may_be_meant(values, gone)):
                    continue
                gone = gone or (standing is not None and standing.gone)
                values["role"] = values["role.role"]
            yield _joined(row.line, values, gone, others)

    def _may_be_meant(self, values: Mapping[str, str], gone: bool) -> bool:
        """Whether a row of OneRoster 1.2 that has no role is given.

        Of a deleted person a delta may have no role any more: they depart from wherever they are known. A row without
        an id must not be lost in silence: it is left for the mapping to judge.
        """
        return (gone and self._manifest.modes["roles"] != BULK) or not values["sourcedId"].strip()

    def _is_meant(self, values: Mapping[str, str]) -> bool:
        return values["role"].strip().lower() in self._meant.roles

    def _enrolled(self, database: sqlite3.Connection, links: "list[_Link]") -> Iterator[Row]:
        database.execute(
            "CREATE TABLE enrollments (line INTEGER PRIMARY KEY, user TEXT, class TEXT, gone INTEGER, cells TEXT)"
        )
        database.executemany("INSERT INTO enrollments VALUES (?, ?, ?, ?, ?)", self._entries())
        database.execute(_PICKED.format(**(_BY_COURSE if self._meant.by_course else _BY_CLASS)))
        columns = self._base.columns
        query = "SELECT line, picked.gone, cells FROM picked JOIN enrollments USING (line) ORDER BY line"
        for line, gone, cells in database.execute(query):
            yield _joined(line, dict(zip(columns, unpacked(cells), strict=True)), bool(gone), links)

    def _entries(self) -> Iterator[tuple[int, str, str, bool, str]]:
        for line, values in self._base.rows:
            if self._is_meant(values):
                user, class_ = values["userSourcedId"].strip(), values["classSourcedId"].strip()
                yield line, user, class_, is_deleted(values), packed(values.values())


# Of several enrollments of one person in one test, the first that stands, or just the first when none does. One whose
# person or test can't be told stands for itself.
_PICKED = """CREATE TABLE picked AS SELECT line, gone FROM (
  SELECT line, gone, row_number() OVER (
    PARTITION BY user, test, CASE WHEN user = '' OR test = '' THEN line END ORDER BY gone, line
  ) AS nth
  FROM (
    SELECT e.line, e.user, {test} AS test, max(e.gone, coalesce(u.rank, 0), coalesce(c.rank, 0){gone}) AS gone
    FROM enrollments AS e
    LEFT JOIN lookup AS u ON u.file = 'users' AND u.id = e.user
    LEFT JOIN lookup AS c ON c.file = 'classes' AND c.id = e.class {join}
  )
) WHERE nth = 1 ORDER BY line"""
_BY_CLASS = {"test": "e.class", "gone": "", "join": ""}
_BY_COURSE = {
    "test": "coalesce(c.link, '')",
    "gone": ", coalesce(k.rank, 0)",
    "join": "LEFT JOIN lookup AS k ON k.file = 'courses' AND k.id = c.link",
}


class _Entry(NamedTuple):
    """What a text that names others comes to: the joined columns, and whether all that it names is there."""

    values: Mapping[str, str]
    found: OneRosterRow | None
    whole: bool


class _Link:
    """One join of this reading, and how often it did not find what is named."""

    def __init__(self, join: FileJoin, lookup: Lookup, counts: bool) -> None:
        """`counts`: whether something is wrong when it finds nothing."""
        self.join, self.lookup, self._counts = join, lookup, counts
        self._names = tuple(f"{join.prefix}.{name}" for name in lookup.columns)
        self._nothing = _Entry(dict.fromkeys(self._names, ""), None, whole=True)
        self._earliest = (
            lookup.columns.index("startDate") if "startDate" in lookup.columns else None
        )
        self._missing, self._first = 0, 0
        # Rows that follow each other often name the same class, and so the same course, school and term.
        self._entry = lru_cache(_CACHED)(self._looked_up)

    def into(self, values: dict[str, str], line: int, gone: bool) -> OneRosterRow | None:
        """Adds the joined columns to `values`; blank ones when there is nothing to be joined."""
        entry = self._nothing
        for column in self.join.named_in:
            if text := values.get(column, "").strip():
                entry = self._entry(text)
                break
        if not entry.whole and self._counts and not gone:
            self._missing += 1
            self._first = self._first or line
        values.update(entry.values)
        return entry.found

    def _looked_up(self, text: str) -> _Entry:
        named = text.split(",") if self.join.several else [text]
        keys = [stripped for key in named if (stripped := key.strip())]
        found = [one for key in keys if (one := self.lookup.find(key)) is not None]
        whole = len(found) == len(keys)
        if not found:
            return self._nothing._replace(whole=whole)
        one = self._chosen(found)
        return _Entry(dict(zip(self._names, one.cells, strict=True)), one, whole)

    def _chosen(self, found: list[OneRosterRow]) -> OneRosterRow:
        at = self._earliest
        if len(found) == 1 or at is None:
            return found[0]
        return min(found, key=lambda one: one.cells[at].strip() or "~")  # blank ones come last

    def doubt(self) -> str:
        """What is to be said about what was not found; empty when nothing is."""
        if not self._missing:
            return ""
        file, count, first = (
            self.lookup.file,
            f"{self._missing:,}",
            f"the first on line {self._first}",
        )
        if file == "roles":
            what = f"{count} of its rows {_verb(self._missing, 'have', 'has')} no role in roles.csv, {first}"
        else:
            named = f"{_verb(self._missing, 'name', 'names')} something that is not in {file}.csv"
            what = f"{count} of its rows {named}, {first}"
        return f"{what}; have the bundle exported again, whole, or set 'references' to false"


def _verb(count: int, many: str, one: str) -> str:
    return one if count == 1 else many


def _joined(line: int, values: dict[str, str], gone: bool, links: list[_Link]) -> Row:
    for link in links:
        link.into(values, line, gone)
    if gone:
        values[STATUS] = DELETED
    return Row(line, values)


def _origin(column: str, joins: list[FileJoin]) -> tuple[str, str, str]:
    """The file that should have the column, and its name there."""
    prefix, dot, name = column.rpartition(".")
    return next((join.file for join in joins if join.prefix == prefix), ""), dot, name
