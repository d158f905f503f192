"""What a schema says of each inferred fact: as assumed, different, or nothing."""

from typing import Any

import pytest
from sync.contract import CALLS, OPTION_SET, StaffBody
from sync.inspera.schema_check import Match, Schema, SchemaFinding, Settled, compare, settle
from sync.inspera.schema_check.assumptions import ASSUMPTIONS

CANDIDATES, CONTRIBUTORS = "/v1/test/{id}/candidates", "/v1/test/{id}/contributors"
COMMITTEES, USERS = "/v1/test/{id}/committees", "/v1/users"


def document(
    path: str,
    method: str = "post",
    body: Any = None,
    answer: Any = None,
    query: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """A schema with one operation."""
    operation: dict[str, Any] = {
        "parameters": [{"name": name, "in": "query"} for name in query],
        "responses": {"200": {"content": {"application/json": {"schema": answer or {}}}}},
        **more,
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return {"openapi": "3.0.3", "paths": {path: {method: operation}}}


def has(*names: str, **more: Any) -> dict[str, Any]:
    """An object with these members, and no others."""
    return {
        "type": "object",
        "properties": {**{name: {"type": "string"} for name in names}, **more},
    }


def many(entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": entry}


def sent(wrapper: str, *names: str, beside: str = "authenticationSystem") -> dict[str, Any]:
    return has(beside, **{wrapper: many(has(*names))})


SEAT = ("externalId", "candidateId", "extraTimeMins", "roomName", "buildingName", "committeesName")
READ = ("userId", "candidateId", "externalUserIds", "extraTimeMins")
OPTIONS = "/v1/test/{id}/options"
ROLES = ("evaluate", "monitor", "plan", "author", "invigilate", "chief_invigilate", "review")


def roles(*words: str) -> dict[str, Any]:
    enum = many({"type": "string", "enum": list(words)})
    return document(CONTRIBUTORS, body=has(contributors=many(has("externalId", roles=enum))))


SETTLED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "candidates are sent": (
        document(CANDIDATES, body=sent("candidates", *SEAT)),
        document(CANDIDATES, body=sent("learners", *SEAT)),
        "set inspera.calls.candidate.assign.wrapper to learners",
    ),
    "members of a candidate": (
        document(CANDIDATES, body=sent("candidates", *SEAT)),
        document(CANDIDATES, body=sent("candidates", *SEAT[:2], "extraMinutes")),
        "no setting changes this: send us the schema",
    ),
    "candidates are read": (
        document(CANDIDATES, "get", answer=has(candidates=many(has(*READ)))),
        document(CANDIDATES, "get", answer=many(has("userId", "number"))),
        "no setting changes this: send us the schema",
    ),
    "candidates are removed": (
        document(CANDIDATES, "delete", body=sent("candidates", "externalId")),
        document(CANDIDATES, "delete", body=sent("candidates", "externalId", beside="system")),
        "no setting changes this: send us the schema",
    ),
    "contributors are removed": (
        document(CONTRIBUTORS, "delete", body=sent("contributors", "externalId")),
        document(CONTRIBUTORS, "delete", body=sent("people", "externalId")),
        "set inspera.calls.contributor.remove.wrapper to people",
    ),
    "roles of contributors": (
        roles(*(f"ar_{role}" for role in ROLES), "observe"),
        roles("evaluate", "monitor", "plan"),
        "use only the tenant's roles in the feeds of contributors",
    ),
    "body of staff": (
        document(USERS, body=has("username", "externalId", "orgUnitName", "roles")),
        document(USERS, body=has("username", "externalIds", "authorizedAccesses", "userType")),
        "set inspera.staff_body to nested",
    ),
    "staff are disabled": (
        document(USERS, body=has("username", "status")),
        document(USERS, body=has("username", "enabled")),
        "no setting changes this: send us the schema",
    ),
    "external ids of learners": (
        document("/v1/users/student", body=has("username", "externalIds")),
        document("/v1/users/student", body=has("username", "externalId")),
        "no setting changes this: send us the schema",
    ),
    "search for people": (
        document("/v1/users/search", "get", query=("query", "limit")),
        document("/v1/users/search", "get", query=("q",)),
        "no setting changes this: send us the schema",
    ),
    "pages of a search": (
        document("/v1/test/search", "get", query=("externalTestID", "page")),
        document("/v1/test/search", "get", query=("externalTestID", "offset")),
        "no setting changes this: send us the schema",
    ),
    "options after the test": (
        document(OPTIONS, body=has(testOptions=has("generalOptions", "afterTestOptions"))),
        document(OPTIONS, body=has(testOptions=has("generalOptions", "postTestOptions"))),
        "no setting changes this: send us the schema",
    ),
}
"""For each fact a schema that says as assumed, one that says otherwise, and the remedy."""

ONLY_SEEN = {
    "staff are deleted": document("/v1/users/{id}", "delete"),
    "moves between committees": {
        "openapi": "3.0.3",
        "paths": {COMMITTEES: {"post": {}}, f"{COMMITTEES}/candidates/move": {"post": {}}},
    },
    "status of the limit on requests": document(CANDIDATES, responses={"200": {}, "429": {}}),
}
"""Facts that a schema can only confirm: what it does not list may exist all the same."""


def finding(name: str, schema: dict[str, Any], staff_body: StaffBody = "flat") -> SchemaFinding:
    found = settle(Schema(schema), CALLS.values(), staff_body)
    return next(each for assumption, each in found if assumption.name == name)


def test_every_assumption_is_tried() -> None:
    assert {each.name for each in ASSUMPTIONS} == set(SETTLED) | set(ONLY_SEEN)


@pytest.mark.parametrize("name", [*SETTLED, *ONLY_SEEN])
def test_a_schema_that_says_the_same_confirms_the_assumption(name: str) -> None:
    schema = SETTLED[name][0] if name in SETTLED else ONLY_SEEN[name]
    assert finding(name, schema).settled is Settled.AS_ASSUMED
    assert not finding(name, schema).remedy


@pytest.mark.parametrize("name", SETTLED)
def test_a_schema_that_says_otherwise_is_named_with_what_to_do(name: str) -> None:
    _, schema, remedy = SETTLED[name]
    found = finding(name, schema)
    assert (found.settled, found.remedy) == (Settled.DIFFERENT, remedy)
    assert found.found


@pytest.mark.parametrize("name", [*SETTLED, *ONLY_SEEN])
def test_a_schema_that_does_not_speak_of_it_settles_nothing(name: str) -> None:
    call = next(each.call for each in ASSUMPTIONS if each.name == name)
    assert finding(name, document("/v1/other")).settled is Settled.UNSAID
    if name != "staff are deleted":  # the call is all that is assumed
        bare = document(call.path, call.method.lower(), body={})
        assert finding(name, bare).settled is Settled.UNSAID


def test_staff_in_the_configured_shape_are_as_assumed() -> None:
    _, nested, _ = SETTLED["body of staff"]
    assert finding("body of staff", nested, "nested").settled is Settled.AS_ASSUMED


@pytest.mark.parametrize("name", ["SetTestOptions", "setTestOptionsUsingPUT_1"])
def test_a_call_that_the_schema_has_by_its_name_elsewhere_gets_its_path_and_method(
    name: str,
) -> None:
    schema = document("/v2/exam/{exam}/settings", "put", body={}, operationId=name)
    (one,) = compare([OPTION_SET], Schema(schema))
    assert one.match is Match.DIFFERENT
    assert one.differences == ("the schema has setTestOptions as PUT /v2/exam/{exam}/settings",)
    assert one.remedy == (
        "set inspera.calls.option.set.path to /v2/exam/{test}/settings"
        " and inspera.calls.option.set.method to PUT"
    )


def test_a_call_under_its_name_with_other_places_gets_no_path() -> None:
    schema = document("/v2/exams/settings", operationId="setTestOptions")
    (one,) = compare([OPTION_SET], Schema(schema))
    assert one.remedy == "ask Inspera what this call accepts; it may refuse the call"
