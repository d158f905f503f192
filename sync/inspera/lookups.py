"""Reads: what Inspera has, and whom it knows. All of them may be repeated."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sync.errors import CallMissing, NotThere, Refused, Unknown
from sync.found import FoundPerson, FoundTest, Seats
from sync.inspera.answers import missing
from sync.inspera.caller import Caller
from sync.inspera.calls import CANDIDATE_LIST, PERSON_BY_ID, PERSON_SEARCH, TEST_READ, TEST_SEARCH, Call, Request
from sync.inspera.payloads import bodies, readings

_PAGES = 50

Row = TypeVar("Row")
ReadRow = Callable[[Mapping[str, object]], Row]


@dataclass(frozen=True, slots=True)
class Search:
    """The tests with an external id.

    `sure` is false when the tenant answered 404 and has never answered a search otherwise: then finding none proves
    nothing, for it may just not have the call.
    """

    matches: tuple[FoundTest, ...]
    sure: bool = True


class Lookups:
    """Reads from one tenant. Thread-safe.

    Every method may raise `Retry` or `Unknown` (it could not be read), `Refused`, `CallMissing` and `Stop`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def search(self, external_test_id: str) -> Search:
        """The tests with exactly this external id (vendor contract, Test API: search)."""
        try:
            rows = list(self._results(TEST_SEARCH, bodies.test_search(external_test_id), readings.found_test))
        except NotThere:
            return Search((), sure=self._caller.tenant.has(TEST_SEARCH))
        same = (row for row in rows if row is not None and row.external_test_id == external_test_id)
        return Search(tuple({row.remote_id: row for row in same}.values()))

    def read_test(self, remote_id: str) -> FoundTest | None:
        """The test with Inspera's id, `None` when there is none (vendor contract, Test API: read)."""
        try:
            return self._caller.call(
                Request(TEST_READ, {"test": remote_id}), lambda answer: readings.read_test(remote_id, answer)
            )
        except NotThere:
            return None

    def seats(self, remote_id: str) -> Seats:
        """The candidates of a test (vendor contract, Test API: read; inferred).

        A refusal is not an error here: the call is inferred, and a key without the right to it can still assign.
        """
        try:
            return self._caller.call(Request(CANDIDATE_LIST, {"test": remote_id}), readings.seats)
        except (Refused, CallMissing) as error:
            lacking = "" if type(error) is Refused else ", this tenant does not seem to have it"
            return Seats(readable=False, message=f"the candidates of a test cannot be read{lacking} ({error})")

    def person(self, auth_system: str, external_id: str) -> list[FoundPerson]:
        """The people with this external id; none when Inspera answers 404 (vendor contract, Users API)."""
        request = Request(PERSON_BY_ID, {"auth_system": auth_system, "external_id": external_id}, hide=(external_id,))
        try:
            return self._caller.call(
                request, lambda answer: [readings.found_person(row) for row in readings.page(answer).rows]
            )
        except NotThere:
            return []

    def person_by_login(self, username: str) -> list[FoundPerson]:
        """The people with exactly this username (vendor contract, Users API: search users; inferred).

        Raises:
            CallMissing: the tenant does not seem to have the search; a 404 says so too.
        """
        try:
            people = self._results(PERSON_SEARCH, bodies.person_search(username), readings.found_person)
            return [person for person in people if person.username == username]
        except NotThere as error:
            lacking = missing(PERSON_SEARCH, error.status)
            self._caller.tenant.lacks(PERSON_SEARCH, lacking)
            raise lacking from None

    def _results(self, call: Call, query: Mapping[str, str], read: ReadRow[Row]) -> Iterator[Row]:
        """Everything that a search finds, page by page; whether pages count from 0 or 1 is not known.

        Raises:
            Unknown: there is more than can be read, so that nothing can be told from what was.
        """

        def read_page(answer: object) -> tuple[readings.Page, list[Row]]:
            page = readings.page(answer)
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
        raise Unknown(f"{call.name} finds more than can be read, so nothing can be told from it; ask Inspera for help")
