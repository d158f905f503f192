"""The interface to Inspera: it takes a change, sends it, and returns its outcome."""

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
from sync.inspera.form_probe import FormProbe, ProbeReport
from sync.inspera.lookups import Lookups, TenantProbe
from sync.inspera.membership import MayGo, Membership
from sync.inspera.people import People
from sync.inspera.staff_removal import StaffRemoval
from sync.inspera.tests import Tests
from sync.planning.freeze import Moment
from sync.records.base import Kind
from sync.records.changes import Action, Change, Outcome
from sync.records.remote import Assignment, Members, RemotePerson, RemoteTest


class InsperaTarget:
    """One tenant, for up to `connection.workers` threads at once. It makes no call by itself.

    Methods that send a change return outcomes and raise only `Stop`; after that every further call
    raises it too. Look-ups may also raise `Retry` or `Unknown` (not readable now), `Refused` and
    `CallMissing`. Errors of `connection.api_key` are raised unchanged. Two threads must not send
    changes of the same test at once.

    Args:
        connection: the tenant's address, key and limits.
        stop: once it is set, nothing more is sent, waits end at once, and calls in flight finish.
        clock: returns aware times in UTC.
        monotonic: returns seconds from any origin.
        sleep: waits that many seconds, unless `stop` ends it.
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
        self._tests = Tests(self._caller, self._lookups)
        self._membership = Membership(self._caller, self._lookups)
        self._people = People(self._caller, self._lookups)
        self._staff_removal = StaffRemoval(self._caller, self._lookups)
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
        """Close all connections; no call may follow."""
        self._caller.close()

    def moment(self) -> Moment:
        """Return the present by our clock and, if a minute or more apart, by Inspera's."""
        return self._caller.clock_check.moment(self._caller.clock())

    def clock_trouble(self) -> str:
        """Return what is wrong with our clock; empty while it agrees with Inspera's.

        When no response has shown Inspera's time yet, a token is fetched first: nothing is removed
        before the clocks are compared.

        Raises:
            Retry, Stop: Inspera can't be asked.
        """
        self._caller.ask_time()
        return self._caller.clock_check.trouble

    @property
    def known_clock_trouble(self) -> str:
        """Return what the responses so far have shown to be wrong with our clock; makes no call."""
        return self._caller.clock_check.trouble

    @property
    def clock_offset(self) -> timedelta | None:
        """Return how far our clock is ahead of Inspera's; `None` when no response has shown it."""
        check = self._caller.clock_check
        return check.offset if check.seen else None

    @property
    def stopped(self) -> str | None:
        """Return why nothing more can be sent in this run; `None` while it can."""
        return self._caller.tenant.stopped

    @property
    def out_of_reach(self) -> str | None:
        """Return why the last attempt did not reach Inspera; `None` when it did.

        A short run may end before enough attempts have failed for `stopped` to be set.
        """
        return self._caller.tenant.out_of_reach

    def save_learner(self, change: Change, password: str | None) -> Outcome:
        """Create or update a learner: one call, keyed by username (vendor contract, Users API).

        A password goes only to a new account. Whether the account is new is looked up first; when
        that fails, nothing is sent. A password is never repeated in a message.
        """
        return self._people.save_learner(change, password)

    def save_staff(self, change: Change, secret: str | None) -> Outcome:
        """Create, update, enable, disable or delete a member of staff (vendor contract, Users API).

        Looking up who is new is the engine's task. `secret`, a password, is sent only with a
        create. A deletion is never repeated blindly; it is also `DONE` when the person was not
        there.
        """
        if change.action is Action.DELETE:
            return self._staff_removal.delete(change.before)
        return self._people.save_staff(change, secret)

    def create_test(self, change: Change) -> Outcome:
        """Create a test from its template, or use the one that Inspera has with this external id.

        `DONE` has Inspera's id. `FOUND` has Inspera's values as they are now (`None` for those that
        it did not show). `HELD`: its times differ, or several match. `UNKNOWN`: not even a search
        could settle it.
        """
        return self._tests.create(change)

    def settle_test(self, external_test_id: str, since: datetime) -> Outcome:
        """Find out what became of a create that was possibly sent until `since` (aware).

        `DONE` has Inspera's id and values. `NOT_SENT`: Inspera does not have the test although the
        visibility delay has passed; this method waits for the rest of it. `HELD`: several match.
        `UNKNOWN`: it can't be settled now.
        """
        return self._tests.settle(external_test_id, since)

    def update_test(self, change: Change) -> Outcome:
        """Send a test's title and times; `HELD` when Inspera's times are not the known ones."""
        return self._tests.update(change)

    def activate_test(self, change: Change, remote_id: str) -> Outcome:
        """Activate the test with Inspera's id (vendor contract, Test API: activating).

        `REFUSED` has the vendor's message. A lost answer is settled by a search for the status;
        `UNKNOWN`: not even that could settle it.
        """
        return self._tests.activate(change, remote_id)

    def members(self, remote_id: str, kind: Kind = Kind.CANDIDATE) -> Members:
        """Read the candidates, contributors or committees of the test with Inspera's id.

        The result is not `readable` when this tenant does not show them. Committees have an empty
        auth system and their name as the id.
        """
        return self._lookups.members(remote_id, kind)

    def recent_members(self, remote_id: str, kind: Kind) -> Members:
        """Return the members as a reading of the last 60 s shows them, or read them now.

        A reading counts only until something of that kind is sent to the test, or anything is
        removed from it. It is for additions: removals and reading back use `members`.
        """
        return self._lookups.recent_members(remote_id, kind)

    def assign(
        self,
        test_remote_id: str,
        entries: Sequence[Assignment],
        kind: Kind = Kind.CANDIDATE,
        may_go: MayGo | None = None,
    ) -> list[Outcome]:
        """Put entries of one kind on a test, or update them; return one outcome each, in order.

        An option has the fields `value`, `group` and `type` (see `sync.contract.OPTIONS`), and
        `secret`, which is 1 when its value must never be repeated. Inspera notifies a contributor
        whose `notify` is 1, so such an entry is never sent twice blindly. `Stop` is raised only
        while none of these outcomes is known; later the rest is not sent, and `stopped` says why.
        `may_go` is asked right before each call; once it says no, the rest is not sent, with
        `Cause.OUTDATED`.
        """
        return self._membership.assign(test_remote_id, entries, kind, may_go)

    def remove(
        self,
        test_remote_id: str,
        entries: Sequence[Assignment],
        kind: Kind = Kind.CANDIDATE,
        may_go: MayGo | None = None,
    ) -> list[Outcome]:
        """Take entries off a test, as `assign` puts them on it; return one outcome each, in order."""
        return self._membership.remove(test_remote_id, entries, kind, may_go)

    def find_test(self, external_test_id: str) -> list[RemoteTest]:
        """Return the tests with exactly this external id."""
        return list(self._lookups.search_tests(external_test_id).matches)

    def has_searched_tests(self) -> bool:
        """Tell whether a search for tests has succeeded in this run.

        Until then a 404 proves nothing: the tenant may lack the call.
        """
        return self._caller.tenant.has(TEST_SEARCH)

    def read_test(self, remote_id: str) -> RemoteTest | None:
        """Return the test with Inspera's id, mostly its title; `None` if it does not exist."""
        return self._lookups.read_test(remote_id)

    def has_read_tests(self) -> bool:
        """Tell whether a test was read by its id in this run; until then a 404 proves nothing."""
        return self._caller.tenant.has(TEST_READ)

    def find_person(self, auth_system: str, external_id: str) -> list[RemotePerson]:
        """Return the people with this external id."""
        return self._lookups.find_person(auth_system, external_id)

    def has_found_people(self) -> bool:
        """Tell whether a look-up of people has succeeded in this run.

        Until then a 404 means either that nobody matches or that this tenant lacks the call.
        """
        return any(self._caller.tenant.has(call) for call in (PERSON_BY_ID, PERSON_SEARCH))

    def find_person_by_login(self, username: str) -> list[RemotePerson]:
        """Return the people with this username, or else with it in another case.

        Raises:
            CallMissing: the tenant can't search for people.
        """
        return self._lookups.find_person_by_login(username)

    def find_person_by_email(self, email: str) -> list[RemotePerson]:
        """Return the people with this address, ignoring case; raises as `find_person_by_login`."""
        return self._lookups.find_person_by_email(email)

    def read_person(self, remote_id: str) -> RemotePerson | None:
        """Return the person with Inspera's id; `None` if it does not exist."""
        return self._lookups.read_person(remote_id)

    def export_people(self, kind: Kind) -> Iterator[RemotePerson]:
        """Yield all learners or all staff by the vendor's export.

        It may take 10 minutes, for staff 30. The errors of look-ups may also be raised while it is
        read; what was yielded before such an error is incomplete.
        """
        return self._export.people(kind)

    def probe(self) -> TenantProbe:
        """Fetch a token and read one page of tests, as a first test of the connection."""
        return self._lookups.probe()

    def probe_forms(self) -> ProbeReport:
        """Make a few calls that only read, and return the forms of their answers, without values.

        Raises:
            Stop, Retry: Inspera can't be reached, or does not accept the key.
        """
        return FormProbe(self._caller).run()
