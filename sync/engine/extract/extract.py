"""The extraction of every feed into the staging tables, and what absence proves."""

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sync.engine.extract.completeness import KEPT, CompletenessCheck, cut_off, shorter, shrunk
from sync.engine.extract.feed_reader import FeedReader, FeedReport, unread
from sync.engine.extract.join import JoinedSource, columns_of, load
from sync.engine.protocols import BoundSource, Feed, Join
from sync.errors import SourceError
from sync.planning.absence import AbsenceDoubt
from sync.planning.configuration import ConfigurationChange
from sync.planning.remedies import accept_shrink
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.kinds import NAMED_BY
from sync.state.store import Store


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How sources are to be read in this run.

    Attributes:
        changed: only what changed since the last time, where a feed can be read so.
        accepted: sources that are correctly shorter than before, as a person has confirmed.
    """

    changed: bool = False
    accepted: Collection[str] = ()


EVERYTHING = ReadOptions()


@dataclass(frozen=True, slots=True)
class ExtractionResult:
    """The reports of all feeds, and for each kind why absence proves nothing.

    Kinds of which absence proves that a record has left are not in `trouble`.

    Attributes:
        lookups: the reports of sources that feeds join.
    """

    reports: Sequence[FeedReport]
    trouble: Mapping[Kind, AbsenceDoubt] = field(default_factory=dict)
    lookups: Sequence[FeedReport] = ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """Return the kinds that have a feed."""
        return frozenset(report.kind for report in self.reports)

    @property
    def unhealthy(self) -> list[str]:
        """Return what is wrong with the sources, each text once."""
        return list(
            dict.fromkeys(one.unhealthy for one in (*self.reports, *self.lookups) if one.unhealthy)
        )

    @property
    def partial(self) -> list[str]:
        """Return the sources that were only read in part although nothing is wrong with them."""
        texts = (
            f"{one.place}: {one.partial}; removals wait for a full reading"
            for one in self.reports
            if one.partial
        )
        return list(dict.fromkeys(texts))

    @property
    def unhealthy_sources(self) -> frozenset[str]:
        """Return the names of the sources with which something is wrong."""
        return frozenset(one.source for one in (*self.reports, *self.lookups) if one.unhealthy)

    @property
    def proven(self) -> frozenset[tuple[Kind, str]]:
        """Return the kinds and sources that were read completely: what they lack is absent."""
        unhealthy = self.unhealthy_sources
        partial = {(one.kind, one.source) for one in self.reports if one.partial}
        return (
            frozenset((one.kind, one.source) for one in self.reports if one.source not in unhealthy)
            - partial
        )


def extract(
    feeds: Sequence[Feed],
    store: Store,
    now: datetime,
    progress: Progress,
    options: ReadOptions = EVERYTHING,
    change: ConfigurationChange | None = None,
    naming: Collection[Kind] = (),
) -> ExtractionResult:
    """Stage what all feeds want.

    A feed that can't be read to its end adds nothing, and its kind loses nothing. Where a `change`
    of the configuration has left records out, their source has not shrunk. `naming` are all kinds
    whose feeds can name committees, those that this run does not read included.
    """
    joined = frozenset(join.source.name for feed in feeds for join in feed.joins)
    extraction = _Extraction(store, progress, options, joined)
    with _rare_collections():
        for number, feed in enumerate(feeds):
            extraction.read(number, feed)
    reports, lookups = extraction.reports, extraction.lookups
    # Each step needs the one before: rows become wanted records, these give the times of tests,
    # by which it is known what may have left its source, and so which source has shrunk.
    _rely(feeds, store, options)
    so_far = ExtractionResult(reports, {}, lookups)  # sees what is found out about them below
    later = [
        (one.kind, at, one.on_conflict)
        for at, one in enumerate(feeds)
        if one.on_conflict != "error"
    ]
    store.staging.close(later, _unsure(feeds, so_far, store))
    _judge_validity(reports)
    store.comparison.compute_windows(now)
    _judge_shrinkage(feeds, reports, store, options, change.proven if change else ())
    _doubt(feeds, so_far, store)
    trouble = {kind: _trouble(kind, feeds, reports, lookups, store) for kind in Kind}
    naming = {*naming, *(feed.kind for feed in feeds if feed.names_committees)}
    if naming:  # committees are named by others, too, so their absence rests on all of these
        read = {feed.kind for feed in feeds}
        trouble[Kind.COMMITTEE] = next(
            (
                trouble[kind] if kind in read else AbsenceDoubt(_NAMED_BY_UNREAD.format(kind))
                for kind in sorted(naming)
                if trouble[kind]
            ),
            None,
        )
    return ExtractionResult(reports, {kind: why for kind, why in trouble.items() if why}, lookups)


_NAMED_BY_UNREAD = "this job reads no {}, whose rows can name it too"


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for unreachable cycles rarely while rows are read.

    Rows and records are plain tuples and dicts of text, which are freed without that; looking
    through all of them took a twentieth of the time of a plan.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(slots=True)
class _Extraction:
    """The feeds that have been read, and the sources that they join."""

    store: Store
    progress: Progress
    options: ReadOptions
    joined: Collection[str]
    reports: list[FeedReport] = field(default_factory=list)
    lookups: list[FeedReport] = field(default_factory=list)

    def read(self, number: int, feed: Feed) -> None:
        """Read one feed, unless another source that it needs can't be read."""
        before = len(self.lookups)
        joins = [self._join(feed, join) for join in feed.joins]
        why = self._unusable(feed, self.lookups[before:])
        if why:
            text = f"{feed.place}: is not used, as it {why}, which can't be read; {KEPT}"
            self.reports.append(
                FeedReport(feed.place, feed.kind, feed.source.name, unread=True, unhealthy=text)
            )
            return
        reader = FeedReader(number, feed, joins, self.store, self.progress, self.options.changed)
        self.reports.append(reader.read(feed.source.name in self.options.accepted))

    def _unusable(self, feed: Feed, looked: Sequence[FeedReport]) -> str:
        for one in looked:
            if one.unread:
                return f"joins {one.place}"
        above = next((one for one in self.reports if one.kind is feed.kind and one.unread), None)
        return f"yields to {above.place}" if above and feed.on_conflict != "error" else ""

    def _join(self, feed: Feed, join: Join) -> JoinedSource:
        """Read a source that a feed joins."""
        source, check = join.source, CompletenessCheck(join.source.proof)
        joined = JoinedSource(join, len(self.lookups), columns_of(join, feed.mapper))
        report = FeedReport(source.place, feed.kind, source.name)
        self.lookups.append(report)
        try:
            load(joined, self.store, check, accepted=source.name in self.options.accepted)
        except SourceError as error:
            report.unread, report.unhealthy = True, unread(error)
            return joined
        report.rows, report.groups, report.torn = (check.rows, frozenset(check.groups), check.torn)
        report.confirmable = joined.torn
        failed, remedy = [joined.unsure] if joined.unsure else [], ""
        if source.name not in self.options.accepted:
            failed += check.failures(lambda: self.store.baselines.groups_of(source.name))
            if source.proof.shrink:
                before = self.store.baselines.rows_of(source.name, self.joined)
                if lost := shorter(before - check.rows, before, source.proof.shrink):
                    failed.append(lost)
                    report.confirmable = True
                    remedy = f"; if that is right, run {accept_shrink(source.name)}"
        joined.unsure = "; ".join(failed) or ("" if check.rows else "has no rows")
        if joined.unsure:
            report.unhealthy = f"{source.place}: {joined.unsure}; {KEPT}{remedy}"
        return joined


def _unsure(feeds: Sequence[Feed], extracted: ExtractionResult, store: Store) -> frozenset[Kind]:
    """Return the kinds of which a record may exist that no feed named: a source is incomplete."""
    unhealthy = extracted.unhealthy_sources
    return frozenset(
        feed.kind
        for feed, report in zip(feeds, extracted.reports, strict=True)
        if report.unhealthy
        or any(source.name in unhealthy for source in _resting_on(feed))
        or (report.partial and not store.snapshots.exists(feed.digest))  # nothing to lay it over
    )


def _rely(feeds: Sequence[Feed], store: Store, options: ReadOptions) -> None:
    """Set the sources of each kind, and the kinds that a person has accepted as they are."""
    sources = {
        kind: sorted({one.source.name for one in feeds if one.kind in NAMED_BY.get(kind, (kind,))})
        for kind in Kind
    }
    store.baselines.set_sources(
        sources,
        [kind for kind, names in sources.items() if set(names).intersection(options.accepted)],
    )


def _doubt(feeds: Sequence[Feed], extracted: ExtractionResult, store: Store) -> None:
    """Doubt the departures of feeds where another feed of their kind is incomplete.

    The incomplete feed may know better.

    Nobody departs while it may still name them. A feed that yields to it is not used; where only a
    row of it can't be read, the other feed adds only new records.
    """
    unhealthy = extracted.unhealthy_sources
    for number, feed in enumerate(feeds):
        others = {
            at: other for at, other in enumerate(feeds) if at != number and other.kind is feed.kind
        }
        doubtful = [
            at
            for at, other in others.items()
            if any(one.name in unhealthy for one in _resting_on(other))
        ]
        keyless = bool(others and store.staging.keyless(feed.kind))
        if doubtful or keyless:
            store.staging.doubt_departures(number)
        if feed.on_conflict != "error" and any(at < number for at in doubtful):
            store.staging.discard(feed.kind, number)
        elif feed.on_conflict != "error" and keyless:
            store.staging.keep_known(feed.kind, number)


_DEAD = 10
"""The number of unreadable rows from which a feed without any other row is dead."""


def _judge_validity(reports: Sequence[FeedReport]) -> None:
    """Judge feeds of which no row can be read: the feed is wrong, and not its rows.

    Row errors alone give status 1, which a unit may count as success. Rows that are sound but
    contradict each other, or name what no feed makes, stay row errors (rules 30 and 31).
    """
    for report in reports:
        if report.unread or report.unhealthy or report.partial or report.records:
            continue
        if report.row_errors >= _DEAD:
            report.unhealthy = (
                f"{report.place}: none of its {report.row_errors:,} rows is valid; {KEPT}; correct "
                "what the row errors name"
            )


def _judge_shrinkage(
    feeds: Sequence[Feed],
    reports: Sequence[FeedReport],
    store: Store,
    options: ReadOptions,
    proven: Collection[tuple[Kind, str]],
) -> None:
    """Judge sources that have suddenly become shorter, or lack their last records.

    Needs the tests' windows: what has ended may go. Those in `proven` are whole, unless rows are in
    error.
    """
    judged: set[tuple[Kind, str]] = set()
    # Tests first: what was on one that has left its source as well is not cut off
    in_order = sorted(
        zip(feeds, reports, strict=True), key=lambda one: one[0].kind is not Kind.TEST
    )
    for feed, report in in_order:
        source = feed.source
        done = (feed.kind, source.name) in judged or source.name in options.accepted
        if done or source.proof.shrink is None or report.unhealthy or report.partial:
            continue
        judged.add((feed.kind, source.name))
        # With the earlier configuration it was whole, so the new one leaves the others out. Rows in
        # error are another matter: nobody has chosen to leave them out.
        if (feed.kind, source.name) in proven and not store.staging.invalid_rows(
            feed.kind, report.place
        ):
            continue
        text = shrunk(
            *store.baselines.shrinkage(feed.kind, source.name),
            source.proof.shrink,
            _plural(feed.kind),
        )
        if not text and source.proof.tail:
            lost = store.baselines.lost_tail(
                feed.kind, source.name, source.proof.tail, tests_whole=_tests_whole(reports)
            )
            text = cut_off(lost, _plural(feed.kind))
        if text:
            report.confirmable = True
            report.unhealthy = (
                f"{source.place}: {text}; {KEPT}; if that is right, run "
                f"{accept_shrink(source.name)}"
            )


def _tests_whole(reports: Sequence[FeedReport]) -> bool:
    """Return whether tests were read, and all of them."""
    of_tests = [one for one in reports if one.kind is Kind.TEST]
    return bool(of_tests) and not any(
        one.unread or one.unhealthy or one.partial for one in of_tests
    )


def _plural(kind: Kind) -> str:
    return kind if kind is Kind.STAFF else f"{kind}s"


def _trouble(
    kind: Kind,
    feeds: Sequence[Feed],
    reports: Sequence[FeedReport],
    lookups: Sequence[FeedReport],
    store: Store,
) -> AbsenceDoubt | None:
    """Return why absence of this kind proves nothing in this run; None when it does."""
    mine = [
        (feed, report) for feed, report in zip(feeds, reports, strict=True) if report.kind is kind
    ]
    if not mine:
        return AbsenceDoubt(f"no feed of kind {kind}")
    unhealthy = {one.source: one for one in (*lookups, *reports) if one.unhealthy}
    for feed, report in mine:
        for source in _resting_on(feed):
            if source.name in unhealthy:
                return _unproven(unhealthy[source.name])
        if report.unhealthy:
            return _unproven(report)
        if report.partial:
            return AbsenceDoubt(
                f"{report.place} is not all there ({report.partial}): removals wait for a "
                "full reading"
            )
    if keyless := store.staging.keyless(kind):
        return AbsenceDoubt(
            f"the key in {keyless} can't be read, so no {kind}'s absence proves anything"
        )
    return None


def _unproven(report: FeedReport) -> AbsenceDoubt:
    """Return why absence from this source proves nothing.

    If a person must do something about it, the text says what.
    """
    if report.unread or not report.confirmable:
        return AbsenceDoubt(f"{report.place} can't be relied on in this run")
    remedy = f"if that is right, run {accept_shrink(report.source)}, else deliver it whole"
    return AbsenceDoubt(
        f"{report.place} has become shorter or is cut off; {remedy}", needs_person=True
    )


def _resting_on(feed: Feed) -> list[BoundSource]:
    return [feed.source, *(join.source for join in feed.joins)]
