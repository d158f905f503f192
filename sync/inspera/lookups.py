"""Reads: what Inspera has, and whom it knows. All of them may be repeated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
from sync.inspera.answers import date_of, missing
from sync.inspera.caller import Caller
from sync.inspera.calls import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import members as seat_readings
from sync.inspera.responses import records
from sync.records.base import Kind
from sync.records.remote import Members, RemotePerson, RemoteTest

_PAGES = 50
_SEATS: Final[Mapping[Kind, tuple[Call, Callable[[object], Members]]]] = {
    Kind.CANDIDATE: (CANDIDATE_LIST, seat_readings.candidates),
    Kind.CONTRIBUTOR: (TEST_READ, seat_readings.contributors),
    Kind.COMMITTEE: (TEST_READ, seat_readings.committees),
}
"""Where each kind is read on a test. Options can't be read back."""

Row = TypeVar("Row")
ReadRow = Callable[[Mapping[str, object]], Row]


@dataclass(frozen=True, slots=True)
class Search:
    """The tests with an external id.

    `sure` is false when the tenant answered 404 and has never answered a search otherwise: then finding none proves
    nothing, for it may just not have the call.
    """

    matches: tuple[RemoteTest, ...]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class LookupContext:
    """What a first look at a tenant shows: how it answered, when by its own clock (aware), and how much it found.

    `None` is what it did not say.
    """

    status: str
    date: datetime | None
    hits: int | None


class Lookups:
    """Reads from one tenant. Thread-safe.

    Every method may raise `Retry` or `Unknown` (it could not be read), `Refused`, `CallMissing` and `Stop`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def search(self, external_test_id: str) -> Search:
        """The tests with exactly this external id (vendor contract, Test API: search)."""
        try:
            rows = list(
                self._results(
                    self._caller.named(TEST_SEARCH),
                    bodies.test_search(external_test_id),
                    records.found_test,
                )
            )
        except NotThere:
            return Search((), sure=self._caller.tenant.has(TEST_SEARCH))
        same = (row for row in rows if row is not None and row.external_test_id == external_test_id)
        return Search(tuple({row.remote_id: row for row in same}.values()))

    def read_test(self, remote_id: str) -> RemoteTest | None:
        """The test with Inspera's id, `None` when there is none (vendor contract, Test API: read)."""
        try:
            return self._caller.call(
                Request(self._caller.named(TEST_READ), {"test": remote_id}),
                lambda answer: records.read_test(remote_id, answer),
            )
        except NotThere:
            return None

    def seats(self, remote_id: str, kind: Kind = Kind.CANDIDATE) -> Members:
        """The candidates, contributors or committees of a test (vendor contract, Test API: read; inferred in part).

        A refusal is not an error here: a key without the right to read can still assign.
        """
        if kind not in _SEATS:
            return Members(
                readable=False,
                message=f"the {kind}s of a test cannot be read: Inspera has no call for that",
            )
        call, read = _SEATS[kind]
        try:
            return self._caller.call(Request(self._caller.named(call), {"test": remote_id}), read)
        except (Refused, CallMissing) as error:
            lacking = "" if type(error) is Refused else ", this tenant does not seem to have it"
            return Members(
                readable=False, message=f"the {kind}s of a test cannot be read{lacking} ({error})"
            )

    def look_around(self) -> LookupContext:
        """Fetches a token when there is none, and reads one page of tests (vendor contract, Test API: search)."""
        request = Request(self._caller.named(TEST_SEARCH), query=bodies.some_tests())
        page, answer = self._caller.answered(request, records.page)
        return LookupContext(
            f"{request.call.name} answered {answer.status}", date_of(answer), page.hits
        )

    def read_person(self, remote_id: str) -> RemotePerson | None:
        """The person with Inspera's id, `None` when Inspera answers 404 (vendor contract, Users API)."""
        try:
            return self._caller.call(
                Request(self._caller.named(PERSON_READ), {"user": remote_id}), records.read_person
            )
        except NotThere:
            return None

    def person(self, auth_system: str, external_id: str) -> list[RemotePerson]:
        """The people with this external id; none when Inspera answers 404 (vendor contract, Users API)."""
        places = {"auth_system": auth_system, "external_id": external_id}
        request = Request(self._caller.named(PERSON_BY_ID), places, hide=(external_id,))
        try:
            return self._caller.call(
                request,
                lambda answer: [records.found_person(row) for row in records.page(answer).rows],
            )
        except NotThere:
            return []

    def person_by_login(self, username: str) -> list[RemotePerson]:
        """The people with exactly this username (vendor contract, Users API: search users; inferred).

        Raises:
            CallMissing: the tenant does not seem to have the search; a 404 says so too.
        """
        return [person for person in self._search_people(username) if person.username == username]

    def person_by_email(self, email: str) -> list[RemotePerson]:
        """The people with exactly this address, whatever the case of its letters; raises as `person_by_login`."""
        same = email.casefold()
        return [
            person
            for person in self._search_people(email)
            if (person.email or "").casefold() == same
        ]

    def _search_people(self, words: str) -> list[RemotePerson]:
        call = self._caller.named(PERSON_SEARCH)
        try:
            return list(self._results(call, bodies.person_search(words), records.found_person))
        except NotThere as error:
            lacking = missing(call, error.status)
            self._caller.tenant.lacks(call, lacking)
            raise lacking from None

    def _results(self, call: Call, query: Mapping[str, str], read: ReadRow[Row]) -> Iterator[Row]:
        """Everything that a search finds, page by page; whether pages count from 0 or 1 is not known.

        Raises:
            Unknown: there is more than can be read, so that nothing can be told from what was.
        """

        def read_page(answer: object) -> tuple[records.Page, list[Row]]:
            page = records.page(answer)
            return page, [read(row) for row in page.rows]

        seen, before, repeats, number = 0, None, 0, 0
        for asked in range(_PAGES):
            asking = bodies.page(query, number) if asked else query
            page, rows = self._caller.call(Request(call, query=asking), read_page)
            if rows == before:
                repeats += 1  # once is how pages that count from 1 begin; twice means that they cannot be turned
            else:
                yield from rows
                seen += len(rows)
            if not rows or page.hits is None or seen >= page.hits:
                return
            if repeats > 1:
                break
            before, number = rows, (number if page.number is None else max(number, page.number)) + 1
        raise Unknown(
            f"{call.name} finds more than can be read, so nothing can be told from it; ask Inspera for help"
        )
