"""The staging tables: what the feeds want in this run, and the rows that cannot be used."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from sync.records.base import Key, Kind, RowError, row_place, utc_text
from sync.records.changes import Fields
from sync.records.kinds import COMPARED, PEOPLE, RECORD_CLASSES, Record
from sync.state import kept_values
from sync.state.sqlite.open import count
from sync.state.staging import (
    access_groups,
    conflicts,
    derive,
    merge,
    scratch,
    shared_identities,
    snapshot,
    tails,
)
from sync.state.staging.scratch import Origin
from sync.state.store.scope import RunScope


class Staging:
    """The wanted records of a run and its row errors.

    `digest` returns the digest of a pin or a quit code.
    """

    def __init__(self, scope: RunScope, digest: Callable[[str], str]) -> None:
        self._scope, self._connection, self._digest = scope, scope.connection, digest

    def name_place(self, feed: int, place: str) -> None:
        """Set what precedes the number of a row of this feed, such as `students.csv line`."""
        self._scope.places[feed] = place

    def stage(
        self, kind: Kind, feed: int, records: Iterable[tuple[Record, Origin | None, int]]
    ) -> int:
        """Stage wanted records of one feed with their origins and lines, and return how many."""
        fingerprint = self._scope.fingerprint
        return scratch.stage(self._connection, kind, feed, records, fingerprint, self._digest)

    def discard(self, kind: Kind, feed: int) -> None:
        """Discard what was staged from a feed that could not be read to its end."""
        scratch.discard_feed(self._connection, kind, feed)

    def drop_line(self, kind: Kind, feed: int, line: int) -> None:
        """Remove what one row of a feed contains from what is wanted and from the departures."""
        tails.drop_line(self._connection, kind, feed, line)

    def depart(self, kind: Kind, feed: int, departures: Iterable[tuple[Key, int]]) -> None:
        """Record the departures that rows of this feed contain, each with its line."""
        scratch.stage_departures(self._connection, kind, feed, departures)

    def doubt_departures(self, feed: int) -> None:
        """Take the departures of this feed back: an incomplete feed may still name them."""
        self._connection.execute(text("DELETE FROM departed WHERE feed = :feed"), {"feed": feed})

    def keep_known(self, kind: Kind, feed: int) -> None:
        """Remove known records from this feed: an incomplete feed may contain other values."""
        merge.drop_known(self._connection, kind, feed)

    def unselect(self, kind: Kind, feed: int, keys: Iterable[Key]) -> None:
        """Record the keys of changed rows that `where` does not select (any more)."""
        scratch.stage_unselected(self._connection, kind, feed, keys)

    def close(
        self, later: Sequence[tuple[Kind, int, str]] = (), unsure: Collection[Kind] = ()
    ) -> None:
        """Index what was staged, and turn contradictions and references to nobody into row errors.

        Args:
            later: feeds that yield to earlier ones of their kind, each with its `on_conflict`.
            unsure: kinds of which not all may have been read.
        """
        connection, places, fingerprint_of = (
            self._connection,
            self._scope.places,
            self._scope.fingerprint_of,
        )
        scratch.index_wanted(connection)
        snapshot.drop_superseded(connection)
        for kind, feed, how in later:
            merge.merge_into_earlier(connection, kind, feed, how, fingerprint_of)
        conflicts.find_conflicts(connection, places, fingerprint_of, unsure)
        derive.keep_usernames(connection, fingerprint_of)
        shared_identities.find_shared(connection, places)
        access_groups.find_excess(connection, places)
        derive.settle_percentages(connection, places, fingerprint_of)
        kept_values.take_out_of_wanted(connection, fingerprint_of)

    def ensure_committees(
        self, names: Mapping[int, str], naming: Collection[Kind], now: datetime, *, known_only: bool
    ) -> None:
        """Want the committee of its feed for each test that has none. Needs the windows.

        One that is known stays wanted. With `known_only`, no other one is wanted. `naming` are
        the kinds whose feeds can name committees. `now` is aware.
        """
        scope = self._scope

        def is_frozen(row: Any) -> bool:
            rules = scope.rules_of(row.window_feed, row.before, row.after)
            return bool(row.start) and row.start <= utc_text(now + rules.before)

        for feed, name in names.items():
            derive.ensure_committee(
                self._connection,
                feed,
                name,
                naming,
                is_frozen,
                scope.fingerprint_of,
                known_only=known_only,
            )

    def index(self) -> None:
        """Index what was staged, for a plan that rests on no source."""
        scratch.index_wanted(self._connection)

    def people(self) -> Iterator[tuple[Record, str]]:
        """Yield every wanted person with the place of their row."""
        for kind in PEOPLE:
            for values in scratch.read_wanted(self._connection, kind):
                key = str(values["key"])
                place = self._scope.places[int(values["feed"])]
                compared = {name: values[name] for name in COMPARED[kind]}
                where = row_place(place, int(values["line"]), (key,))
                yield RECORD_CLASSES[kind](values["key"], **compared), where

    def wanted(self, kind: Kind, key: Key) -> Fields | None:
        """Return the fields that the feeds want of one record; None when no feed names it."""
        columns = ", ".join(f'"{name}"' for name in COMPARED[kind])
        return self._scope.find_row(f"SELECT {columns} FROM wanted_{kind}", kind, key)

    def wanted_where(self, kind: Kind, key: Key) -> str:
        """Return the row that wants a record (`students.csv line 4`); empty when none does."""
        row = self._scope.find_row(f"SELECT feed, line FROM wanted_{kind}", kind, key)
        return f"{self._scope.places[int(row['feed'] or 0)]} {row['line']}" if row else ""

    def add_row_errors(self, row_errors: Iterable[RowError], feed: int | None = None) -> int:
        """Record row errors with the feed of their rows, and return how many."""
        return scratch.add_row_errors(self._connection, row_errors, feed)

    def row_errors(self) -> Iterator[RowError]:
        """Yield every row error of the run."""
        return scratch.read_row_errors(self._connection)

    def row_error_count(self) -> int:
        """Return how many row errors the run has."""
        return count(self._connection, "SELECT count(*) FROM row_error")

    def valid_count(self, kind: Kind, feed: int) -> int:
        """Return how many wanted records of a feed have no row error."""
        return scratch.count_valid(self._connection, kind, feed)

    def invalid_rows(self, kind: Kind, place: str) -> int:
        """Return how many rows of the source at `place` have a row error of this kind."""
        query = (
            "SELECT count(DISTINCT place) FROM row_error WHERE kind = :kind AND "
            "substr(place, 1, :length) = :place"
        )
        return count(self._connection, query, kind=kind.value, place=place, length=len(place))

    def keyless(self, kind: Kind) -> str | None:
        """Return the place of a row of this kind whose key could not be read, if any."""
        query = (
            "SELECT place FROM row_error WHERE kind = :kind AND k1 IS NULL AND cause = '' "
            "ORDER BY id LIMIT 1"
        )
        place = self._connection.execute(text(query), {"kind": kind}).scalar()
        return str(place) if place else None
