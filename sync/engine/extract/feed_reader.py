"""Reads one feed into the store's staging: its rows, with what they take from joined sources, and what is wrong."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sync.engine.extract.completeness import KEPT, CompletenessCheck, torn
from sync.engine.extract.join import JoinedSource, Judged, with_columns
from sync.engine.protocols import Feed, Origin, Progress
from sync.errors import SourceError
from sync.mapping import BadValueError, CompiledFeed
from sync.records.base import Key, Kind, Row, RowError
from sync.records.extract import Extract, Since, lacking
from sync.records.kinds import Record
from sync.state.store import Store

MOST_PASSED_OVER = 2_000
"""Rows that `where` does not select, of the last ones, of which it is noted that they are there."""

REPORT_EVERY = 10_000
"""Rows between two words to whoever watches."""


@dataclass(slots=True)
class FeedReport:
    """How the reading of one feed went.

    Attributes:
        source: the name of its source in the configuration.
        unread: it could not be read to its end, so nothing of it is used.
        partial: why this was not all that the source has, though nothing is wrong; empty when it was all.
        unhealthy: why its absences prove nothing; empty when they do.
        groups: the values of the source's column of groups.
        torn: whether its text ended without a line end; None when that can't be told.
    """

    place: str
    kind: Kind
    source: str = ""
    rows: int = 0
    records: int = 0
    row_errors: int = 0
    unread: bool = False
    partial: str = ""
    unhealthy: str = ""
    groups: frozenset[str] = frozenset()
    torn: bool | None = None


def unread(error: SourceError) -> str:
    """What is said of a source that could not be read to its end."""
    return f"{error}; nothing of it is used in this run, and {KEPT}"


@dataclass(slots=True)
class FeedReader:
    """What reads one feed; with `changed`, only what changed since its last mark, if it can be asked for that."""

    number: int
    feed: Feed
    joins: Sequence[JoinedSource]
    store: Store
    progress: Progress
    changed: bool = False
    _row_errors: list[RowError] = field(default_factory=list)
    _departures: list[tuple[Key, int]] = field(default_factory=list)
    _unselected: list[Key] = field(default_factory=list)
    _partial: str = ""

    def read(self, accepted: bool = False) -> FeedReport:
        """Stages what the feed wants. One that can't be read to its end adds nothing.

        `accepted`: a person has said that it is right that the source is shorter.
        """
        feed = self.feed
        reading = FeedReport(feed.place, feed.kind, feed.source.name)
        witness = CompletenessCheck(feed.source.proof)
        since = self._since()
        try:
            with feed.source.open(since) as extract:
                self._partial = extract.partial or (
                    "only what changed was read" if since and since.mark else ""
                )
                self._stage(extract, reading, witness)
                self._judge(extract, reading, witness, accepted=accepted)
        except SourceError as error:
            self.store.discard(feed.kind, self.number)
            self._departures.clear()
            reading.records, reading.unread, reading.unhealthy = 0, True, unread(error)
        self._flush()
        return reading

    def _since(self) -> Since | None:
        column = self.feed.updated_column
        return (
            Since(column, self.store.mark_of(self.feed.digest) if self.changed else "")
            if column
            else None
        )

    def _stage(self, extract: Extract, reading: FeedReport, witness: CompletenessCheck) -> None:
        feed = self.feed
        self._need_columns(extract, witness)
        if extract.partial and self.joins:
            reason = f"is not all there ({extract.partial}), and its rows are joined with others, which may have changed"
            raise SourceError(
                extract.place, reason, "deliver all of it, or take the join out of the feed"
            )
        place = feed.source.rows_at(extract.place)
        self.store.name_place(self.number, place)
        mapper = feed.mapper.at(place)
        rows: Iterator[Judged] = witness.watched(extract.rows)
        for joined in self.joins:
            rows = with_columns(joined, rows, mapper, self.store)
        reading.records = self.store.stage(
            feed.kind, self.number, self._records(mapper, rows, reading)
        )
        reading.rows = witness.rows
        self._flush()

    def _need_columns(self, extract: Extract, witness: CompletenessCheck) -> None:
        for joined in self.joins:
            own_names = joined.own_names(extract.columns)
            if own_names:
                reason = f"has a column '{own_names[0]}', which is also what a column of the joined source is called"
                raise SourceError(
                    extract.place,
                    reason,
                    f"give the source '{joined.join.source.name}' another name",
                )
        given = {*extract.columns, *(name for joined in self.joins for name in joined.names)}
        own = {column for joined in self.joins for column in joined.join.on}
        missing = sorted(
            {*self.feed.mapper.missing(given), *(witness.columns | own).difference(given)}
        )
        if missing:
            raise SourceError(
                extract.place, *lacking(missing, extract.columns, "the feed's map and where")
            )

    def _judge(
        self, extract: Extract, reading: FeedReport, witness: CompletenessCheck, *, accepted: bool
    ) -> None:
        """What the reading proves, once all rows are staged; and its snapshot, if it has one."""
        feed = self.feed
        reading.partial = self._partial
        doubts = [*extract.doubts, *self._torn(extract, reading, witness, accepted=accepted)]
        if not reading.partial:
            before = self.store.groups_of
            doubts += [] if accepted else witness.failures(lambda: before(feed.source.name))
            reading.groups = frozenset(witness.groups)
        if feed.updated_column or feed.keeps_snapshot:
            self._cover(extract.mark(), reading)
        if doubts:
            reading.unhealthy = f"{extract.place}: {'; '.join(doubts)}; {KEPT}"
        elif not (reading.partial or reading.records or reading.row_errors or feed.allow_empty):
            reading.unhealthy = (
                f"{extract.place}: no row is left after `where` ({reading.rows} read); {KEPT}; "
                "if it may rightly be empty, say allow_empty: true"
            )

    def _torn(
        self, extract: Extract, reading: FeedReport, witness: CompletenessCheck, *, accepted: bool
    ) -> Iterator[str]:
        """Say so when the source may be cut off in its last row, and make that row a row error: `30` may be cut to `3`."""
        if extract.torn is None:
            return
        reading.torn, source = extract.torn(), self.feed.source.name
        if not reading.torn or not (why := torn(self.store.ended_whole(source), accepted, source)):
            return
        yield why
        last = witness.last
        if last is not None:
            self.store.drop_line(self.feed.kind, self.number, last.line)
            error = BadValueError(
                "may be cut off, as no line end follows", "deliver the file again, whole"
            )
            without = {name for joined in self.joins for name in joined.names}
            mapper = self.feed.mapper.at(f"{extract.place} {self.feed.source.unit}")
            self._row_error(mapper.unsure(last, "row", error, without) or [], reading)
            self._flush()

    def _cover(self, mark: str, reading: FeedReport) -> None:
        feed, whole = self.feed, not reading.partial
        reading.records += self.store.cover(
            self.number, feed.kind, feed.digest, mark, source=feed.source.name, whole=whole
        )

    def _records(
        self, mapper: CompiledFeed, rows: Iterator[Judged], reading: FeedReport
    ) -> Iterator[tuple[Record, Origin | None, int]]:
        convert, origin, departing = mapper.map, mapper.origin, mapper.has_departures
        phase, read = f"reading {self.feed.place}", 0
        # enough of those at the end to tell that they are there, whatever `where` says of them now
        passed_over: deque[Row] = deque(maxlen=MOST_PASSED_OVER)
        for row in rows:
            read += 1
            if read % REPORT_EVERY == 0:
                self.progress(phase, read)
            if isinstance(row, list):
                self._row_error(row, reading)
                continue
            if departing and (departure := mapper.departure(row)) is not None:
                self._depart(departure, row.line, reading)
                continue
            made = convert(row)
            if made is None:
                if self._partial and (key := mapper.key(row)) is not None:
                    self._unselected.append(key)
                elif not self._partial:
                    passed_over.append(row)
                continue
            if isinstance(made, list):
                self._row_error(made, reading)
                continue
            yield made, origin(row), row.line
        if self.feed.source.proof.tail:
            self._unselected.extend(
                key for row in passed_over if (key := mapper.key(row)) is not None
            )
        self.progress(phase, read, read)

    def _row_error(self, row_errors: list[RowError], reading: FeedReport) -> None:
        reading.row_errors += 1
        self._row_errors.extend(row_errors)
        if len(self._row_errors) >= REPORT_EVERY:
            self._flush()

    def _depart(self, departure: Key | list[RowError], line: int, reading: FeedReport) -> None:
        if isinstance(departure, list):
            self._row_error(departure, reading)
            return
        self._departures.append((departure, line))
        if len(self._departures) >= REPORT_EVERY:
            self._flush()

    def _flush(self) -> None:
        self.store.add_row_errors(self._row_errors, self.number)
        self.store.depart(self.feed.kind, self.number, self._departures)
        self.store.unselect(self.feed.kind, self.number, self._unselected)
        for noted in (self._row_errors, self._departures, self._unselected):
            noted.clear()
