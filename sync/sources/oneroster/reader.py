"""The rows of a OneRoster bundle: rows of one file, joined with rows of its other files."""

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
    is_deleted,
    load,
    pack_cells,
    shared_columns,
    temporary_database,
    unique_rows,
    unpack_cells,
)
from sync.sources.oneroster.manifest import BULK, Manifest
from sync.sources.oneroster.plan import DELETED, STATUS, FileJoin, FilePlan

_CACHED = 512
_REQUIRED = {"roles": ("userSourcedId", "role", STATUS)}


class Selection(NamedTuple):
    """The people and tests that the settings select.

    Attributes:
        roles: in lower case; empty for rows that are not of people.
        by_course: whether a test is a course, and not a class.
        references: whether a row that another row names must be in the bundle.
    """

    roles: frozenset[str]
    by_course: bool
    references: bool


class BundleReader:
    """One read of a bundle.

    Attributes:
        columns: the columns of the rows.
        doubts: why the bundle may be incomplete. Known after the last row.
    """

    def __init__(
        self, plan: FilePlan, tables: Mapping[str, Table], manifest: Manifest, selection: Selection
    ) -> None:
        """Prepare to read. `tables` are those files of the plan that the bundle has.

        Raises:
            SourceError: a column that the joins need is missing.
        """
        self._plan, self._tables, self._manifest = plan, tables, manifest
        self._selection = selection
        self._base = tables[plan.base]
        self._joins = [join for join in plan.joins if join.file in tables]
        self.doubts: list[str] = []
        self.columns = self._joined_columns()

    def _joined_columns(self) -> tuple[str, ...]:
        self._base.require("sourcedId", STATUS)
        columns = dict.fromkeys(self._base.columns)
        if self._selection.roles and "roles" not in self._tables:
            self._base.require("role")
        for join in self._joins:
            self._tables[join.file].require(*_REQUIRED.get(join.file, ("sourcedId", STATUS)))
            if columns.keys().isdisjoint(join.named_in):
                prefix, _, column = join.named_in[-1].rpartition(".")
                file = next((each.file for each in self._joins if each.prefix == prefix), "")
                self._tables.get(file, self._base).require(column)
            shared = shared_columns(self._tables[join.file])
            columns.update(dict.fromkeys(f"{join.prefix}.{name}" for name in shared))
            if join.file == "roles":
                columns.setdefault("role")
        return tuple(columns)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of the base file, with its line numbers.

        Raises:
            SourceError: a file can't be read to its end, or two of its rows with one id differ.
        """
        with temporary_database(self._base.place) as database:
            links = [self._link(database, join) for join in self._joins]
            load([link.lookup for link in links], database)
            if self._plan.base == "enrollments":
                yield from self._enrolled(database, links)
            elif self._selection.roles:
                yield from self._people(database, links)
            else:
                yield from self._tests(database, links)
        self.doubts += [doubt for link in links if (doubt := link.doubt())]

    def _link(self, database: sqlite3.Connection, join: FileJoin) -> "_Link":
        table = self._tables[join.file]
        if join.file == "roles":
            return _Link(
                join, Roles(database, table, self._selection.roles), self._selection.references
            )
        by_course = join.file == "classes" and self._selection.by_course
        bulk = self._manifest.modes[join.file] == BULK
        lookup = Lookup(database, table, "courseSourcedId" if by_course else None)
        return _Link(join, lookup, self._selection.references and bulk)

    def _tests(self, database: sqlite3.Connection, links: "list[_Link]") -> Iterator[Row]:
        for row in unique_rows(database, self._base, self._base.rows, ()):
            yield _join(row.line, dict(row.values), links, deleted=is_deleted(row.values))

    def _people(self, database: sqlite3.Connection, links: "list[_Link]") -> Iterator[Row]:
        roles = next((link for link in links if link.join.file == "roles"), None)
        others = [link for link in links if link is not roles]
        rows = (
            self._base.rows
            if roles
            else (row for row in self._base.rows if self._is_selected(row.values))
        )
        for row in unique_rows(database, self._base, rows, ("role",)):
            values, deleted = dict(row.values), is_deleted(row.values)
            if roles:
                role = roles.add_to(values, row.line, deleted=deleted)
                if not (role.selected if role else self._keep_without_role(values, deleted)):
                    continue
                deleted = deleted or (role is not None and role.deleted)
                values["role"] = values["role.role"]
            yield _join(row.line, values, others, deleted=deleted)

    def _keep_without_role(self, values: Mapping[str, str], deleted: bool) -> bool:
        """Tell whether to keep a person of OneRoster 1.2 who has no role.

        A delta may have no role any more for a deleted person, who must still depart. A row without
        an id must not disappear silently: the mapping reports it.
        """
        delta = self._manifest.modes["roles"] != BULK
        return (deleted and delta) or not values["sourcedId"].strip()

    def _is_selected(self, values: Mapping[str, str]) -> bool:
        return values["role"].strip().lower() in self._selection.roles

    def _enrolled(self, database: sqlite3.Connection, links: "list[_Link]") -> Iterator[Row]:
        database.execute(
            "CREATE TABLE enrollments"
            " (line INTEGER PRIMARY KEY, user TEXT, class TEXT, deleted INTEGER, cells TEXT)"
        )
        database.executemany("INSERT INTO enrollments VALUES (?, ?, ?, ?, ?)", self._entries())
        database.execute(_SELECT.format(**(_BY_COURSE if self._selection.by_course else _BY_CLASS)))
        columns = self._base.columns
        query = (
            "SELECT line, selected.deleted, cells"
            " FROM selected JOIN enrollments USING (line) ORDER BY line"
        )
        for line, deleted, cells in database.execute(query):
            values = dict(zip(columns, unpack_cells(cells), strict=True))
            yield _join(line, values, links, deleted=bool(deleted))

    def _entries(self) -> Iterator[tuple[int, str, str, bool, str]]:
        for line, values in self._base.rows:
            if self._is_selected(values):
                user, class_ = values["userSourcedId"].strip(), values["classSourcedId"].strip()
                yield line, user, class_, is_deleted(values), pack_cells(values.values())


# Of several enrollments of one person in one test, select the first that is not deleted, or else
# the first. An enrollment without a person or a test is selected, so that the mapping reports it.
_SELECT = """CREATE TABLE selected AS SELECT line, deleted FROM (
  SELECT line, deleted, row_number() OVER (
    PARTITION BY user, test, CASE WHEN user = '' OR test = '' THEN line END ORDER BY deleted, line
  ) AS nth
  FROM (
    SELECT e.line, e.user, {test} AS test,
      max(e.deleted, coalesce(u.rank, 0), coalesce(c.rank, 0){course_deleted}) AS deleted
    FROM enrollments AS e
    LEFT JOIN lookup AS u ON u.file = 'users' AND u.id = e.user
    LEFT JOIN lookup AS c ON c.file = 'classes' AND c.id = e.class {join}
  )
) WHERE nth = 1 ORDER BY line"""
_BY_CLASS = {"test": "e.class", "course_deleted": "", "join": ""}
_BY_COURSE = {
    "test": "coalesce(c.link, '')",
    "course_deleted": ", coalesce(k.rank, 0)",
    "join": "LEFT JOIN lookup AS k ON k.file = 'courses' AND k.id = c.link",
}


class _LinkedValues(NamedTuple):
    """The columns that are joined for a list of ids, and whether each id was found."""

    values: Mapping[str, str]
    row: OneRosterRow | None
    complete: bool


class _Link:
    """One join of this read, and how often it did not find an id."""

    def __init__(self, join: FileJoin, lookup: Lookup, counts_missing: bool) -> None:
        """Take the join; with `counts_missing`, an id that is not found is a doubt."""
        self.join, self.lookup, self._counts_missing = join, lookup, counts_missing
        self._names = tuple(f"{join.prefix}.{name}" for name in lookup.columns)
        self._blank = _LinkedValues(dict.fromkeys(self._names, ""), None, complete=True)
        self._start_date = (
            lookup.columns.index("startDate") if "startDate" in lookup.columns else None
        )
        self._missing, self._first = 0, 0
        # Consecutive rows often have the same class, and so the same course, school and term.
        self._linked = lru_cache(_CACHED)(self._look_up)

    def add_to(self, values: dict[str, str], line: int, *, deleted: bool) -> OneRosterRow | None:
        """Add the joined columns to a row's values, blank if it has no id; return the row found."""
        linked = self._blank
        for column in self.join.named_in:
            if text := values.get(column, "").strip():
                linked = self._linked(text)
                break
        if not linked.complete and self._counts_missing and not deleted:
            self._missing += 1
            self._first = self._first or line
        values.update(linked.values)
        return linked.row

    def _look_up(self, text: str) -> _LinkedValues:
        ids = text.split(",") if self.join.several else [text]
        keys = [key for id_ in ids if (key := id_.strip())]
        rows = [row for key in keys if (row := self.lookup.find(key)) is not None]
        complete = len(rows) == len(keys)
        if not rows:
            return self._blank._replace(complete=complete)
        row = rows[0]
        if len(rows) > 1 and (date := self._start_date) is not None:
            # The earliest of several terms; "~" puts blank dates last.
            row = min(rows, key=lambda each: each.cells[date].strip() or "~")
        return _LinkedValues(dict(zip(self._names, row.cells, strict=True)), row, complete)

    def doubt(self) -> str | None:
        """Return the doubt about ids that were not found; None if all were."""
        if not self._missing:
            return None
        single, file = self._missing == 1, self.lookup.file
        if file == "roles":
            what = f"{'has' if single else 'have'} no role in roles.csv"
        else:
            what = f"{'names' if single else 'name'} a sourcedId that is not in {file}.csv"
        return (
            f"{self._missing:,} of its rows {what}, the first on line {self._first};"
            " have the bundle exported again, complete, or set 'references' to false"
        )


def _join(line: int, values: dict[str, str], links: list[_Link], *, deleted: bool) -> Row:
    for link in links:
        link.add_to(values, line, deleted=deleted)
    if deleted:
        values[STATUS] = DELETED
    return Row(line, values)
