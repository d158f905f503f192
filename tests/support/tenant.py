"""The tenants of tests: a sandbox with what it holds, and fakes in memory of the engine's `Target`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from sync.engine.protocols import MayGo
from sync.errors import CallError
from sync.planning.freeze import Moment
from sync.records.base import Kind
from sync.records.changes import Cause, Change, Outcome, Result
from sync.records.remote import Assignment, Member, Members, RemotePerson, RemoteTest
from sync.sandbox import Sandbox

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
"""The time of a `FakeTenant`."""

Who = tuple[str, str]
"""A person by auth system and external id."""

TEST = "INF1000-H26"
"""The test that most stories are about: 1 December 2026, 08:00 to 12:00 UTC, 240 minutes."""
OTHER = "MAT1100-H26"


class SandboxTenant:
    """A sandbox with views of what it holds; `calls`, `sent` and `writes` are of the last command."""

    sandbox: Sandbox
    _seen = 0

    def start_observing(self) -> None:
        """Let `calls`, `sent` and `writes` return later calls only."""
        self._seen = max(
            (call["seq"] for call in self.sandbox.requests(self._seen)), default=self._seen
        )

    def learners(self) -> dict[str, dict[str, Any]]:
        """Return the learners by username."""
        return {one["username"]: one for one in self.sandbox.contents()["students"]}

    def staff(self) -> dict[str, dict[str, Any]]:
        """Return the staff by username."""
        return {one["username"]: one for one in self.sandbox.contents()["staff"]}

    def tests(self) -> dict[str, dict[str, Any]]:
        """Return the tests by external id."""
        return {one["externalTestId"]: one for one in self.sandbox.contents()["tests"]}

    def candidates(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """Return the candidates of a test by username."""
        return {one["username"]: one for one in self.tests()[test]["candidates"]}

    def contributors(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """Return the contributors of a test by username."""
        return {one["username"]: one for one in self.tests()[test]["contributors"]}

    def committees(self, test: str = TEST) -> dict[str, str]:
        """Return the types of the committees of a test by name."""
        return {one["name"]: one["type"] for one in self.tests()[test]["committees"]}

    def options(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """Return the options that are set on a test, by group and name; of a secret only a digest."""
        return {group: set_ for group, set_ in self.tests()[test]["options"].items() if set_}

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls of the last command."""
        return self.sandbox.requests(self._seen)

    def sent(self, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """Return the writing calls of the last command, by end of the path and by method."""
        calls = [
            call
            for call in self.calls()
            if call["method"] != "GET" and "authenticate" not in call["path"]
        ]
        return [
            call for call in calls if call["path"].endswith(path) and method in ("", call["method"])
        ]

    def writes(self) -> list[str]:
        """Return the writing calls of the last command, such as `POST /v1/users/student`."""
        return [f"{call['method']} {call['path'].removeprefix('/api')}" for call in self.sent()]

    def written(self) -> list[str]:
        """Return the writing calls with what each is about, such as `POST student s1001`."""
        runs = {str(test["assessmentRunId"]): key for key, test in self.tests().items()}
        found = []
        for call in self.sent():
            parts = call["path"].split("/")
            body = call["body"] or {}
            about = body.get("username") or body.get("externalTestId") or runs[parts[4]]
            found.append(f"{call['method']} {parts[-1]} {about}")
        return found

    def fail(self, **rule: Any) -> None:
        """Make calls fail by this rule from now on."""
        self.sandbox.control(fail=[rule])

    def stop_failing(self) -> None:
        """Let all calls succeed again."""
        self.sandbox.control(fail=[])


OUTDATED = Outcome(Result.NOT_SENT, "read too long ago", cause=Cause.OUTDATED)


@dataclass
class FakeTenant:
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

    def activate_test(self, change: Change, _remote_id: str, /) -> Outcome:
        self.calls.append(("activate test", change.key[0]))
        return self.outcome

    def settle_test(self, _external_test_id: str, _since: datetime, /) -> Outcome:
        self._read("settle_test")
        return self.settled

    def members(self, _remote_id: str, kind: Kind, /) -> Members:
        self._read("seats")
        if kind in self.unreadable:
            return Members(False, message="this tenant does not show them")
        return Members(True, self.places.get(kind, {}), self.unnamed)

    def recent_members(self, remote_id: str, kind: Kind, /) -> Members:
        return self.members(remote_id, kind)

    def assign(
        self, _test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]:
        if not may_go():
            return [OUTDATED] * len(entries)
        self.calls += [(f"assign {kind}", entry) for entry in entries]
        return [self.outcome for _ in entries]

    def remove(
        self, _test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]:
        if not may_go():
            return [OUTDATED] * len(entries)
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


class StoringTenant(FakeTenant):
    """A tenant that keeps what it is sent."""

    def create_test(self, change: Change, /) -> Outcome:
        fields = {
            name: cast("str", change.after[name])
            for name in ("external_test_id", "title", "start", "end")
        }
        self.tests.append(RemoteTest("284", **fields, status="scheduled"))  # type: ignore[arg-type]  # all texts
        return replace(super().create_test(change), remote_id="284")

    def assign(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]:
        for entry in entries if kind is not Kind.OPTION and may_go() else ():
            shown = {
                name: value
                for name, value in entry.fields.items()
                if name in Member.__dataclass_fields__
            }
            self.places.setdefault(kind, {})[entry.auth_system, entry.external_id] = Member(
                "u", **cast("Any", shown)
            )
        return super().assign(test, entries, kind, may_go)

    def remove(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]:
        for entry in entries if may_go() else ():
            self.places[kind].pop((entry.auth_system, entry.external_id))
        return super().remove(test, entries, kind, may_go)

    def members(self, remote_id: str, kind: Kind, /) -> Members:
        seats = super().members(remote_id, kind)
        return replace(seats, there=dict(seats.there))


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
