"""The probe of a tenant: a few calls that only read, and the form of their answers.

It changes nothing, orders no export, and keeps no value of an answer: what it finds is sent to
others (see `responses.forms`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sync.contract import (
    CANDIDATE_LIST,
    PERSON_BY_ID,
    PERSON_READ,
    PERSON_SEARCH,
    TEST_READ,
    TEST_SEARCH,
    TOKEN,
    Call,
)
from sync.errors import Unknown
from sync.inspera.call_errors import HttpResponse, content_of
from sync.inspera.caller import Caller
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import envelope
from sync.inspera.responses.forms import Form, form_of
from sync.inspera.responses.shapes import text, unwrapped

MOST_CALLS: Final = 15
"""The most calls of one probe."""

NOBODY: Final = "inspera-sync-probe-nobody"
"""An external id that nobody can have."""

_ANY_SYSTEM: Final = "FEIDE"
"""The auth system that is named while no answer has shown one (vendor contract, Conventions)."""

_PAGES: Final = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class ProbedCall:
    """One call with the form of its answer.

    Attributes:
        call: the call in force.
        what: what was asked, in words.
        status: the status of the answer; None when there was none.
        milliseconds: how long the answer took.
        failed: whether the answer reports a failure, whatever its status.
        form: the form of the answer; None when it is not JSON.
        limit_headers: the names of the headers that speak of a limit.
    """

    call: Call
    what: str
    status: int | None
    milliseconds: int
    failed: bool = False
    form: Form | None = None
    limit_headers: tuple[str, ...] = ()


@dataclass(slots=True)
class ProbeReport:
    """All calls of a probe, and what follows from several of them.

    Attributes:
        calls: the calls in the order in which they were made.
        pages: how each page of a search compares with the one that names no page.
        skipped: why a call was not made, by its name.
        clock_offset: how many seconds our clock is ahead of Inspera's; None when not shown.
    """

    calls: list[ProbedCall] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    clock_offset: float | None = None


class FormProbe:
    """Makes the calls of one probe, each once."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._report = ProbeReport()

    def run(self) -> ProbeReport:
        """Make all calls and return what they show.

        Raises:
            Stop, Retry: Inspera can't be reached, or does not accept the key.
        """
        self._fetch_token()
        rows = self._search_tests()
        shown = self._read_test(rows)
        self._read_people(shown)
        check = self._caller.clock_check
        self._report.clock_offset = check.offset.total_seconds() if check.seen else None
        return self._report

    def _fetch_token(self) -> None:
        began = self._caller.elapsed()
        self._caller.ask_time()
        self._report.calls.append(ProbedCall(TOKEN, "a token", 200, self._milliseconds(began)))

    def _search_tests(self) -> list[Mapping[str, object]]:
        """Search tests without a page and by pages; return the results of the first search."""
        for query in bodies.common_searches():
            first = self._ask(TEST_SEARCH, "tests, without a page", query=query)
            rows = _rows(first)
            if rows or first is None:
                break
        for number in _PAGES if first is not None else ():
            other = self._ask(
                TEST_SEARCH, f"tests, page {number}", query=bodies.page(query, number)
            )
            self._report.pages[str(number)] = _compared(rows, other)
        ids = [str(row["externalId"]) for row in rows if row.get("externalId")]
        if ids:
            self._ask(TEST_SEARCH, "a test by its external id", query=bodies.test_search(ids[0]))
        return rows

    def _read_test(self, rows: list[Mapping[str, object]]) -> list[object]:
        """Read one of the found tests and its candidates; return the two answers."""
        tests = [row for row in rows if row.get("isTemplate") is not True]
        ids = [remote_id for row in tests if (remote_id := text(row.get("assessmentRunId")))]
        if not ids:
            for call in (TEST_READ, CANDIDATE_LIST):
                self._report.skipped[call.name] = "the search found no test"
            return []
        places = {"test": ids[-1]}
        return [
            self._ask(TEST_READ, "a test", places),
            self._ask(CANDIDATE_LIST, "its candidates", places),
        ]

    def _read_people(self, shown: list[object]) -> None:
        """Read one person of the test, and look for one that does not exist."""
        people = [entry for answer in shown for entry in _objects(answer, 0)]
        ids = [user for entry in people if (user := text(entry.get("userId")))]
        systems = [system for entry in people if (system := text(entry.get("authType")))]
        if ids:
            self._ask(PERSON_READ, "a person", {"user": ids[0]})
        else:
            self._report.skipped[PERSON_READ.name] = "no answer has named a person"
        self._ask(
            PERSON_BY_ID,
            "a person who does not exist",
            {"auth_system": (systems or [_ANY_SYSTEM])[0], "external_id": NOBODY},
        )
        self._ask(PERSON_SEARCH, "a person who does not exist", query=bodies.person_search(NOBODY))

    def _ask(
        self,
        call: Call,
        what: str,
        places: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> object:
        """Make one call, note the form of its answer, and return the answer if it is a success."""
        call = self._caller.named(call)
        if len(self._report.calls) >= MOST_CALLS:
            self._report.skipped[call.name] = f"the probe makes at most {MOST_CALLS} calls"
            return None
        began = self._caller.elapsed()
        try:
            response = self._caller.read_once(Request(call, places or {}, query or {}))
        except Unknown:  # its words are not kept: they may contain a value
            self._report.calls.append(ProbedCall(call, what, None, self._milliseconds(began)))
            return None
        content = content_of(response)
        failed = not 200 <= response.status < 300 or envelope.failed(content)
        self._report.calls.append(
            ProbedCall(
                call,
                what,
                response.said or response.status,
                round(response.seconds * 1000),
                failed,
                None if content is None else form_of(content),
                _limit_headers(response),
            )
        )
        return None if failed else content

    def _milliseconds(self, began: float) -> int:
        return round((self._caller.elapsed() - began) * 1000)


def _limit_headers(response: HttpResponse) -> tuple[str, ...]:
    words = ("limit", "retry-after", "quota")
    return tuple(
        sorted(
            name for name in response.header_names if any(word in name.lower() for word in words)
        )
    )


def _rows(document: object) -> list[Mapping[str, object]]:
    """Return the results of a search, whatever its form."""
    if isinstance(document, dict):
        document = unwrapped(document).get("results")
    return [row for row in document if isinstance(row, dict)] if isinstance(document, list) else []


def _compared(first: list[Mapping[str, object]], answer: object) -> str:
    """Return how the results of a page compare with those of the search without a page."""
    if answer is None:
        return "refused"
    rows = _rows(answer)
    if not rows:
        return "no results"
    if rows == first:
        return "the same results"
    common = sum(row in first for row in rows)
    return "other results" if not common else "some of the same results"


def _objects(value: object, depth: int) -> Iterator[Mapping[str, object]]:
    """Yield all objects in an answer, the outer ones first."""
    if depth > 6:
        return
    if isinstance(value, dict):
        yield value
    for entry in value.values() if isinstance(value, dict) else _entries(value):
        yield from _objects(entry, depth + 1)


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else []
