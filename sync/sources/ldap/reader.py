"""One read of an LDAP server: its entries become rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync.errors import SourceError, Unusable
from sync.records.base import Row
from sync.records.extract import Extract, Since
from sync.sources.ldap.changes import ChangeReader, open_changes
from sync.sources.ldap.columns import DN, Column, LdapColumnSettings, make_column
from sync.sources.ldap.connection import LdapAccess, open_connection
from sync.sources.ldap.schema import attributes_of, refuse_unknown
from sync.sources.ldap.search import Entry, LdapQuery, Searches
from sync.sources.ldap.values import normal_dn

SAMPLE = 20
"""How many entries are read to find their object classes."""


@dataclass(frozen=True, slots=True)
class LdapReader:
    """One read: what to search for, and where.

    Attributes:
        access: the servers and the login.
        query: the search; its attributes are set from the columns.
        columns: the columns by name.
        clock: returns this machine's time, in UTC.
    """

    access: LdapAccess
    query: LdapQuery
    columns: Mapping[str, LdapColumnSettings]
    clock: Callable[[], datetime]

    @contextmanager
    def open(
        self, since: Since | None = None, overlap: timedelta = timedelta()
    ) -> Iterator[Extract]:
        """Open the source for one read of everything, or of what changed.

        Raises:
            SourceError: no server can be used. Of its rows: not all could be read.
        """
        now, place = self.clock(), self.access.place
        with open_connection(self.access) as connection:
            searches = Searches(place, connection)
            rows = _Rows(
                searches,
                self.query,
                [make_column(name, spec, now) for name, spec in self.columns.items()],
            )
            names = (DN, *self.columns)
            rows.flagged = {
                column.attribute.lower()
                for name, column in zip(self.columns, rows.columns, strict=True)
                if self.columns[name].flag
            }
            if since is None:
                yield Extract(place, names, rows.read(), doubts=rows.doubts)
                return
            spec = self.columns.get(since.column)
            attribute = (spec.attribute if spec else None) or since.column
            changes = rows.changes = open_changes(searches, since, attribute, overlap, now)
            partial = "only what changed" if since.mark else ""
            yield Extract(
                place, names, rows.read(), partial=partial, mark=changes.mark, doubts=rows.doubts
            )

    def known_attributes(self) -> tuple[str, ...]:
        """Return the attributes that entries of the classes of the first entries may have."""
        with open_connection(self.access) as connection:
            searches = Searches(self.access.place, connection)
            first = searches.sample(
                replace(
                    self.query,
                    attributes=("objectClass",),
                    page_size=SAMPLE if self.query.page_size else 0,
                )
            )
            classes = {
                name.decode(errors="replace")
                for entry in first[:SAMPLE]
                for name in entry.values.get("objectclass", ())
            }
            return attributes_of(searches, classes)


@dataclass(slots=True)
class _Rows:
    """The rows of one read."""

    searches: Searches
    query: LdapQuery
    columns: Sequence[Column]
    changes: ChangeReader | None = None
    flagged: AbstractSet[str] = frozenset()
    doubts: list[str] = field(default_factory=list)
    _unseen: dict[str, str] = field(default_factory=dict)

    def read(self) -> Iterator[Row]:
        """Yield every row; a column with `many: all` makes a row for each of an entry's values."""
        attributes = {column.attribute.lower(): column.attribute for column in self.columns}
        self._unseen, number = dict(attributes), 0
        hidden = dict.fromkeys(self.flagged, 0)
        for number, entry in enumerate(self.searches.entries(self._query(attributes)), start=1):
            if self._unseen:
                for name in [name for name in self._unseen if entry.values.get(name)]:
                    del self._unseen[name]
            if self.changes:
                self.changes.see(number, entry)
            for name in hidden:
                hidden[name] += not entry.values.get(name)
            yield from self._rows_of(number, entry)
        if self._unseen and number:
            refuse_unknown(self.searches, self._unseen.values())
        for name, lacking in hidden.items():
            if lacking:
                self.doubts.append(
                    f"{lacking:,} of {number:,} entries have no {attributes[name]}, which a"
                    " column's 'flag' needs;"
                    " let this account read it, or exclude these entries by 'filter'"
                )

    def _query(self, attributes: Mapping[str, str]) -> LdapQuery:
        changes = self.changes
        if changes is None:
            return replace(self.query, attributes=tuple(attributes.values()))
        every = {changes.attribute.lower(): changes.attribute, **attributes}
        return replace(
            self.query, attributes=tuple(every.values()), filter=changes.narrow(self.query.filter)
        )

    def _rows_of(self, number: int, entry: Entry) -> Iterator[Row]:
        cells, repeated = {}, None
        try:
            cells[DN] = self._name(entry)
            for column in self.columns:
                values = entry.values.get(column.attribute.lower(), ())
                if column.many == "all":
                    repeated = (column.name, column.texts(values))
                else:
                    cells[column.name] = column.text(values)
        except Unusable as error:
            raise SourceError(
                f"{self.searches.place} entry {number}", error.reason, error.remedy
            ) from None
        if repeated is None:
            yield Row(number, cells)
            return
        name, texts = repeated
        for text in texts:
            yield Row(number, {**cells, name: text})

    def _name(self, entry: Entry) -> str:
        try:
            return normal_dn(entry.dn.decode())
        except ValueError:
            raise Unusable(
                "has a name that can't be read", "correct the entry's distinguished name"
            ) from None
