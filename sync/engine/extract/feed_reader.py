"""The reading of one feed: its rows, the columns of joined sources, and what is wrong."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sync.engine.extract.completeness import KEPT, CompletenessCheck, torn
from sync.engine.extract.join import JoinedSource, RowOrErrors, with_columns
from sync.engine.protocols import Feed, Origin
from sync.errors import SourceError
from sync.mapping import BadValueError, CompiledFeed
from sync.progress import Progress
from sync.records.base import Key, Kind, Row, RowError
from sync.records.extract import Extract, Since, lacking
from sync.records.kinds import Record
from sync.state.store import Store

MOST_PASSED_OVER = 2_000
"""How many of the last rows that `where` does not select are recorded as present."""

REPORT_EVERY = 10_000
"""How many rows are read between two reports of the progress."""


@dataclass(slots=True)
class FeedReport:
    """How the reading of one feed went.

    Attributes:
        source: the name of its source in the configuration.
        unread: it could not be read to its end, so nothing of it is used.
        partial: why this was not all that the source has, though nothing is wrong; empty when it
            was all.
        unhealthy: why its absences prove nothing; empty when they do.
        confirmable: whether it may be right all the same, as a person can say (`--accept-shrink`).
        groups: the values of the source's column of groups.
        torn: whether its text ended without a line end; None when that is unknown.
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
    confirmable: bool = False
    groups: frozenset[str] = frozenset()
    torn: bool | None = None


def unread(error: SourceError) -> str:
    """Return the text about a source that could not be read to its end."""
    return f"{error}; nothing of it is used in this run, and {KEPT}"


@dataclass(slots=True)
class FeedReader:
    """A reader of one feed; with `changed`, it reads only what changed since the last mark."""

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
        """Stage what the feed wants.

        A feed that can't be read to its end adds nothing.

        `accepted`: a person has said that it is right that the source is shorter.
        """
        feed = self.feed
        report = FeedReport(feed.place, feed.kind, feed.source.name)
        check = CompletenessCheck(feed.source.proof)
        since = self._since()
        try:
            with feed.source.open(since) as extract:
                self._partial = extract.partial or (
                    "only what changed was read" if since and since.mark else ""
                )
                self._stage(extract, report, check)
                self._judge(extract, report, check, accepted=accepted)
        except SourceError as error:
            self.store.staging.discard(feed.kind, self.number)
            self._departures.clear()
            report.records, report.unread, report.unhealthy = 0, True, unread(error)
        self._flush()
        return report

    def _since(self) -> Since | None:
        column = self.feed.updated_column
        return (
            Since(column, self.store.snapshots.mark_of(self.feed.digest) if self.changed else "")
            if column
            else None
        )

    def _stage(self, extract: Extract, report: FeedReport, check: CompletenessCheck) -> None:
        feed = self.feed
        self._need_columns(extract, check)
        if extract.partial and self.joins:
            reason = (
                f"is not all there ({extract.partial}), and its rows are joined with others, "
                "which may have changed"
            )
            raise SourceError(
                extract.place, reason, "deliver all of it, or take the join out of the feed"
            )
        place = feed.source.rows_at(extract.place)
        self.store.staging.name_place(self.number, place)
        mapper = feed.mapper.at(place)
        rows: Iterator[RowOrErrors] = check.watched(extract.rows)
        for joined in self.joins:
            rows = with_columns(joined, rows, mapper, self.store)
        report.records = self.store.staging.stage(
            feed.kind, self.number, self._records(mapper, rows, report)
        )
        report.rows = check.rows
        self._flush()

    def _need_columns(self, extract: Extract, check: CompletenessCheck) -> None:
        for joined in self.joins:
            own_names = joined.own_names(extract.columns)
            if own_names:
                reason = (
                    f"has a column '{own_names[0]}', which is also what a column of the "
                    "joined source is called"
                )
                raise SourceError(
                    extract.place,
                    reason,
                    f"give the source '{joined.join.source.name}' another name",
                )
        given = {*extract.columns, *(name for joined in self.joins for name in joined.names)}
        own = {column for joined in self.joins for column in joined.join.on}
        missing = sorted(
            {*self.feed.mapper.missing(given), *(check.columns | own).difference(given)}
        )
        if missing:
            raise SourceError(
                extract.place, *lacking(missing, extract.columns, "the feed's map and where")
            )

    def _judge(
        self, extract: Extract, report: FeedReport, check: CompletenessCheck, *, accepted: bool
    ) -> None:
        """Judge what the feed's rows prove once all are staged, and cover its snapshot."""
        feed = self.feed
        report.partial = self._partial
        doubts = [*extract.doubts, *self._torn(extract, report, check, accepted=accepted)]
        if not report.partial:
            before = self.store.baselines.groups_of
            doubts += [] if accepted else check.failures(lambda: before(feed.source.name))
            report.groups = frozenset(check.groups)
        if feed.updated_column or feed.keeps_snapshot:
            self._cover(extract.mark(), report)
        if doubts:
            report.unhealthy = f"{extract.place}: {'; '.join(doubts)}; {KEPT}"
        elif not (report.partial or report.records or report.row_errors or feed.allow_empty):
            empty = (
                f"no row is left after `where` ({report.rows} read)" if report.rows else "no row"
            )
            report.unhealthy = (
                f"{extract.place}: {empty}; {KEPT}; if it may be empty, set allow_empty: true"
            )

    def _torn(
        self, extract: Extract, report: FeedReport, check: CompletenessCheck, *, accepted: bool
    ) -> Iterator[str]:
        """Yield why the source may be cut off in its last row, which becomes a row error.

        A cut-off `30` may look like `3`.
        """
        if extract.torn is None:
            return
        report.torn, source = extract.torn(), self.feed.source.name
        if not report.torn or not (
            why := torn(self.store.baselines.ended_whole(source), accepted, source)
        ):
            return
        report.confirmable = True
        yield why
        last = check.last
        if last is not None:
            self.store.staging.drop_line(self.feed.kind, self.number, last.line)
            error = BadValueError(
                "may be cut off, as no line end follows", "deliver the file again, whole"
            )
            without = {name for joined in self.joins for name in joined.names}
            mapper = self.feed.mapper.at(f"{extract.place} {self.feed.source.unit}")
            self._row_error(mapper.unsure(last, "row", error, without) or [], report)
            self._flush()

    def _cover(self, mark: str, report: FeedReport) -> None:
        feed, whole = self.feed, not report.partial
        report.records += self.store.snapshots.cover(
            self.number, feed.kind, feed.digest, mark, source=feed.source.name, whole=whole
        )

    def _records(
        self, mapper: CompiledFeed, rows: Iterator[RowOrErrors], report: FeedReport
    ) -> Iterator[tuple[Record, Origin | None, int]]:
        convert, origin, departing = mapper.map, mapper.origin, mapper.has_departures
        phase, read = f"reading {self.feed.place}", 0
        # Enough of those at the end to tell that they are there, whatever `where` says of them now
        passed_over: deque[Row] = deque(maxlen=MOST_PASSED_OVER)
        for row in rows:
            read += 1
            if read % REPORT_EVERY == 0:
                self.progress(phase, read)
            if isinstance(row, list):
                self._row_error(row, report)
                continue
            if departing and (departure := mapper.departure(row)) is not None:
                self._depart(departure, row.line, report)
                continue
            record = convert(row)
            if record is None:
                if self._partial and (key := mapper.key(row)) is not None:
                    self._unselected.append(key)
                elif not self._partial:
                    passed_over.append(row)
                continue
            if isinstance(record, list):
                self._row_error(record, report)
                continue
            yield record, origin(row), row.line
        if self.feed.source.proof.tail:
            self._unselected.extend(
                key for row in passed_over if (key := mapper.key(row)) is not None
            )
        self.progress(phase, read, read)

    def _row_error(self, row_errors: list[RowError], report: FeedReport) -> None:
        report.row_errors += 1
        self._row_errors.extend(row_errors)
        if len(self._row_errors) >= REPORT_EVERY:
            self._flush()

    def _depart(self, departure: Key | list[RowError], line: int, report: FeedReport) -> None:
        if isinstance(departure, list):
            self._row_error(departure, report)
            return
        self._departures.append((departure, line))
        if len(self._departures) >= REPORT_EVERY:
            self._flush()

    def _flush(self) -> None:
        self.store.staging.add_row_errors(self._row_errors, self.number)
        self.store.staging.depart(self.feed.kind, self.number, self._departures)
        self.store.staging.unselect(self.feed.kind, self.number, self._unselected)
        for noted in (self._row_errors, self._departures, self._unselected):
            noted.clear()
