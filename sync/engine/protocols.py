"""The engine's view of sources and of Inspera, which it does not import."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sync.mapping import CompiledFeed
from sync.planning.freeze import Moment
from sync.records.base import UNNUMBERED, Kind
from sync.records.changes import Change, Outcome
from sync.records.extract import Extract, Since
from sync.records.remote import Assignment, Members, RemotePerson, RemoteTest

Clock = Callable[[], datetime]
"""A function that returns the time now, aware."""

MayGo = Callable[[], bool]
"""The question, asked right before a call, whether what it rests on still holds."""

Origin = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CompletenessRules:
    """What has to hold before a source's word is taken for what it does not name.

    Attributes:
        shrink: how many known records it may stop to name: at least so many, and so many per cent.
            None for no limit.
        minimum_rows: it has at least so many.
        canary: values that must be there, by their column.
        group: the column of which no value may be gone since the last whole reading.
        tail: from how many records on, which stood last before and are all gone, it may be cut off.
            0 for no number.
    """

    shrink: tuple[int, float] | None = None
    minimum_rows: int = 0
    canary: Mapping[str, Collection[str]] = field(default_factory=dict)
    group: str = ""
    tail: int = 0


@dataclass(frozen=True, slots=True)
class BoundSource:
    """A source, ready to be opened: its name, its place, and the unit of its rows."""

    name: str
    place: str
    open: Callable[[Since | None], AbstractContextManager[Extract]]
    unit: str = "line"
    proof: CompletenessRules = CompletenessRules()

    def rows_at(self, place: str) -> str:
        """Return what precedes a row's number or key.

        It is the file's place, or the source's name if it is not a file.
        """
        return (
            f"{self.name} ({place}) {self.unit}"
            if self.unit in UNNUMBERED
            else f"{place} {self.unit}"
        )


@dataclass(frozen=True, slots=True)
class Join:
    """A source that a feed joins: its columns are `{source}.{column}` in matching rows.

    Attributes:
        source: what is joined.
        on: the feed's own columns, each with the joined source's column that has the same value.
        ignore_case: whether upper and lower case are the same there.
        missing: what it means when it has no such row: its columns are `blank`, the row is an
            `error`, or `skip` it.
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
        on_conflict: what it means that an earlier feed of the kind has a record too: `error`,
            `skip` or `fill`.
        updated_column: the column that says when a row last changed, if it can be read for changes
            only.
        keeps_snapshot: whether its source may give changes by itself, so that they need something
            to be laid over.
    """

    kind: Kind
    source: BoundSource
    mapper: CompiledFeed
    allow_empty: bool = False
    names_committees: bool = False
    joins: Sequence[Join] = ()
    on_conflict: str = "error"
    updated_column: str = ""
    keeps_snapshot: bool = False
    digest: str = ""

    @property
    def place(self) -> str:
        """Return the name of its source for people."""
        return self.source.place


class LookupRow(Protocol):
    """What a joined source has under one key."""

    @property
    def cells(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def line(self) -> int: ...  # noqa: D102
    @property
    def others(self) -> tuple[int, ...]: ...  # noqa: D102


class Target(Protocol):
    """Inspera.

    Thread-safe; raises `Stop` when nothing more can be sent, and gives other failures as outcomes.
    """

    def save_learner(self, change: Change, secret: str | None, /) -> Outcome: ...  # noqa: D102
    def save_staff(self, change: Change, secret: str | None, /) -> Outcome: ...  # noqa: D102
    def create_test(self, change: Change, /) -> Outcome: ...  # noqa: D102
    def update_test(self, change: Change, /) -> Outcome: ...  # noqa: D102
    def activate_test(self, change: Change, remote_id: str, /) -> Outcome: ...  # noqa: D102
    def settle_test(self, external_test_id: str, since: datetime, /) -> Outcome: ...  # noqa: D102
    def members(self, remote_id: str, kind: Kind, /) -> Members: ...  # noqa: D102
    def recent_members(self, remote_id: str, kind: Kind, /) -> Members: ...  # noqa: D102
    def assign(  # noqa: D102
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]: ...
    def remove(  # noqa: D102
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]: ...
    def find_test(self, external_test_id: str, /) -> list[RemoteTest]: ...  # noqa: D102
    def has_searched_tests(self) -> bool: ...  # noqa: D102
    def find_person(self, auth_system: str, external_id: str, /) -> list[RemotePerson]: ...  # noqa: D102
    def has_found_people(self) -> bool: ...  # noqa: D102
    def find_person_by_login(self, username: str, /) -> list[RemotePerson]: ...  # noqa: D102
    def export_people(self, kind: Kind, /) -> Iterator[RemotePerson]: ...  # noqa: D102
    def find_person_by_email(self, email: str, /) -> list[RemotePerson]: ...  # noqa: D102
    def moment(self) -> Moment: ...  # noqa: D102
    def clock_trouble(self) -> str: ...  # noqa: D102


class RunTarget(Target, Protocol):
    """Inspera for a run: closed at its end, and asked why it stopped and about our clock."""

    @property
    def stopped(self) -> str | None: ...  # noqa: D102
    @property
    def out_of_reach(self) -> str | None: ...  # noqa: D102
    @property
    def known_clock_trouble(self) -> str: ...  # noqa: D102
    @property
    def clock_offset(self) -> timedelta | None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Reread(Target, Protocol):
    """Inspera as `reconcile` needs it: a test that no search finds is read by its id as well."""

    def read_test(self, remote_id: str, /) -> RemoteTest | None: ...  # noqa: D102
    def has_read_tests(self) -> bool: ...  # noqa: D102
