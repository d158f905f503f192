"""One reading of a directory: its entries become rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import Extract, Since
from sync.sources.ldap.changes import Changes, changes
from sync.sources.ldap.columns import DN, BadAttributeError, Column, LdapColumnSettings, column
from sync.sources.ldap.connection import DirectoryAccess, connected
from sync.sources.ldap.schema import attributes_of, refuse_unknown
from sync.sources.ldap.search import Entry, Query, Searches
from sync.sources.ldap.values import normal_dn

SAMPLE = 20
"""So many entries are looked at for their classes."""


@dataclass(frozen=True, slots=True)
class LdapReading:
    """What is to be read, and how.

    Attributes:
        query: what is searched for; its attributes are those of the columns.
        clock: this machine's, in UTC.
    """

    access: DirectoryAccess
    query: Query
    columns: Mapping[str, LdapColumnSettings]
    clock: Callable[[], datetime]

    @contextmanager
    def opened(
        self, since: Since | None = None, overlap: timedelta = timedelta()
    ) -> Iterator[Extract]:
        """The directory, for one reading of everything, or of what changed.

        Raises:
            SourceError: it can't be connected to; of its rows: it did not give all.
        """
        now, place = self.clock(), self.access.place
        with connected(self.access) as connection:
            searches = Searches(place, connection)
            rows = _Rows(
                searches,
                self.query,
                [column(name, spec, now) for name, spec in self.columns.items()],
            )
            names = (DN, *self.columns)
            rows.flagged = {
                one.attribute.lower()
                for name, one in zip(self.columns, rows.columns, strict=True)
                if self.columns[name].flag
            }
            if since is None:
                yield Extract(place, names, rows.read(), doubts=rows.doubts)
                return
            spec = self.columns.get(since.column)
            attribute = (spec.attribute if spec else None) or since.column
            told = rows.changes = changes(searches, since, attribute, overlap, now)
            partial = "only what changed" if since.mark else ""
            yield Extract(
                place, names, rows.read(), partial=partial, mark=told.mark, doubts=rows.doubts
            )

    def known_attributes(self) -> tuple[str, ...]:
        """The attributes that entries like the first ones may have."""
        with connected(self.access) as connection:
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
                for one in first[:SAMPLE]
                for name in one.values.get("objectclass", ())
            }
            return attributes_of(searches, classes)


@dataclass(slots=True)
class _Rows:
    """The rows of one reading."""

    searches: Searches
    query: Query
    columns: Sequence[Column]
    changes: Changes | None = None
    flagged: AbstractSet[str] = frozenset()
    doubts: list[str] = field(default_factory=list)
    _unseen: dict[str, str] = field(default_factory=dict)

    def read(self) -> Iterator[Row]:
        """Every row, streamed; one that makes several of an entry's values has a row for each."""
        asked = {one.attribute.lower(): one.attribute for one in self.columns}
        self._unseen, number = dict(asked), 0
        hidden = dict.fromkeys(self.flagged, 0)
        for number, entry in enumerate(self.searches.entries(self._query(asked)), start=1):
            if self._unseen:
                self._see(entry)
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
                    f"{lacking:,} of {number:,} entries show no {asked[name]}, whose flags are asked for; let this"
                    " account read it, or leave these entries out by the filter"
                )

    def _query(self, asked: Mapping[str, str]) -> Query:
        changes = self.changes
        if changes is None:
            return replace(self.query, attributes=tuple(asked.values()))
        every = {changes.attribute.lower(): changes.attribute, **asked}
        return replace(
            self.query, attributes=tuple(every.values()), filter=changes.narrowed(self.query.filter)
        )

    def _see(self, entry: Entry) -> None:
        for name in [name for name in self._unseen if entry.values.get(name)]:
            del self._unseen[name]

    def _rows_of(self, number: int, entry: Entry) -> Iterator[Row]:
        cells, repeated = {}, None
        try:
            cells[DN] = self._name(entry)
            for one in self.columns:
                values = entry.values.get(one.attribute.lower(), ())
                if one.many == "all":
                    repeated = (one.name, one.texts(values))
                else:
                    cells[one.name] = one.text(values)
        except BadAttributeError as error:
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
            raise BadAttributeError(
                "has a name that can't be read", "correct the entry's distinguished name"
            ) from None
