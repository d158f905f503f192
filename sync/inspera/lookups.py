"""Look-ups of tests, people and members of tests. All of these calls may be repeated."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from sync.contract import (
    CANDIDATE_LIST,
    PERSON_BY_ID,
    PERSON_READ,
    PERSON_SEARCH,
    TEST_READ,
    TEST_SEARCH,
    Call,
)
from sync.errors import CallMissing, NotThere, Refused, Unknown
from sync.inspera.call_errors import call_missing, date_of
from sync.inspera.caller import Caller
from sync.inspera.recent_readings import RecentReadings, TestMatches
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import members as member_readers
from sync.inspera.responses import records
from sync.records.base import Kind
from sync.records.remote import Members, RemotePerson, RemoteTest

_MAX_PAGES = 50
_MEMBER_READS: Final[Mapping[Kind, tuple[Call, Callable[[object], Members]]]] = {
    Kind.CANDIDATE: (CANDIDATE_LIST, member_readers.candidates),
    Kind.CONTRIBUTOR: (TEST_READ, member_readers.contributors),
    Kind.COMMITTEE: (TEST_READ, member_readers.committees),
}
"""The call that shows each kind on a test. Options can't be read back."""

Row = TypeVar("Row")
ReadRow = Callable[[Mapping[str, object]], Row]


@dataclass(frozen=True, slots=True)
class TenantProbe:
    """The result of a first call to a tenant.

    Attributes:
        status: the call and the status of its response, in words.
        date: Inspera's time, aware; `None` when the response has no date.
        hits: how many tests there are; `None` when the response does not contain it.
    """

    status: str
    date: datetime | None
    hits: int | None


class Lookups:
    """Reads from one tenant. Thread-safe.

    Every method may raise `Retry` or `Unknown` (not readable now), `Refused`, `CallMissing` and
    `Stop`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.readings = RecentReadings(caller.elapsed)

    def search_tests(self, external_test_id: str) -> TestMatches:
        """Return the tests with exactly this external id (vendor contract, Test API: search)."""
        began = self._caller.elapsed()
        found = self._search_tests(external_test_id)
        self.readings.keep_search(external_test_id, found, began)
        return found

    def recent_search(self, external_test_id: str) -> TestMatches:
        """Return what a search of the last minute has found, or search now.

        The search before the intent of a create serves the create itself, once.
        """
        return self.readings.take_search(external_test_id) or self._search_tests(external_test_id)

    def _search_tests(self, external_test_id: str) -> TestMatches:
        call = self._caller.named(TEST_SEARCH)
        query = bodies.test_search(external_test_id) | self._caller.connection.external_query
        try:
            rows = list(self._search(call, query, records.test_from_search))
        except NotThere:
            return TestMatches((), conclusive=self._caller.tenant.has(TEST_SEARCH))
        statuses = self._caller.connection.statuses
        same = (
            replace(row, statuses=statuses)
            for row in rows
            if row is not None and row.external_test_id == external_test_id
        )
        return TestMatches(tuple({row.remote_id: row for row in same}.values()))

    def read_test(self, remote_id: str) -> RemoteTest | None:
        """Return the test with Inspera's id, or `None` (vendor contract, Test API: read)."""
        try:
            return self._caller.call(
                Request(self._caller.named(TEST_READ), {"test": remote_id}),
                lambda body: records.read_test(remote_id, body),
            )
        except NotThere:
            return None

    def members(self, remote_id: str, kind: Kind = Kind.CANDIDATE) -> Members:
        """Read the candidates, contributors or committees of a test (vendor contract, Test API).

        How contributors and committees are shown is partly inferred. A refusal is not an error
        here: a key without the right to read may still assign.
        """
        if kind not in _MEMBER_READS:
            message = f"the {kind}s of a test cannot be read: Inspera has no call for that"
            return Members(readable=False, message=message)
        call, _ = _MEMBER_READS[kind]
        request, began = (
            Request(self._caller.named(call), {"test": remote_id}),
            self._caller.elapsed(),
        )
        try:
            read = self._caller.call(request, lambda body: _read_kinds(body, kind))
        except (Refused, CallMissing) as error:
            lacking = "" if type(error) is Refused else ", this tenant does not seem to have it"
            message = f"the {kind}s of a test cannot be read{lacking} ({error})"
            return Members(readable=False, message=message)
        self.readings.keep_members(remote_id, read, began)
        return read[kind]

    def recent_members(self, remote_id: str, kind: Kind) -> Members:
        """Return what a reading of the last minute shows, or read now.

        One reading shows contributors and committees. A reading counts only until something of that
        kind is sent to the test, or anything is removed from it.
        """
        return self.readings.find_members(remote_id, kind) or self.members(remote_id, kind)

    def probe(self) -> TenantProbe:
        """Fetch a token if needed, and read one page of tests."""
        request = Request(self._caller.named(TEST_SEARCH), query=bodies.some_tests())
        page, response = self._caller.call_with_response(request, records.page)
        status = f"{request.call.name} answered {response.status}"
        return TenantProbe(status, date_of(response), page.hits)

    def read_person(self, remote_id: str) -> RemotePerson | None:
        """Return the person with Inspera's id, or `None` (vendor contract, Users API)."""
        request = Request(self._caller.named(PERSON_READ), {"user": remote_id})
        try:
            return self._caller.call(request, records.read_person)
        except NotThere:
            return None

    def find_person(self, auth_system: str, external_id: str) -> list[RemotePerson]:
        """Return the people with this external id (vendor contract, Users API)."""
        places = {"auth_system": auth_system, "external_id": external_id}
        request = Request(self._caller.named(PERSON_BY_ID), places, hide=(external_id,))
        try:
            return self._caller.call(
                request,
                lambda body: [records.person_from_read(row) for row in records.page(body).rows],
            )
        except NotThere:
            return []

    def find_person_by_login(self, username: str) -> list[RemotePerson]:
        """Return the people with this username (vendor contract, Users API; inferred).

        Where nobody has exactly this one, those who have it in another case (rules 31).

        Raises:
            CallMissing: the tenant does not seem to have the search; a 404 counts as that too.
        """
        found = list(self._search_people(username))
        exact = [person for person in found if person.username == username]
        same = username.casefold()
        return exact or [one for one in found if (one.username or "").casefold() == same]

    def find_person_by_email(self, email: str) -> list[RemotePerson]:
        """Return the people with this address, ignoring case; raises as `find_person_by_login`."""
        same = email.casefold()
        return [
            person
            for person in self._search_people(email)
            if (person.email or "").casefold() == same
        ]

    def _search_people(self, words: str) -> list[RemotePerson]:
        call = self._caller.named(PERSON_SEARCH)
        try:
            return list(self._search(call, bodies.person_search(words), records.person_from_read))
        except NotThere as error:
            lacking = call_missing(call, error.status)
            self._caller.tenant.lacks(call, lacking)
            raise lacking from None

    def _search(self, call: Call, query: Mapping[str, str], read: ReadRow[Row]) -> Iterator[Row]:
        """Yield all results of a search, page by page.

        It is not known whether pages count from 0 or from 1. So the first request names no page,
        and a page that repeats the one before it is skipped once.

        Raises:
            Unknown: there are more results than can be read, so the result proves nothing.
        """

        def read_page(body: object) -> tuple[records.Page, list[Row]]:
            page = records.page(body)
            return page, [read(row) for row in page.rows]

        seen, previous, repeats, number = 0, None, 0, 0
        for sent in range(_MAX_PAGES):
            paged_query = bodies.page(query, number) if sent else query
            page, rows = self._caller.call(Request(call, query=paged_query), read_page)
            if rows == previous:
                # Once is how pages that count from 1 begin. Twice: the page number has no effect.
                repeats += 1
            else:
                yield from rows
                seen += len(rows)
            if not rows or page.hits is None or seen >= page.hits:
                return
            if repeats > 1:
                break
            previous = rows
            number = (number if page.number is None else max(number, page.number)) + 1
        raise Unknown(
            f"{call.name} has more results than can be read, so its result proves nothing; ask "
            "Inspera for help"
        )


def _read_kinds(body: object, wanted: Kind) -> Mapping[Kind, Members]:
    """Return the wanted kind on a test, and the other kinds that the same call shows.

    Raises:
        ValueError: the wanted kind can't be read.
    """
    call, read = _MEMBER_READS[wanted]
    found = {wanted: read(body)}
    for kind, (other, read_other) in _MEMBER_READS.items():
        if kind is not wanted and other is call:
            with suppress(ValueError):  # it is not what was asked for
                found[kind] = read_other(body)
    return found
