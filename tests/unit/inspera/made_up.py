"""Made-up people, tests and seats that several of these tests are about."""

from collections.abc import Mapping
from typing import Any

from sync.records.base import Kind
from sync.records.changes import Action, Change, Fields, Outcome, Result, Value
from sync.records.remote import Assignment

from .http_tenant import HttpTenant

LIMIT_IN_DOUBT: list[dict[str, Any]] = [
    {"status": 503, "body": {"message": "The limit of 10 concurrent requests is reached"}},
    {"status": 500, "body": {"error": "could not write the log: too many connections"}},
    {"status": 408, "body": {"error": "Too many requests"}},
    {"status": 200, "body": {"success": False, "errors": ["Too many concurrent requests"]}},
]
"""Answers with words of a limit, which a server may also give after it has carried a call out."""

SAVE_LEARNER = ("POST", "/v1/users/student")
LEARNER = Change(
    Action.CREATE,
    Kind.LEARNER,
    ("4711",),
    after={
        "username": "aaseb",
        "external_id": "aaseb@example.edu",
        "auth_system": "FEIDE",
        "first_name": "Åse",
        "last_name": "Bergström-Łuczak",
        "email": None,
    },
)


SAVE_TEST = ("POST", "/v1/test")
SEARCH_TESTS = ("GET", "/v1/test/search")
WANTED: Fields = {
    "external_test_id": "INF101-V30",
    "title": "INF101 Grunnkurs i ærlighet",
    "start": "2030-05-10T07:00:00Z",
    "end": "2030-05-10T11:00:00Z",
    "duration": 240,
    "template": "1001",
}
SENT = {
    "externalTestId": "INF101-V30",
    "title": "INF101 Grunnkurs i ærlighet",
    "startTime": "2030-05-10T07:00:00Z",
    "endTime": "2030-05-10T11:00:00Z",
    "duration": 240,
}
THERE = {name: value for name, value in WANTED.items() if name != "template"}


def creating(**changes: Value) -> Change:
    return Change(Action.CREATE, Kind.TEST, ("INF101-V30",), after={**WANTED, **changes})


def updating(before: Mapping[str, Value] | None = None, **after: Value) -> Change:
    known = {**THERE, **(before or {})}
    return Change(Action.UPDATE, Kind.TEST, ("INF101-V30",), before=known, after={**known, **after})


def add_wanted(tenant: HttpTenant, **values: Any) -> str:
    return tenant.add_test("INF101-V30", **{**SENT, **values})


def make_seat(external_id: str, auth_system: str = "FEIDE", **fields: Value) -> Assignment:
    return Assignment(auth_system, external_id, fields)


def make_seats(count: int) -> list[Assignment]:
    return [make_seat(f"id{number}", candidate_id=str(number)) for number in range(count)]


def results_of(outcomes: list[Outcome]) -> list[Result]:
    return [outcome.result for outcome in outcomes]


def path_of(number: str) -> str:
    return f"/v1/test/{number}/candidates"


def sizes(tenant: HttpTenant, method: str, number: str) -> list[int]:
    return [len(seen.body["candidates"]) for seen in tenant.calls(method, path_of(number))]


def fill(tenant: HttpTenant, number: str, count: int) -> None:
    tenant.seats[number] = {("FEIDE", f"id{index}"): {} for index in range(count)}


SAVE_STAFF = ("POST", "/v1/users")
STAFF: Fields = {
    "username": "kariv",
    "external_id": "kariv@example.edu",
    "auth_system": "FEIDE",
    "first_name": "Kari",
    "last_name": "Veileder",
    "email": "kariv@example.edu",
    "status": "active",
    "accesses": "extended\nreports",
    "organisations": "Physics",
}
STAFF_SENT = {
    "username": "kariv",
    "firstName": "Kari",
    "lastName": "Veileder",
    "email": "kariv@example.edu",
    "externalId": "kariv@example.edu",
    "externalSystem": "FEIDE",
    "orgUnitName": "Physics",
    "roles": ["extended", "reports"],
    "status": "ACTIVE",
}


def staff(action: Action, before: Fields | None = None, **after: Value) -> Change:
    known = STAFF if before is None else before
    return Change(action, Kind.STAFF, ("kariv",), before=known, after={**known, **after})


def new_staff(**after: Value) -> Change:
    return staff(Action.CREATE, {}, **{**STAFF, **after})


def committee(name: str, type_: str | None = "GRADING") -> Assignment:
    return Assignment("", name, {"type": type_})


def contributor(external_id: str, auth_system: str = "FEIDE", **fields: Value) -> Assignment:
    return Assignment(auth_system, external_id, {"roles": "evaluate", **fields})


def option(name: str, value: str, group: str = "security", type_: str = "switch") -> Assignment:
    secret = 1 if type_ == "pin" else None
    return Assignment("", name, {"value": value, "group": group, "type": type_, "secret": secret})
