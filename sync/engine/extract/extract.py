"""Reads every feed into the store's staging: what is wanted, what can't be used and why, and what absence proves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.engine.extract.completeness import KEPT, CompletenessCheck, cut_off, shorter, shrunk
from sync.engine.extract.feed_reader import FeedReader, FeedReport, unread
from sync.engine.extract.join import JoinedSource, columns_of, load
from sync.engine.protocols import BoundSource, Feed, Join, Progress
from sync.errors import SourceError
from sync.planning.remedies import ACCEPT_SHRINK
from sync.records.base import Kind
from sync.state.store import Store


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How sources are to be read in this run.

    Attributes:
        changed: only what changed since the last time, where a feed can be read so.
        accepted: sources that are rightly shorter than before, by a person's word.
    """

    changed: bool = False
    accepted: Collection[str] = ()


EVERYTHING = ReadOptions()


@dataclass(frozen=True, slots=True)
class Extracted:
    """All feeds' readings, and for each kind why absence proves nothing (kinds where it does are left out).

    Attributes:
        lookups: the readings of sources that feeds join.
    """

    readings: Sequence[FeedReport]
    trouble: Mapping[Kind, str] = field(default_factory=dict)
    lookups: Sequence[FeedReport] = ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that have a feed."""
        return frozenset(reading.kind for reading in self.readings)

    @property
    def unhealthy(self) -> list[str]:
        """What is wrong with sources, one text each, and each said once."""
        return list(
            dict.fromkeys(one.unhealthy for one in (*self.readings, *self.lookups) if one.unhealthy)
        )

    @property
    def partial(self) -> list[str]:
        """Of which sources not all was read, though nothing is wrong with them, one text each."""
        told = (
            f"{one.place}: {one.partial}; removals wait for a full reading"
            for one in self.readings
            if one.partial
        )
        return list(dict.fromkeys(told))

    @property
    def ill(self) -> frozenset[str]:
        """The names of the sources with which something is wrong."""
        return frozenset(one.source for one in (*self.readings, *self.lookups) if one.unhealthy)

    @property
    def proven(self) -> frozenset[tuple[Kind, str]]:
        """For which kinds which sources were read whole, and are sound: what they lack, they lack."""
        ill = self.ill
        partial = {(one.kind, one.source) for one in self.readings if one.partial}
        return (
            frozenset((one.kind, one.source) for one in self.readings if one.source not in ill)
            - partial
        )


def gather(
    feeds: Sequence[Feed],
    store: Store,
    now: datetime,
    progress: Progress,
    how: ReadOptions = EVERYTHING,
) -> Extracted:
    """Stages what all feeds want. A feed that can't be read to its end adds nothing, and its kind loses nothing."""
    joined = frozenset(join.source.name for feed in feeds for join in feed.joins)
    gathering = _Extraction(store, progress, how, joined)
    for number, feed in enumerate(feeds):
        gathering.read(number, feed)
    readings, lookups = gathering.readings, gathering.lookups
    _rely(feeds, store, how)
    later = [
        (one.kind, at, one.on_conflict)
        for at, one in enumerate(feeds)
        if one.on_conflict != "error"
    ]
    store.close_staging(later, _unsure(feeds, Extracted(readings, {}, lookups), store))
    store.gather_windows(now)
    _judge_shrinkage(feeds, readings, store, how)
    _doubt(feeds, Extracted(readings, {}, lookups), store)
    trouble = {kind: _trouble(kind, feeds, readings, lookups, store) for kind in Kind}
    naming = {feed.kind for feed in feeds if feed.names_committees}
    if naming:  # committees are named by others, too, so their absence rests on all of these
        trouble[Kind.COMMITTEE] = next(
            (trouble[kind] for kind in sorted(naming) if trouble[kind]), ""
        )
    return Extracted(readings, {kind: why for kind, why in trouble.items() if why}, lookups)


@dataclass(slots=True)
class _Extraction:
    """The feeds that have been read, and the sources that they join."""

    store: Store
    progress: Progress
    how: ReadOptions
    joined: Collection[str]
    readings: list[FeedReport] = field(default_factory=list)
    lookups: list[FeedReport] = field(default_factory=list)

    def read(self, number: int, feed: Feed) -> None:
        """Reads one feed, unless something that it rests on can't be read."""
        before = len(self.lookups)
        joins = [self._join(feed, join) for join in feed.joins]
        why = self._unusable(feed, self.lookups[before:])
        if why:
            text = f"{feed.place}: is not used, as it {why}, which can't be read; {KEPT}"
            self.readings.append(
                FeedReport(feed.place, feed.kind, feed.source.name, unread=True, unhealthy=text)
            )
            return
        reader = FeedReader(number, feed, joins, self.store, self.progress, self.how.changed)
        self.readings.append(reader.read(feed.source.name in self.how.accepted))

    def _unusable(self, feed: Feed, looked: Sequence[FeedReport]) -> str:
        for one in looked:
            if one.unread:
                return f"joins {one.place}"
        above = next((one for one in self.readings if one.kind is feed.kind and one.unread), None)
        return f"gives way to {above.place}" if above and feed.on_conflict != "error" else ""

    def _join(self, feed: Feed, join: Join) -> JoinedSource:
        """Reads a source that a feed joins."""
        source, witness = join.source, CompletenessCheck(join.source.proof)
        joined = JoinedSource(join, len(self.lookups), columns_of(join, feed.mapper))
        reading = FeedReport(source.place, feed.kind, source.name)
        self.lookups.append(reading)
        try:
            load(joined, self.store, witness, accepted=source.name in self.how.accepted)
        except SourceError as error:
            reading.unread, reading.unhealthy = True, unread(error)
            return joined
        reading.rows, reading.groups, reading.torn = (
            witness.rows,
            frozenset(witness.groups),
            witness.torn,
        )
        failed, remedy = [joined.unsure] if joined.unsure else [], ""
        if source.name not in self.how.accepted:
            failed += witness.failures(lambda: self.store.groups_of(source.name))
            if source.proof.shrink:
                before = self.store.rows_of(source.name, self.joined)
                if lost := shorter(before - witness.rows, before, source.proof.shrink):
                    failed.append(lost)
                    remedy = f"; if that is right, run `{ACCEPT_SHRINK} {source.name}`"
        joined.unsure = "; ".join(failed) or ("" if witness.rows else "has no rows")
        if joined.unsure:
            reading.unhealthy = f"{source.place}: {joined.unsure}; {KEPT}{remedy}"
        return joined


def _unsure(feeds: Sequence[Feed], gathered: Extracted, store: Store) -> frozenset[Kind]:
    """Return the kinds of which a record may be there although no feed has named it: its source was not all read."""
    ill = gathered.ill
    return frozenset(
        feed.kind
        for feed, reading in zip(feeds, gathered.readings, strict=True)
        if reading.unhealthy
        or any(source.name in ill for source in _resting_on(feed))
        or (reading.partial and not store.has_snapshot(feed.digest))  # nothing to lay it over
    )


def _rely(feeds: Sequence[Feed], store: Store, how: ReadOptions) -> None:
    """Tells the store the sources of each kind, and of which kinds a person has said that they name what is right."""
    sources = {
        kind: sorted({feed.source.name for feed in feeds if feed.kind is kind}) for kind in Kind
    }
    store.rely_on(
        sources, [kind for kind, names in sources.items() if set(names).intersection(how.accepted)]
    )


def _doubt(feeds: Sequence[Feed], gathered: Extracted, store: Store) -> None:
    """Where a feed can't be relied on, others of its kind may say less: it may know better.

    Nobody departs by their word, as it may still name them; and what gives way to it is not used, or, where it is only
    a row that can't be read, takes nobody over.
    """
    ill = gathered.ill
    for number, feed in enumerate(feeds):
        beside = {
            at: other for at, other in enumerate(feeds) if at != number and other.kind is feed.kind
        }
        doubtful = [
            at for at, other in beside.items() if any(one.name in ill for one in _resting_on(other))
        ]
        keyless = bool(beside and store.keyless(feed.kind))
        if doubtful or keyless:
            store.doubt_departures(number)
        if feed.on_conflict != "error" and any(at < number for at in doubtful):
            store.discard(feed.kind, number)
        elif feed.on_conflict != "error" and keyless:
            store.keep_known(feed.kind, number)


def _judge_shrinkage(
    feeds: Sequence[Feed], readings: Sequence[FeedReport], store: Store, how: ReadOptions
) -> None:
    """Finds sources that have suddenly become shorter, or lack what stood last in them.

    Needs the tests' windows: what has ended may go.
    """
    judged: set[tuple[Kind, str]] = set()
    # tests first: what was on one that has left its source as well is not cut off
    in_order = sorted(
        zip(feeds, readings, strict=True), key=lambda one: one[0].kind is not Kind.TEST
    )
    for feed, reading in in_order:
        source = feed.source
        done = (feed.kind, source.name) in judged or source.name in how.accepted
        if done or source.proof.shrink is None or reading.unhealthy or reading.partial:
            continue
        judged.add((feed.kind, source.name))
        text = shrunk(
            *store.shrinkage(feed.kind, source.name), source.proof.shrink, _plural(feed.kind)
        )
        if not text and source.proof.tail:
            lost = store.lost_tail(
                feed.kind, source.name, source.proof.tail, tests_whole=_tests_whole(readings)
            )
            text = cut_off(lost, _plural(feed.kind))
        if text:
            reading.unhealthy = f"{source.place}: {text}; {KEPT}; if that is right, run `apply --accept-shrink {source.name}`"


def _tests_whole(readings: Sequence[FeedReport]) -> bool:
    """Return whether tests were read, and all of them."""
    of_tests = [one for one in readings if one.kind is Kind.TEST]
    return bool(of_tests) and not any(
        one.unread or one.unhealthy or one.partial for one in of_tests
    )


def _plural(kind: Kind) -> str:
    return kind if kind is Kind.STAFF else f"{kind}s"


def _trouble(
    kind: Kind,
    feeds: Sequence[Feed],
    readings: Sequence[FeedReport],
    lookups: Sequence[FeedReport],
    store: Store,
) -> str:
    """Why absence of this kind proves nothing in this run; empty when it does."""
    mine = [
        (feed, reading)
        for feed, reading in zip(feeds, readings, strict=True)
        if reading.kind is kind
    ]
    if not mine:
        return f"no feed of kind {kind}"
    ill = {one.source: one for one in (*lookups, *readings) if one.unhealthy}
    for feed, reading in mine:
        for source in _resting_on(feed):
            if source.name in ill:
                return _unproven(ill[source.name])
        if reading.unhealthy:
            return _unproven(reading)
        if reading.partial:
            return f"{reading.place} is not all there ({reading.partial}): removals wait for a full reading"
    keyless = store.keyless(kind)
    return (
        f"the key in {keyless} can't be read, so no {kind}'s absence proves anything"
        if keyless
        else ""
    )


def _unproven(report: FeedReport) -> str:
    """Return why absence from this source proves nothing, and what a person must do if it is theirs to do."""
    if report.unread or ACCEPT_SHRINK not in report.unhealthy:
        return f"{report.place} can't be relied on in this run"
    remedy = f"if that is right, run `{ACCEPT_SHRINK} {report.source}`, else deliver it whole"
    return f"{report.place} has become shorter or is cut off; {remedy}"


def _resting_on(feed: Feed) -> list[BoundSource]:
    return [feed.source, *(join.source for join in feed.joins)]
