"""The rows that name a record: noted while a plan reads the sources, and traced afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace

from sync.app import App
from sync.commands.sample_values import hidden_fields, hidden_for
from sync.engine.extract.extract import ExtractionResult
from sync.engine.extract.join import JoinedSource, columns_of, find_row, with_columns
from sync.engine.protocols import Feed
from sync.errors import SourceError
from sync.mapping import RowTrace
from sync.records.base import Key, Kind, Row, row_place
from sync.records.extract import Extract, Since
from sync.report.explanation import ExplainedRow
from sync.report.sampled import HIDDEN
from sync.report.wording import plural
from sync.state.store import Store
from sync.text.similarity import is_near

MOST_NEAR = 10
"""Keys that are named because they are nearly the one that was asked for."""

MOST_ROWS = 20
"""Rows of one feed that are shown; more than a few with one key are an error of the source."""

RECORD, NOT_SELECTED, DEPARTS = "a record", "not selected", "says that this record departs"


def near_keys(key: Key, other: Key) -> bool:
    """Tell whether two different keys may be meant to be one."""
    parts = list(zip(key, other, strict=True))
    return key != other and all(one == two or is_near(one, two) for one, two in parts)


@dataclass(slots=True)
class WatchedFeed:
    """A feed that notes the rows with one key while it is read.

    Attributes:
        number: its number in the configuration, from 1 on.
        first_join: the number of its first joined source in the store.
        rows: the rows with this key, each with what precedes its number.
        readable: whether the key of some row could be read without joined sources.
    """

    number: int
    original: Feed
    first_join: int
    key: Key
    rows: list[tuple[str, Row]] = field(default_factory=list)
    readable: bool = False

    @property
    def feed(self) -> Feed:
        """Return the feed to read, which notes its rows."""
        return replace(self.original, source=replace(self.original.source, open=self._opened))

    @property
    def needs_join(self) -> bool:
        """Tell whether a part of the key seems to come from a joined source."""
        return bool(self.original.joins) and not self.readable

    def _opened(self, since: Since | None) -> AbstractContextManager[Extract]:
        @contextmanager
        def opened() -> Iterator[Extract]:
            with self.original.source.open(since) as extract:
                extract.rows = self._noted(
                    extract.rows, self.original.source.rows_at(extract.place)
                )
                yield extract

        return opened()

    def _noted(self, rows: Iterator[Row], place: str) -> Iterator[Row]:
        for row in rows:
            self.note(place, row, row)
            yield row

    def note(self, place: str, row: Row, complete: Row) -> None:
        """Note a row if it has the key. `complete` has the joined columns."""
        found = self.original.mapper.key(complete)
        self.readable = self.readable or found is not None
        if found == self.key and len(self.rows) < MOST_ROWS:
            self.rows.append((place, row))


def watch_feeds(feeds: Sequence[Feed], kind: Kind, key: Key) -> list[WatchedFeed]:
    """Return every feed of this kind, ready to note the rows with this key."""
    watched, joins = list[WatchedFeed](), 0
    for number, feed in enumerate(feeds, start=1):
        if feed.kind is kind:
            watched.append(WatchedFeed(number, feed, joins, key))
        joins += len(feed.joins)
    return watched


@dataclass(slots=True)
class RowExplainer:
    """The tracing of noted rows, with the joined sources that the plan has read."""

    app: App
    store: Store
    extracted: ExtractionResult

    def rows(self, watched: WatchedFeed) -> Iterator[ExplainedRow]:
        """Yield what a feed makes of its noted rows."""
        joins = self._joins(watched)
        if watched.needs_join:  # only now its rows have the columns of their key
            with suppress(SourceError):
                for found in self._read_again(watched, joins):
                    watched.note(*found)
        for place, row in watched.rows:
            yield self._explain(watched, joins, place, row)

    def _joins(self, watched: WatchedFeed) -> list[JoinedSource]:
        feed = watched.original
        return [
            JoinedSource(
                join,
                number,
                columns_of(join, feed.mapper),
                join.source.rows_at(join.source.place),
                self.extracted.lookups[number].unhealthy,
            )
            for number, join in enumerate(feed.joins, start=watched.first_join)
        ]

    def near(self, watched: WatchedFeed) -> dict[Key, str]:
        """Return the keys of rows that are nearly the one that was asked for, with their places.

        It reads the source once more, since nobody needs this of a key that exists.
        """
        found: dict[Key, str] = {}
        with suppress(SourceError):  # the plan has reported it
            for place, row, complete in self._read_again(watched, self._joins(watched)):
                key = watched.original.mapper.key(complete)
                if key and near_keys(watched.key, key):
                    found.setdefault(key, row_place(place, row.line, key))
                if len(found) >= MOST_NEAR:
                    break
        return found

    def _read_again(
        self, watched: WatchedFeed, joins: Sequence[JoinedSource]
    ) -> Iterator[tuple[str, Row, Row]]:
        """Yield the rows of a feed's own source, each with its place and with joined columns."""
        feed = watched.original
        with feed.source.open(None) as extract:
            place = feed.source.rows_at(extract.place)
            for row in extract.rows:
                complete = self._complete(feed, joins, row)[0] if watched.needs_join else row
                yield place, row, complete

    def _complete(
        self, feed: Feed, joins: Sequence[JoinedSource], row: Row
    ) -> tuple[Row, str | None]:
        """Return the row with its joined columns, and why it makes no record, if a join says so."""
        for joined in joins:
            judged = next(with_columns(joined, iter([row]), feed.mapper, self.store), None)
            if not isinstance(judged, Row):
                blank = dict.fromkeys(joined.names, "")
                place = joined.join.source.place
                why = f"skipped: no row in {place}" if judged is None else "a row error of its join"
                return Row(row.line, {**row.values, **blank}), why
            row = judged
        return row, None

    def _explain(
        self, watched: WatchedFeed, joins: Sequence[JoinedSource], place: str, row: Row
    ) -> ExplainedRow:
        feed, settings = watched.original, self.app.loaded.settings.feeds[watched.number - 1]
        secret = hidden_for(self.app.loaded, settings)
        complete, why = self._complete(feed, joins, row)
        needed = {*feed.mapper.columns, *(name for join in feed.joins for name in join.on)}
        own = {name: cell for name, cell in row.values.items() if name in needed}
        return ExplainedRow(
            watched.number,
            feed.source.name,
            row_place(place, row.line, watched.key),
            _cells(own, secret),
            dict(self._joined_rows(joins, row, secret)),
            _without_secrets(feed.mapper.trace(complete), secret),
            why or _outcome(feed, complete),
            f"{place} {row.line}",
            hidden_fields(settings, self.app.options, secret),
        )

    def _joined_rows(
        self, joins: Sequence[JoinedSource], row: Row, secret: frozenset[str]
    ) -> Iterator[tuple[str, Mapping[str, str]]]:
        for joined in joins:
            name = joined.join.source.name
            if (found := find_row(joined, row, self.store)) is None:
                yield f"{joined.join.source.place}: no row", {}
                continue
            cells = zip(joined.columns, found.cells, strict=True)
            named = {f"{name}.{column}": cell for column, cell in cells}
            yield f"{joined.place} {found.line}", _cells(named, secret)


def _outcome(feed: Feed, row: Row) -> str:
    """Return what becomes of a row in its feed."""
    departure = feed.mapper.departure(row) if feed.mapper.has_departures else None
    if isinstance(departure, tuple):
        return DEPARTS
    mapped = departure if departure is not None else feed.mapper.map(row)
    if mapped is None:
        return NOT_SELECTED
    return plural(len(mapped), "row error") if isinstance(mapped, list) else RECORD


def _cells(values: Mapping[str, str], hidden: frozenset[str]) -> dict[str, str]:
    return {name: HIDDEN if name in hidden and text else text for name, text in values.items()}


def _without_secrets(trace: RowTrace, hidden: frozenset[str]) -> RowTrace:
    """Return the trace without the cells of hidden columns; the text hides those of fields."""
    conditions = [
        one._replace(cell=HIDDEN) if one.column in hidden else one for one in trace.conditions
    ]
    return trace._replace(conditions=conditions)
