"""The door to Inspera: a change goes in, and what became of it comes out."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sync.contract import PERSON_BY_ID, PERSON_SEARCH, TEST_READ, TEST_SEARCH
from sync.inspera.caller import Caller
from sync.inspera.connection import Connection
from sync.inspera.export import Export
from sync.inspera.lookups import LookupContext, Lookups
from sync.inspera.membership import Membership
from sync.inspera.people import People
from sync.inspera.staff_removal import StaffRemoval
from sync.inspera.tests import Tests
from sync.planning.freeze import Moment
from sync.records.base import Kind
from sync.records.changes import Action, Change, Outcome
from sync.records.remote import Assignment, Members, RemotePerson, RemoteTest


class Target:
    """One tenant, to be used by up to `connection.workers` threads at once. Makes no call until it is asked for one.

    Every method that sends gives outcomes and raises nothing but `Stop`, after which every further call raises it
    too. Look-ups may also raise `Retry` or `Unknown` (not readable now), `Refused` and `CallMissing`. A failing
    `connection.api_key` comes through as it is. Changes of one test must not be sent by two threads at once.

    Once `stop` is set nothing more is sent, waits end at once, and calls in flight finish. `clock` gives aware times
    in UTC; `monotonic` gives seconds from any origin, and `sleep` waits that many seconds unless `stop` ends it.
    """

    def __init__(
        self,
        connection: Connection,
        stop: threading.Event,
        clock: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._caller = Caller(connection, stop, clock, monotonic, sleep)
        self._lookups = Lookups(self._caller)
        self._exams = Tests(self._caller, self._lookups)
        self._seating = Membership(self._caller, self._lookups)
        self._people = People(self._caller, self._lookups)
        self._leavers = StaffRemoval(self._caller, self._lookups)
        self._export = Export(self._caller)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections; no call may follow."""
        self._caller.close()

    def moment(self) -> Moment:
        """Return the present by our clock and by Inspera's, where they differ by more than a minute."""
        return self._caller.clock_check.moment(self._caller.clock())

    def clock_trouble(self) -> str:
        """Return what is wrong with our clock, empty while it agrees with Inspera's.

        A token is fetched first when no answer has shown Inspera's time yet, so that nothing is removed before that.

        Raises:
            Retry, Stop: Inspera can't be asked.
        """
        self._caller.ask_time()
        return self._caller.clock_check.trouble

    @property
    def clock_seen(self) -> str:
        """Return what the answers so far have shown to be wrong with our clock; makes no call."""
        return self._caller.clock_check.trouble

    @property
    def clock_offset(self) -> timedelta | None:
        """Return how far our clock is ahead of Inspera's; `None` when no answer has shown that."""
        check = self._caller.clock_check
        return check.offset if check.seen else None

    @property
    def stopped(self) -> str | None:
        """Why nothing more can be sent in this run, `None` while it can. Worth asking at the end of a run."""
        return self._caller.tenant.stopped

    @property
    def out_of_reach(self) -> str | None:
        """Why the last attempt did not reach Inspera; `None` when it did. A short run ends before that is a stop."""
        return self._caller.tenant.out_of_reach

    def learner(self, change: Change, password: str | None) -> Outcome:
        """Creates or updates a learner; the two are one call, keyed by username (vendor contract, Users API).

        `password` is sent when it is given, and never repeated to anybody. An account that is there already keeps its
        own: one that can't be looked up just now is not sent.
        """
        return self._people.learner(change, password)

    def staff(self, change: Change, secret: str | None) -> Outcome:
        """Creates, updates, enables, disables or deletes a member of staff (vendor contract, Users API; inferred).

        A new one is looked up first, by external id, then by login: `FOUND` with Inspera's id when it was there,
        `HELD` when several match, or one with another username. `secret`, a password, is sent only to a new account. A
        deletion is never repeated blindly; `DONE` also says that nobody was there.
        """
        if change.action is Action.DELETE:
            return self._leavers.delete(change.before)
        return self._people.staff(change, secret)

    def create_test(self, change: Change) -> Outcome:
        """Creates a test from its template, or takes in the one that Inspera has with this external id.

        `DONE` with Inspera's id; `FOUND` with Inspera's values as they now are (`None` for what it did not show);
        `HELD` when its times differ or several match; `UNKNOWN` when not even a search could settle it.
        """
        return self._exams.create(change)

    def settle_test(self, external_test_id: str, since: datetime) -> Outcome:
        """What became of a create, possibly sent until `since` (aware), whose outcome was not recorded.

        `DONE` with Inspera's id and values, `NOT_SENT` when Inspera does not have it though the visibility delay has
        passed (the rest of which is waited for), `HELD` when several match, `UNKNOWN` when it cannot be told.
        """
        return self._exams.settle(external_test_id, since)

    def update_test(self, change: Change) -> Outcome:
        """Sends a test's title and times, unless Inspera's times are not those that are known: that is held."""
        return self._exams.update(change)

    def seats(self, remote_id: str, kind: Kind = Kind.CANDIDATE) -> Members:
        """The candidates, contributors or committees of the test with Inspera's id; not `readable` when this tenant
        does not show them. Committees are under an empty auth system and their name."""
        return self._lookups.seats(remote_id, kind)

    def assign(
        self, test_remote_id: str, entries: Sequence[Assignment], kind: Kind = Kind.CANDIDATE
    ) -> list[Outcome]:
        """Puts entries of one kind on a test, or updates them: one outcome for each, in their order.

        An option's fields are its `value`, its `group` and `type` as `sync.contract.OPTIONS` has them, and `secret`,
        1 when its value is never to be repeated. A contributor whose `notify` is 1 is told by Inspera, and never
        blindly told again. Raises `Stop` only while none of these outcomes is known; later the rest is not sent, and
        `stopped` says why.
        """
        return self._seating.assign(test_remote_id, entries, kind)

    def remove(
        self, test_remote_id: str, entries: Sequence[Assignment], kind: Kind = Kind.CANDIDATE
    ) -> list[Outcome]:
        """Takes entries off a test: one outcome for each, in their order. `Stop` as for `assign`."""
        return self._seating.remove(test_remote_id, entries, kind)

    def find_test(self, external_test_id: str) -> list[RemoteTest]:
        """The tests with exactly this external id."""
        return list(self._lookups.search(external_test_id).matches)

    def sure_of_tests(self) -> bool:
        """Whether a search for tests has been answered with a success in this run; until then a 404 proves nothing."""
        return self._caller.tenant.has(TEST_SEARCH)

    def read_test(self, remote_id: str) -> RemoteTest | None:
        """The test with Inspera's id, which shows little but its title; `None` when there is none."""
        return self._lookups.read_test(remote_id)

    def sure_of_readings(self) -> bool:
        """Whether a test has been read by its id in this run; until then a 404 on that proves nothing."""
        return self._caller.tenant.has(TEST_READ)

    def find_person(self, auth_system: str, external_id: str) -> list[RemotePerson]:
        """The people with this external id."""
        return self._lookups.person(auth_system, external_id)

    def sure_of_people(self) -> bool:
        """Whether a look-up of people has ever been answered with a success in this run.

        Until then a 404 may say that nobody matches, or that this tenant does not have the call.
        """
        return any(self._caller.tenant.has(call) for call in (PERSON_BY_ID, PERSON_SEARCH))

    def find_person_by_login(self, username: str) -> list[RemotePerson]:
        """The people with exactly this username. Raises `CallMissing` when the tenant cannot search for people."""
        return self._lookups.person_by_login(username)

    def find_person_by_email(self, email: str) -> list[RemotePerson]:
        """The people with exactly this address, in whatever case. Raises as `find_person_by_login`."""
        return self._lookups.person_by_email(email)

    def read_person(self, remote_id: str) -> RemotePerson | None:
        """The person with Inspera's id; `None` when there is none."""
        return self._lookups.read_person(remote_id)

    def export_people(self, kind: Kind) -> Iterator[RemotePerson]:
        """All learners, or all staff, by the vendor's export, which may take minutes (10, or 30 for staff).

        The errors of look-ups may be raised while it is read; what came before them is not all.
        """
        return self._export.people(kind)

    def look_around(self) -> LookupContext:
        """Fetches a token and reads one page of tests: what a first look at the tenant shows."""
        return self._lookups.look_around()
