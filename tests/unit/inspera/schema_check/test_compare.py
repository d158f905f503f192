"""Calls held against a tenant's own schema: what is there, what is not, and what is there in another way."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sync import contract
from sync.contract import CALLS, Call
from sync.inspera.requests import bodies, entries
from sync.inspera.schema_check import ComparedCall, Match, Schema, SchemaError, compare
from sync.inspera.schema_check.compare import BESIDE, SENT
from sync.records.base import Kind
from sync.records.changes import Fields
from sync.records.remote import Assignment

FOLDER = Path(__file__).parent


def whole() -> dict[str, Any]:
    """The schema that has every call as the contract has it, fresh each time."""
    document: dict[str, Any] = json.loads((FOLDER / "whole.json").read_text(encoding="utf-8"))
    return document


def parts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Its named bodies."""
    named: dict[str, Any] = document["components"]["schemas"]
    return named


def held(call: Call, document: object) -> ComparedCall:
    """One call of all, held against the schema."""
    others = [other for other in CALLS.values() if other.name != call.name]
    return compare([call, *others], Schema(document))[0]


def openapi(path: str, method: str = "post", body: object = None, **more: Any) -> dict[str, Any]:
    """A schema with a single call, whose body's schema is given."""
    content = (
        {} if body is None else {"requestBody": {"content": {"application/json": {"schema": body}}}}
    )
    return {"openapi": "3.1.0", "paths": {path: {method: content}}, **more}


def candidates(entry: object, **more: object) -> dict[str, Any]:
    """A schema whose one call takes candidates, each like the entry."""
    properties = {
        "authenticationSystem": {"type": "string"},
        "candidates": {"type": "array", "items": entry},
    }
    return openapi(
        "/api/v1/test/{id}/candidates",
        body={"type": "object", "properties": {**properties, **more}},
    )


def test_a_schema_with_every_call_has_all_of_them_present() -> None:
    matches = {one.call.name: one.match for one in compare(CALLS.values(), Schema(whole()))}
    assert matches == dict.fromkeys(CALLS, Match.PRESENT)


def test_in_a_swagger_2_file_what_is_missing_is_reported_from_what_is_there() -> None:
    document = json.loads((FOLDER / "missing.json").read_text(encoding="utf-8"))
    assert held(contract.CANDIDATE_ASSIGN, document).match is Match.PRESENT
    assert held(contract.OPTION_SET, document) == ComparedCall(
        contract.OPTION_SET,
        Match.ABSENT,
        ("the schema has no such path",),
        "ask Inspera whether your tenant has this call",
    )


def test_other_methods_at_the_path_are_a_difference_and_never_one_that_another_call_has_is_advised() -> (
    None
):
    document = json.loads((FOLDER / "missing.json").read_text(encoding="utf-8"))
    one = held(contract.CANDIDATE_REMOVE, document)
    assert one.match is Match.DIFFERENT
    assert one.differences == ("the schema has GET and POST there, not DELETE",)
    assert "set inspera.calls" not in one.remedy


def test_the_one_method_that_could_do_the_same_is_advised() -> None:
    one = held(contract.LEARNER_CREATE, openapi("/v1/users/student", "put"))
    assert (
        one.remedy == "if PUT there does the same: set inspera.calls.learner.create.method to PUT"
    )


def test_a_path_that_ends_in_the_same_way_is_named_with_the_setting_and_with_our_names_of_its_places() -> (
    None
):
    document = json.loads((FOLDER / "moved.json").read_text(encoding="utf-8"))
    one = held(contract.CANDIDATE_ASSIGN, document)
    assert one.match is Match.ABSENT
    assert one.remedy == (
        "it has POST /v2/test/{id}/candidates: set inspera.calls.candidate.assign.path to /v2/test/{test}/candidates"
    )


@pytest.mark.parametrize(
    ("call", "there", "advised"),
    [
        (contract.CANDIDATE_ASSIGN, "/v1/candidates/test/{id}", "/v1/candidates/test/{test}"),
        (contract.CANDIDATE_ASSIGN, "/v1/tests/{id}/Candidate", "/v1/tests/{test}/Candidate"),
        (contract.TEST_CREATE, "/v3/test", "/v3/test?isExternal=true"),
        (contract.EXPORT_ORDER, "/v1/file-export/order", "/v1/file-export/order"),
        (contract.STAFF_CREATE, "/v2/users", "/v2/users"),
    ],
)
def test_a_path_with_the_same_words_is_advised(call: Call, there: str, advised: str) -> None:
    assert held(call, openapi(there)).remedy.endswith(
        f"set inspera.calls.{call.name}.path to {advised}"
    )


@pytest.mark.parametrize(
    ("call", "there"),
    [
        (contract.STAFF_CREATE, "/v1/users/{id}"),
        (contract.STAFF_CREATE, "/v1/users/student"),
        (contract.CANDIDATE_ASSIGN, "/v1/test/{id}/contributors"),
        (contract.TEST_CREATE, "/v1/exam"),
        (
            replace(contract.PERSON_BY_ID, method="POST"),
            "/v1/external/users/{authType}/{externalId}",
        ),
    ],
)
def test_a_path_that_is_another_thing_is_not_advised(call: Call, there: str) -> None:
    one = held(call, openapi(there))
    assert (one.match, one.remedy) == (
        Match.ABSENT,
        "ask Inspera whether your tenant has this call",
    )


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/users/student", {}),
        ("/api/v1/users/student/", {}),
        ("/users/student", {"servers": [{"url": "https://example.inspera.com/api/v1/"}]}),
        ("/v1/users/student", {"servers": [{"url": "/api"}]}),
        (
            "/users/student",
            {"servers": [{"url": "//{host}/{at}", "variables": {"at": {"default": "api/v1"}}}]},
        ),
        (
            "/v1/users/student",
            {"servers": [{"url": "https://other.example/x"}, {"url": "https://other.example/api"}]},
        ),
    ],
)
def test_what_stands_before_the_paths_is_counted_in(path: str, more: dict[str, Any]) -> None:
    assert Schema(openapi(path, **more)).at("/v1/users/student").keys() == {"POST"}


def test_swaggers_base_path_is_counted_in() -> None:
    document = {"swagger": "2.0", "basePath": "/api/v1", "paths": {"/users/student": {"post": {}}}}
    assert Schema(document).at("/v1/users/student?whatever=1").keys() == {"POST"}


def test_a_field_that_we_always_send_and_the_body_does_not_know_is_named() -> None:
    document = whole()
    del parts(document)["Candidate"]["properties"]["externalId"]
    parts(document)["Candidate"]["required"] = []
    one = held(contract.CANDIDATE_ASSIGN, document)
    assert one.match is Match.DIFFERENT
    assert one.differences == ("'candidates' has no 'externalId', which we always send",)


def test_a_field_that_the_body_needs_and_we_never_send_is_named() -> None:
    document = whole()
    parts(document)["Person"]["required"] += ["password", "marketplaceId"]
    parts(document)["Candidates"]["required"] += ["tenant"]
    assert held(contract.LEARNER_CREATE, document).differences == (
        "the body needs 'marketplaceId', which we never send",
    )
    assert held(contract.CANDIDATE_ASSIGN, document).differences == (
        "the body needs 'tenant', which we never send",
    )


def test_a_field_that_inspera_only_shows_is_not_missed() -> None:
    document = whole()
    parts(document)["Person"]["required"] += ["userId"]
    parts(document)["Person"]["properties"]["userId"] = {"type": "integer", "readOnly": True}
    assert held(contract.LEARNER_CREATE, document).match is Match.PRESENT


def test_another_wrapper_is_advised_and_an_override_of_it_is_enough() -> None:
    document = whole()
    body = parts(document)["Candidates"]
    body["properties"]["people"] = body["properties"].pop("candidates")
    body["required"] = ["people"]
    one = held(contract.CANDIDATE_ASSIGN, document)
    assert one.differences == (
        "the body has no 'candidates'; it has 'authenticationSystem', 'people'",
    )
    assert one.remedy == "set inspera.calls.candidate.assign.wrapper to people"
    assert (
        held(replace(contract.CANDIDATE_ASSIGN, wrapper="people"), document).match is Match.PRESENT
    )


def test_a_schema_without_a_body_where_we_send_one_is_a_difference() -> None:
    document = openapi("/v1/test/{id}/candidates", "delete")
    assert held(contract.CANDIDATE_REMOVE, document).differences == (
        "the schema has no body, and we send 'authenticationSystem', 'candidates'",
    )
    assert held(contract.STAFF_DELETE, openapi("/v1/users/{id}", "delete")).match is Match.PRESENT


@pytest.mark.parametrize("word", ["oneOf", "anyOf"])
def test_of_several_choices_only_what_all_of_them_need_is_needed(word: str) -> None:
    known = {"externalId": {"type": "string"}}
    one, other = (
        {"properties": {**known, name: {}}, "required": ["externalId", name]} for name in ("a", "b")
    )
    assert (
        held(contract.CANDIDATE_ASSIGN, candidates({word: [one, other, {"type": "null"}]})).match
        is Match.PRESENT
    )
    one["required"] = other["required"] = ["both"]
    assert held(contract.CANDIDATE_ASSIGN, candidates({word: [one, other]})).differences == (
        "'candidates' needs 'both', which we never send",
    )


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"type": "object"},
        {"properties": {"a": {}}, "additionalProperties": True},
        {"$ref": "other.json#/Candidate"},
        {"$ref": "#/components/nowhere"},
        {"$ref": "#/paths"},
        "nonsense",
    ],
)
def test_what_the_schema_leaves_open_is_no_difference(entry: object) -> None:
    assert held(contract.CANDIDATE_ASSIGN, candidates(entry)).match is Match.PRESENT


@pytest.mark.parametrize(
    "body", [{"requestBody": {"$ref": "#/nowhere"}}, {"parameters": [{"$ref": "#/nowhere"}]}]
)
def test_a_body_that_cannot_be_found_is_no_difference(body: dict[str, Any]) -> None:
    document = {"openapi": "3.0.0", "paths": {"/v1/users/student": {"post": body}}}
    assert held(contract.LEARNER_CREATE, document).match is Match.PRESENT


def test_references_are_followed_through_escapes_and_circles_end() -> None:
    named = {
        "a/b": {
            "allOf": [{"$ref": "#/components/schemas/circle"}, {"properties": {"externalId": {}}}]
        },
        "circle": {
            "allOf": [
                {"$ref": "#/components/schemas/a~1b"},
                {"properties": {"more": {}}, "required": ["more"]},
            ]
        },
        "self": {"$ref": "#/components/schemas/self"},
    }
    document = candidates(
        {"$ref": "#/components/schemas/a~1b"}, self={"$ref": "#/components/schemas/self"}
    )
    one = held(contract.CANDIDATE_ASSIGN, document | {"components": {"schemas": named}})
    assert one.differences == ("'candidates' needs 'more', which we never send",)


def test_the_form_fields_of_swagger_are_members_of_the_body() -> None:
    fields = [{"in": "formData", "name": name, "required": True} for name in ("username", "tenant")]
    document = {
        "swagger": "2.0",
        "paths": {"/v1/users/student": {"parameters": fields, "post": {}}},
    }
    assert held(contract.LEARNER_CREATE, document).differences == (
        "the body needs 'tenant', which we never send",
    )


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "openapi",
        {},
        {"openapi": "3.0.0"},
        {"openapi": "3.0.0", "paths": []},
        {"swagger": "1.2", "paths": {}},
        {"paths": {}},
        {"openapi": "30", "paths": {}},
    ],
)
def test_what_is_no_schema_is_refused(document: object) -> None:
    with pytest.raises(SchemaError, match="neither an OpenAPI 3 nor a Swagger 2 schema"):
        Schema(document)


@pytest.mark.parametrize(
    "item", [None, [], "x", {"post": []}, {"post": {"parameters": {}, "requestBody": 3}}]
)
def test_odd_entries_of_a_schema_break_nothing(item: object) -> None:
    document = {
        "openapi": "3.0.0",
        "servers": "x",
        "paths": {"/v1/users/student": item, "": {"get": {}}},
    }
    assert held(contract.LEARNER_CREATE, document).match in Match


def test_no_setting_is_advised_for_the_call_that_carries_the_key() -> None:
    one = held(contract.TOKEN, openapi("/v2/authenticate/token"))
    assert (one.match, one.remedy) == (
        Match.ABSENT,
        "ask Inspera whether your tenant has this call",
    )


FULL: Fields = {
    "username": "u", "external_id": "x", "auth_system": "FEIDE", "first_name": "A", "last_name": "B", "email": "e",
    "accesses": "a", "organisations": "o", "status": "active", "external_test_id": "t", "title": "t", "start": "s",
    "end": "e", "duration": 1, "template": "1", "candidate_id": "1", "extra_time": 1, "room": "r", "building": "b",
    "committees": "c", "roles": "r", "notify": 1, "type": "GRADING", "group": "security", "value": "v",
}  # fmt: skip
ENTRIES = (Assignment("FEIDE", "x", FULL),)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (contract.LEARNER_CREATE, bodies.learner(FULL, "first")),
        (contract.STAFF_CREATE, bodies.staff(FULL, "first")),
        (contract.TEST_CREATE, bodies.new_test(FULL)),
        (contract.TEST_UPDATE, bodies.test(FULL)),
        (contract.EXPORT_ORDER, bodies.export_order(Kind.STAFF)),
        (contract.OPTION_SET, entries.options(contract.OPTION_SET, ENTRIES)),
        (contract.COMMITTEE_CREATE, entries.committees(contract.COMMITTEE_CREATE, ENTRIES)),
        (contract.COMMITTEE_REMOVE, entries.leaving_committees(contract.COMMITTEE_REMOVE, ENTRIES)),
        (contract.CONTRIBUTOR_ASSIGN, entries.contributors(contract.CONTRIBUTOR_ASSIGN, ENTRIES)),
        (contract.CONTRIBUTOR_REMOVE, entries.leaving_people(contract.CONTRIBUTOR_REMOVE, ENTRIES)),
        (contract.CANDIDATE_ASSIGN, entries.candidates(contract.CANDIDATE_ASSIGN, ENTRIES)),
        (contract.CANDIDATE_REMOVE, entries.leaving_people(contract.CANDIDATE_REMOVE, ENTRIES)),
    ],
    ids=lambda value: value.name if isinstance(value, Call) else "",
)
def test_what_is_compared_is_what_is_really_sent(call: Call, body: Any) -> None:
    beside = set(body) - {call.wrapper} if call.wrapper else set()
    sent = body[call.wrapper] if call.wrapper else body
    members = set(sent[0] if isinstance(sent, list) else sent)
    assert beside == set(BESIDE.get(call.name, ()))
    assert set(call.fields) <= members <= set(SENT[call.name])
