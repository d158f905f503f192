"""A small Inspera in memory behind the engine's protocol, and a state with its journal beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync.errors import CallError
from sync.mapping import fingerprint
from sync.planning.freeze import Moment
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Outcome, PlannedChange, Result, Verdict
from sync.records.remote import Assignment, Member, Members, RemotePerson, RemoteTest
from sync.state.journal import Journal
from sync.state.sqlite.open import open_copy
from sync.state.store import Store

from ..state.databases import empty_file

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
Who = tuple[str, str]


@dataclass
class Tenant:
    """What Inspera has, by hand; `calls` are those that it was sent, each as a word and what it was about.

    `failing` are the names of methods that can't be carried out just now; `unreadable` kinds are not shown on tests.
    `hidden` tests are shown by their id alone, and no search finds them; `sure_of_id` says whether such a reading has
    worked before.
    """

    people: list[RemotePerson] = field(default_factory=list)
    tests: list[RemoteTest] = field(default_factory=list)
    places: dict[Kind, dict[Who, Member]] = field(default_factory=dict)
    unreadable: frozenset[Kind] = frozenset()
    unnamed: int = 0
    failing: dict[str, CallError] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    outcome: Outcome = field(default_factory=lambda: Outcome(Result.DONE, remote_id="u9"))
    settled: Outcome = field(default_factory=lambda: Outcome(Result.NOT_SENT))
    sure: bool = True
    now: datetime = NOW
    clock: str = ""
    hidden: list[RemoteTest] = field(default_factory=list)
    sure_of_id: bool = True

    def _read(self, name: str) -> None:
        self.asked.append(name)
        if name in self.failing:
            raise self.failing[name]

    def save_learner(self, change: Change, secret: str | None, /) -> Outcome:
        self.calls.append((f"{change.action} learner", secret))
        return self.outcome

    def save_staff(self, change: Change, secret: str | None, /) -> Outcome:
        self.calls.append((f"{change.action} staff", secret))
        return self.outcome

    def create_test(self, change: Change, /) -> Outcome:
        self.calls.append(("create test", change.key[0]))
        return self.outcome

    def update_test(self, change: Change, /) -> Outcome:
        self.calls.append(("update test", change.key[0]))
        return self.outcome

    def settle_test(self, _external_test_id: str, _since: datetime, /) -> Outcome:
        self._read("settle_test")
        return self.settled

    def members(self, _remote_id: str, kind: Kind, /) -> Members:
        self._read("seats")
        if kind in self.unreadable:
            return Members(False, message="this tenant does not show them")
        return Members(True, self.places.get(kind, {}), self.unnamed)

    def assign(self, _test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]:
        self.calls += [(f"assign {kind}", entry) for entry in entries]
        return [self.outcome for _ in entries]

    def remove(self, _test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]:
        self.calls += [(f"remove {kind}", entry) for entry in entries]
        return [self.outcome for _ in entries]

    def read_test(self, remote_id: str, /) -> RemoteTest | None:
        self._read("read_test")
        return next(
            (test for test in (*self.tests, *self.hidden) if test.remote_id == remote_id), None
        )

    def has_read_tests(self) -> bool:
        return self.sure_of_id

    def find_test(self, external_test_id: str, /) -> list[RemoteTest]:
        self._read("find_test")
        return [test for test in self.tests if test.external_test_id == external_test_id]

    def find_person(self, auth_system: str, external_id: str, /) -> list[RemotePerson]:
        self._read("find_person")
        return [
            person for person in self.people if (auth_system, external_id) in person.external_ids
        ]

    def has_found_people(self) -> bool:
        return self.sure

    def has_searched_tests(self) -> bool:
        return self.sure

    def find_person_by_login(self, username: str, /) -> list[RemotePerson]:
        self._read("find_person_by_login")
        return [person for person in self.people if person.username == username]

    def find_person_by_email(self, email: str, /) -> list[RemotePerson]:
        self._read("find_person_by_email")
        return [person for person in self.people if person.email == email]

    def moment(self) -> Moment:
        return Moment.of(self.now)

    def clock_trouble(self) -> str:
        return self.clock

    def export_people(self, _kind: Kind, /) -> Iterator[RemotePerson]:
        self._read("export_people")
        yield from self.people


def somebody(n: int = 7, **fields: Any) -> RemotePerson:
    """An account in Inspera, linked to this person's external id."""
    ids = (("FEIDE", f"p{n}@example.edu"),)
    whole = {
        "username": f"login{n}",
        "external_ids": ids,
        "first_name": "Åse",
        "email": f"p{n}@example.edu",
    }
    return RemotePerson(f"u{n}", **{**whole, **fields})


@dataclass
class Book:
    """A state in memory with its journal; `clock` gives `now`, and `slept` are the seconds that were waited."""

    store: Store
    journal: Journal
    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def know(
        self,
        kind: Kind,
        *key: str,
        managed: bool = True,
        remote_id: str | None = "9",
        **fields: Any,
    ) -> None:
        self.journal.known.remember(kind, key, fields, remote_id=remote_id, managed=managed)

    def know_test(self, hours: float = 24, managed: bool = True, length: float = 4) -> None:
        """Test T, which begins so many hours from now."""
        start, end = (text_of(hours), text_of(hours + length))
        self.know(
            Kind.TEST,
            "T",
            managed=managed,
            remote_id="284",
            external_test_id="x1",
            title="Ø",
            start=start,
            end=end,
        )

    def know_person(self, kind: Kind, n: int = 7, **fields: Any) -> None:
        whole = {
            "username": f"login{n}",
            "auth_system": "FEIDE",
            "external_id": f"p{n}@example.edu",
        }
        self.know(
            kind,
            str(n),
            remote_id=f"u{n}",
            **{**whole, "first_name": "Åse", "last_name": "Ø", **fields},
        )

    def open_intents(self) -> list[Key]:
        return [intent.key for intent in self.store.earlier_runs.open_intents()]


def text_of(hours: float) -> str:
    """The time so many hours from now, as it is stored."""
    return datetime.fromtimestamp(NOW.timestamp() + hours * 3600, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


@contextmanager
def opened(at: datetime = NOW) -> Iterator[Book]:
    """An empty state; what is remembered in it was written long before now."""
    with open_copy(empty_file()) as connection:
        long_ago = at.replace(year=at.year - 1)
        journal = Journal(connection, lambda: long_ago, "apply")
        yield Book(Store(connection, places=[], fingerprint=fingerprint), journal, at)


def line(
    kind: Kind, key: Key, action: Action = Action.CREATE, secret: str | None = None, **after: Any
) -> PlannedChange:
    """A planned change to these values; of an update they are all new."""
    changed = tuple(name for name, value in after.items() if value is not None)
    change = Change(action, kind, key, {}, after, changed)
    return PlannedChange(1, change, Verdict.PASS, "", "", "0", 1, b"print", secret)


def told(ended: Sequence[tuple[PlannedChange, Outcome]]) -> dict[Key, tuple[Result, str]]:
    """What became of each, by key."""
    return {one.change.key: (outcome.result, outcome.message) for one, outcome in ended}
