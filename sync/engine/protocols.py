"""What the engine needs of the rooms around it, as protocols: it imports neither the state nor Inspera's client."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sync.mapping import CompiledFeed
from sync.planning.candidate_numbers import Holder
from sync.planning.decide import DraftedChange, Pair
from sync.planning.freeze import TestMoment, TimeFacts
from sync.planning.guard import HeldScope, Limits
from sync.records.base import UNNUMBERED, Key, Kind, Record, RowError
from sync.records.changes import (
    Action,
    Change,
    Fields,
    OpenIntent,
    Outcome,
    PlannedChange,
    Verdict,
    WrittenRecord,
)
from sync.records.extract import Extract, Since
from sync.records.remote import Assignment, Members, RemotePerson, RemoteTest

Clock = Callable[[], datetime]
"""Gives the time now, aware."""

Origin = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CompletenessRules:
    """What has to hold before a source's word is taken for what it does not name.

    Attributes:
        shrink: how many known records it may stop to name: at least so many, and so many per cent. None for no limit.
        minimum_rows: it has at least so many.
        canary: values that must be there, by their column.
        group: the column of which no value may be gone since the last whole reading.
        tail: from how many records on, which stood last before and are all gone, it may be cut off. 0 for no number.
    """

    shrink: tuple[int, float] | None = None
    minimum_rows: int = 0
    canary: Mapping[str, Collection[str]] = field(default_factory=dict)
    group: str = ""
    tail: int = 0


@dataclass(frozen=True, slots=True)
class BoundSource:
    """A source, ready to be opened: its name in the configuration, its place, what its rows are counted in."""

    name: str
    place: str
    open: Callable[[Since | None], AbstractContextManager[Extract]]
    unit: str = "line"
    proof: CompletenessRules = CompletenessRules()

    def rows_at(self, place: str) -> str:
        """What stands before a row's number or key: the file's place, or the source's name where it is no file."""
        return (
            f"{self.name} ({place}) {self.unit}"
            if self.unit in UNNUMBERED
            else f"{place} {self.unit}"
        )


@dataclass(frozen=True, slots=True)
class Join:
    """A source of which a feed takes columns, named `{source}.{column}`, for the rows that agree with its own.

    Attributes:
        source: what is joined.
        on: the feed's own columns, each with the joined source's column that has the same value.
        ignore_case: whether upper and lower case are the same there.
        missing: what it means when it has no such row: its columns are `blank`, the row is a `fault`, or `skip` it.
    """

    source: BoundSource
    on: Mapping[str, str]
    ignore_case: bool = False
    missing: str = "blank"


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, ready to be read: its source's rows and what they become.

    Attributes:
        digest: of the feed with its rules, by which its snapshot is known.
        same_key: what it means that an earlier feed of the kind has a record too: `fault`, `yield` or `fill`.
        changed_since: the column that says when a row last changed, if it can be read for changes only.
        keeps_snapshot: whether its source may give changes by itself, so that they need something to be laid over.
    """

    kind: Kind
    source: BoundSource
    mapper: CompiledFeed
    may_be_empty: bool = False
    names_committees: bool = False
    joins: Sequence[Join] = ()
    same_key: str = "fault"
    changed_since: str = ""
    keeps_snapshot: bool = False
    digest: str = ""

    @property
    def place(self) -> str:
        """How its source is named to people."""
        return self.source.place


class LookupRow(Protocol):
    """What a joined source has under one key."""

    @property
    def cells(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def line(self) -> int: ...  # noqa: D102
    @property
    def others(self) -> tuple[int, ...]: ...  # noqa: D102


class Progress(Protocol):
    """Told how far long work is; shows it, or not."""

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """`done` of `total` (None when nobody knows) in this phase."""


class Store(Protocol):
    """What is known, what is wanted, and the plan."""

    def name_place(self, feed: int, place: str) -> None: ...  # noqa: D102
    def stage(
        self, kind: Kind, feed: int, records: Iterable[tuple[Record, Origin | None, int]]
    ) -> int: ...  # noqa: D102
    def discard(self, kind: Kind, feed: int) -> None: ...  # noqa: D102
    def depart(self, kind: Kind, feed: int, departures: Iterable[tuple[Key, int]]) -> None: ...  # noqa: D102
    def doubt_departures(self, feed: int) -> None: ...  # noqa: D102
    def keep_known(self, kind: Kind, feed: int) -> None: ...  # noqa: D102
    def unselect(self, kind: Kind, feed: int, keys: Iterable[Key]) -> None: ...  # noqa: D102
    def rows_of(self, source: str, sources: Collection[str]) -> int: ...  # noqa: D102
    def rely_on(  # noqa: D102
        self, sources: Mapping[Kind, Collection[str]], accepted: Collection[Kind] = ()
    ) -> None: ...
    def stage_lookup(
        self, number: int, rows: Iterable[tuple[str, tuple[str, ...], int]]
    ) -> int: ...  # noqa: D102
    def look_up(self, number: int, keys: Sequence[str]) -> Mapping[str, LookupRow]: ...  # noqa: D102
    def mark_of(self, feed: str) -> str: ...  # noqa: D102
    def has_snapshot(self, feed: str) -> bool: ...  # noqa: D102
    def cover(
        self, number: int, kind: Kind, feed: str, mark: str, *, source: str, whole: bool
    ) -> int: ...  # noqa: D102
    def shrinkage(self, kind: Kind, source: str) -> tuple[int, int]: ...  # noqa: D102
    def groups_of(self, source: str) -> frozenset[str]: ...  # noqa: D102
    def lost_tail(self, kind: Kind, source: str, least: int, *, tests_whole: bool) -> int: ...  # noqa: D102
    def ended_whole(self, source: str) -> bool: ...  # noqa: D102
    def drop_line(self, kind: Kind, feed: int, line: int) -> None: ...  # noqa: D102
    def drop_lookup_line(self, number: int, line: int) -> None: ...  # noqa: D102
    def add_faults(self, faults: Iterable[RowError], feed: int | None = None) -> int: ...  # noqa: D102
    def faults(self) -> Iterator[RowError]: ...  # noqa: D102
    def keyless(self, kind: Kind) -> str: ...  # noqa: D102
    def close_staging(  # noqa: D102
        self, later: Sequence[tuple[Kind, int, str]] = (), unsure: Collection[Kind] = ()
    ) -> None: ...
    def gather_windows(self, now: datetime) -> None: ...  # noqa: D102
    def gather_circumstances(self, now: datetime, trouble: Mapping[Kind, str]) -> None: ...  # noqa: D102
    def arrived_or_changed(self, kind: Kind) -> Iterator[Pair]: ...  # noqa: D102
    def absent(self, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]: ...  # noqa: D102
    def draft(self, drafted: Iterable[DraftedChange]) -> int: ...  # noqa: D102
    def keep_needed(self, kind: Kind, by: Collection[Kind]) -> None: ...  # noqa: D102
    def soonest(self, after: int = 0) -> str: ...  # noqa: D102
    def refresh(self, settled: Iterable[tuple[Kind, Key, bytes | None]]) -> None: ...  # noqa: D102
    def note_unsettled(self) -> None: ...  # noqa: D102
    def note_stay(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def index_draft(self) -> None: ...  # noqa: D102
    def hold_scopes(
        self, limits: Limits, allowed: Collection[str], now: datetime
    ) -> list[HeldScope]: ...  # noqa: D102
    def defer_numbers(self) -> None: ...  # noqa: D102
    def numbers_on(self, test: str, taken: Collection[str]) -> Sequence[Holder]: ...  # noqa: D102
    def put_in_order(self) -> None: ...  # noqa: D102
    def ignored(self) -> int: ...  # noqa: D102
    def left_out(self) -> Mapping[Kind, int]: ...  # noqa: D102
    def planned(self, verdict: Verdict | None = None) -> Iterator[PlannedChange]: ...  # noqa: D102
    def sample(self, kind: Kind, most: int) -> list[PlannedChange]: ...  # noqa: D102
    def tally(self) -> dict[tuple[Kind, Action, Verdict], int]: ...  # noqa: D102
    def is_blank(self) -> bool: ...  # noqa: D102
    def open_intents(self) -> Iterator[OpenIntent]: ...  # noqa: D102
    def known(self, kind: Kind, key: Key) -> Fields | None: ...  # noqa: D102
    def people(self, kind: Kind, test: str, keys: Sequence[str]) -> Mapping[str, Fields]: ...  # noqa: D102
    def committees_in_use(self, test: str) -> Sequence[str]: ...  # noqa: D102
    def tests_of(self, staff: str) -> Sequence[str]: ...  # noqa: D102
    def on_test(self, kind: Kind, test: str) -> Mapping[str, Fields]: ...  # noqa: D102
    def wanted(self, kind: Kind, key: Key) -> Fields | None: ...  # noqa: D102
    def wanted_where(self, kind: Kind, key: Key) -> str: ...  # noqa: D102
    def kept(self, kind: Kind, key: Key) -> Fields: ...  # noqa: D102
    def lookalike(self, kind: Kind, key: Key) -> Key | None: ...  # noqa: D102
    def shared_identities(self) -> Mapping[tuple[Kind, Key], str]: ...  # noqa: D102
    def reuses(self, kind: Kind, key: Key) -> Key | None: ...  # noqa: D102
    def holder(self, kind: Kind, key: Key, fields: Fields, remote_id: str | None) -> str: ...  # noqa: D102
    def timing(self, test: str, moment: TestMoment) -> TimeFacts: ...  # noqa: D102
    def window_by(self, test: str, now: datetime) -> tuple[str, bool, bool]: ...  # noqa: D102
    def everything(self, kind: Kind) -> Iterator[tuple[Key, Fields]]: ...  # noqa: D102
    def written(self, run_id: int, kind: Kind, most: int | None) -> Iterator[WrittenRecord]: ...  # noqa: D102
    def stage_export(self, kind: Kind, people: Iterable[RemotePerson]) -> int: ...  # noqa: D102
    def exported(self, kind: Kind) -> Iterator[tuple[Key, Fields, RemotePerson | None]]: ...  # noqa: D102
    def exported_strangers(self, kind: Kind) -> Iterator[str]: ...  # noqa: D102


class Journal(Protocol):
    """Where intents go before calls and outcomes after them."""

    def intend(self, lines: Sequence[PlannedChange]) -> list[int]: ...  # noqa: D102
    def record(self, results: Iterable[tuple[int | None, PlannedChange, Outcome]]) -> None: ...  # noqa: D102
    def remember(  # noqa: D102
        self,
        kind: Kind,
        key: Key,
        fields: Fields,
        *,
        fingerprint: bytes | None = None,
        remote_id: str | None = None,
        ours: bool | None = None,
    ) -> None: ...
    def forget(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def settle(self, intent: OpenIntent, outcome: str, message: str = "") -> None: ...  # noqa: D102
    def find(self, type_: str, kind: Kind, key: Key | None, place: str, message: str) -> None: ...  # noqa: D102
    def promote_silent(self, *, leaving: bool = True) -> None: ...  # noqa: D102
    def accept(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def keep(self, kind: Kind, key: Key, wanted: Fields) -> None: ...  # noqa: D102
    def alias(self, kind: Kind, key: Key, wanted: str, username: str) -> None: ...  # noqa: D102
    def rename(self, kind: Kind, old: Key, new: Key) -> None: ...  # noqa: D102
    def forget_with_candidates(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def close_earlier(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def stay_refused(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def lapse(self, unsure: Collection[Kind] = ()) -> None: ...  # noqa: D102
    def commit(self) -> None: ...  # noqa: D102


class Target(Protocol):
    """Inspera. Thread-safe; raises `Stop` when nothing more can be sent, and gives other failures as outcomes."""

    def learner(self, change: Change, secret: str | None, /) -> Outcome: ...  # noqa: D102
    def staff(self, change: Change, secret: str | None, /) -> Outcome: ...  # noqa: D102
    def create_test(self, change: Change, /) -> Outcome: ...  # noqa: D102
    def update_test(self, change: Change, /) -> Outcome: ...  # noqa: D102
    def settle_test(self, external_test_id: str, since: datetime, /) -> Outcome: ...  # noqa: D102
    def seats(self, remote_id: str, kind: Kind, /) -> Members: ...  # noqa: D102
    def assign(self, test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]: ...  # noqa: D102
    def remove(self, test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]: ...  # noqa: D102
    def find_test(self, external_test_id: str, /) -> list[RemoteTest]: ...  # noqa: D102
    def sure_of_tests(self) -> bool: ...  # noqa: D102
    def find_person(self, auth_system: str, external_id: str, /) -> list[RemotePerson]: ...  # noqa: D102
    def sure_of_people(self) -> bool: ...  # noqa: D102
    def find_person_by_login(self, username: str, /) -> list[RemotePerson]: ...  # noqa: D102
    def export_people(self, kind: Kind, /) -> Iterator[RemotePerson]: ...  # noqa: D102
    def find_person_by_email(self, email: str, /) -> list[RemotePerson]: ...  # noqa: D102
    def moment(self) -> TestMoment: ...  # noqa: D102
    def clock_trouble(self) -> str: ...  # noqa: D102


class Reread(Target, Protocol):
    """Inspera as `reconcile` needs it: a test that no search finds is read by its id as well."""

    def read_test(self, remote_id: str, /) -> RemoteTest | None: ...  # noqa: D102
    def sure_of_readings(self) -> bool: ...  # noqa: D102
