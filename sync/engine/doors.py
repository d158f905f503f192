"""What the engine needs of the rooms around it, as protocols: it imports neither the state nor Inspera's client."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync.decide import Drafted, Pair
from sync.extract import Extract, Since
from sync.found import Assignment, FoundPerson, FoundTest, Seats
from sync.guard import HeldScope, Limits
from sync.mapping import CompiledFeed
from sync.model import Fault, Key, Kind, Record
from sync.plan import Action, Change, Fields, OpenIntent, Outcome, Planned, Verdict, Written

Clock = Callable[[], datetime]
"""Gives the time now, aware."""

Origin = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, ready to be read: its source's rows and what they become."""

    kind: Kind
    place: str
    open: Callable[[Since | None], AbstractContextManager[Extract]]
    mapper: CompiledFeed
    may_be_empty: bool = False
    names_committees: bool = False
    unit: str = "line"


class Progress(Protocol):
    """Told how far long work is; shows it, or not."""

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """`done` of `total` (None when nobody knows) in this phase."""


class Store(Protocol):
    """What is known, what is wanted, and the plan."""

    def name_place(self, feed: int, place: str) -> None: ...  # noqa: D102
    def stage(self, kind: Kind, feed: int, records: Iterable[tuple[Record, Origin | None, int]]) -> int: ...  # noqa: D102
    def discard(self, kind: Kind, feed: int) -> None: ...  # noqa: D102
    def add_faults(self, faults: Iterable[Fault]) -> int: ...  # noqa: D102
    def faults(self) -> Iterator[Fault]: ...  # noqa: D102
    def keyless(self, kind: Kind) -> str: ...  # noqa: D102
    def close_staging(self) -> None: ...  # noqa: D102
    def gather_circumstances(self, now: datetime, trouble: Mapping[Kind, str]) -> None: ...  # noqa: D102
    def arrived_or_changed(self, kind: Kind) -> Iterator[Pair]: ...  # noqa: D102
    def absent(self, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]: ...  # noqa: D102
    def draft(self, drafted: Iterable[Drafted]) -> int: ...  # noqa: D102
    def refresh(self, settled: Iterable[tuple[Kind, Key, bytes | None]]) -> None: ...  # noqa: D102
    def index_draft(self) -> None: ...  # noqa: D102
    def hold_scopes(self, limits: Limits, allowed: Collection[str]) -> list[HeldScope]: ...  # noqa: D102
    def put_in_order(self) -> None: ...  # noqa: D102
    def ignored(self) -> int: ...  # noqa: D102
    def planned(self, verdict: Verdict | None = None) -> Iterator[Planned]: ...  # noqa: D102
    def sample(self, kind: Kind, most: int) -> list[Planned]: ...  # noqa: D102
    def tally(self) -> dict[tuple[Kind, Action, Verdict], int]: ...  # noqa: D102
    def is_blank(self) -> bool: ...  # noqa: D102
    def open_intents(self) -> Iterator[OpenIntent]: ...  # noqa: D102
    def known(self, kind: Kind, key: Key) -> Fields | None: ...  # noqa: D102
    def people(self, kind: Kind, test: str, keys: Sequence[str]) -> Mapping[str, Fields]: ...  # noqa: D102
    def committees_in_use(self, test: str) -> Sequence[str]: ...  # noqa: D102
    def tests_of(self, staff: str) -> Sequence[str]: ...  # noqa: D102
    def on_test(self, kind: Kind, test: str) -> Mapping[str, Fields]: ...  # noqa: D102
    def wanted(self, kind: Kind, key: Key) -> Fields | None: ...  # noqa: D102
    def lookalike(self, kind: Kind, key: Key) -> Key | None: ...  # noqa: D102
    def window(self, test: str) -> tuple[str, bool, bool]: ...  # noqa: D102
    def window_by(self, test: str, now: datetime) -> tuple[str, bool, bool]: ...  # noqa: D102
    def everything(self, kind: Kind) -> Iterator[tuple[Key, Fields]]: ...  # noqa: D102
    def written(self, run_id: int, kind: Kind, most: int | None) -> Iterator[Written]: ...  # noqa: D102
    def stage_export(self, kind: Kind, people: Iterable[FoundPerson]) -> int: ...  # noqa: D102
    def exported(self, kind: Kind) -> Iterator[tuple[Key, Fields, FoundPerson | None]]: ...  # noqa: D102
    def exported_strangers(self, kind: Kind) -> Iterator[str]: ...  # noqa: D102


class Journal(Protocol):
    """Where intents go before calls and outcomes after them."""

    def intend(self, lines: Sequence[Planned]) -> list[int]: ...  # noqa: D102
    def record(self, results: Iterable[tuple[int | None, Planned, Outcome]]) -> None: ...  # noqa: D102
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
    def promote_silent(self) -> None: ...  # noqa: D102
    def accept(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def alias(self, kind: Kind, key: Key, wanted: str, username: str) -> None: ...  # noqa: D102
    def rename(self, kind: Kind, old: Key, new: Key) -> None: ...  # noqa: D102
    def forget_with_candidates(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def close_earlier(self, kind: Kind, key: Key) -> None: ...  # noqa: D102
    def lapse(self, unsure: Collection[Kind] = ()) -> None: ...  # noqa: D102
    def commit(self) -> None: ...  # noqa: D102


class Target(Protocol):
    """Inspera. Thread-safe; raises `Stop` when nothing more can be sent, and gives other failures as outcomes."""

    def learner(self, change: Change, secret: str | None, /) -> Outcome: ...  # noqa: D102
    def staff(self, change: Change, secret: str | None, /) -> Outcome: ...  # noqa: D102
    def create_test(self, change: Change, /) -> Outcome: ...  # noqa: D102
    def update_test(self, change: Change, /) -> Outcome: ...  # noqa: D102
    def settle_test(self, external_test_id: str, since: datetime, /) -> Outcome: ...  # noqa: D102
    def seats(self, remote_id: str, kind: Kind, /) -> Seats: ...  # noqa: D102
    def assign(self, test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]: ...  # noqa: D102
    def remove(self, test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]: ...  # noqa: D102
    def find_test(self, external_test_id: str, /) -> list[FoundTest]: ...  # noqa: D102
    def sure_of_tests(self) -> bool: ...  # noqa: D102
    def find_person(self, auth_system: str, external_id: str, /) -> list[FoundPerson]: ...  # noqa: D102
    def sure_of_people(self) -> bool: ...  # noqa: D102
    def find_person_by_login(self, username: str, /) -> list[FoundPerson]: ...  # noqa: D102
    def export_people(self, kind: Kind, /) -> Iterator[FoundPerson]: ...  # noqa: D102
    def find_person_by_email(self, email: str, /) -> list[FoundPerson]: ...  # noqa: D102


class Reread(Target, Protocol):
    """Inspera as `reconcile` needs it: a test that no search finds is read by its id as well."""

    def read_test(self, remote_id: str, /) -> FoundTest | None: ...  # noqa: D102
    def sure_of_readings(self) -> bool: ...  # noqa: D102
