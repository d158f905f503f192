"""An operator's overrides of a call's method, path and body wrapper, for every kind of call."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sync.contract import CALLS, Call
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Action

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import (
    LEARNER,
    SENT,
    STAFF_SENT,
    add_wanted,
    committee,
    contributor,
    creating,
    make_seat,
    new_staff,
    option,
    staff,
    updating,
)

EXAM = "284424088"
PERSON = {"userId": 7001, "username": "kariv", "email": "kariv@example.edu", "externalIds": []}
NO_TESTS = {"hits": 0, "results": []}
DONE = {
    "success": True,
    "userId": 7001,
    "assessmentRunId": 284424088,
    "status": "updated",
    "name": "x",
}
JOB = {"status": "failed", "jobId": 1}
ANSWERS: dict[str, Any] = {
    "person.by_external_id": [],
    "person.search": [],
    "person.read": PERSON,
    "test.search": NO_TESTS,
    "candidate.list": {"candidates": []},
    "export.order": JOB,
    "export.status": JOB,
}
"""What an overridden call is answered with; `DONE` otherwise."""


def _export(target: InsperaTarget) -> None:
    with pytest.raises(Exception, match="export"):
        list(target.export_people(Kind.LEARNER))


CHANGED_LEARNER = replace(LEARNER, action=Action.UPDATE)
Use = Callable[[InsperaTarget], object]
USES: dict[str, Use] = {
    "learner.create": lambda target: target.save_learner(LEARNER, None),
    "learner.update": lambda target: target.save_learner(CHANGED_LEARNER, None),
    "staff.create": lambda target: target.save_staff(new_staff(), None),
    "staff.update": lambda target: target.save_staff(staff(Action.UPDATE), None),
    "staff.enable": lambda target: target.save_staff(staff(Action.ENABLE), None),
    "staff.disable": lambda target: target.save_staff(staff(Action.DISABLE), None),
    "staff.delete": lambda target: target.save_staff(staff(Action.DELETE), None),
    "person.read": lambda target: target.read_person("7001"),
    "person.by_external_id": lambda target: target.find_person("FEIDE", "kariv"),
    "person.search": lambda target: target.find_person_by_login("kariv"),
    "export.order": _export,
    "export.status": _export,
    "test.search": lambda target: target.find_test("INF101-V30"),
    "test.read": lambda target: target.read_test(EXAM),
    "test.create": lambda target: target.create_test(creating(external_test_id="NEW")),
    "test.update": lambda target: target.update_test(updating(title="New")),
    "test.activate": lambda target: target.activate_test(creating(), EXAM),
    "option.set": lambda target: target.assign(
        EXAM, [option("LOCKDOWN_BROWSER", "true")], Kind.OPTION
    ),
    "committee.create": lambda target: target.assign(EXAM, [committee("A")], Kind.COMMITTEE),
    "committee.remove": lambda target: target.remove(EXAM, [committee("A")], Kind.COMMITTEE),
    "contributor.assign": lambda target: target.assign(EXAM, [contributor("a")], Kind.CONTRIBUTOR),
    "contributor.remove": lambda target: target.remove(EXAM, [contributor("a")], Kind.CONTRIBUTOR),
    "candidate.list": lambda target: target.members(EXAM),
    "candidate.assign": lambda target: target.assign(EXAM, [make_seat("a")]),
    "candidate.remove": lambda target: target.remove(EXAM, [make_seat("a")]),
}


def _overridden(make_target: MakeTarget, name: str, **changes: Any) -> tuple[InsperaTarget, Call]:
    call = replace(CALLS[name], **changes)
    return make_target(calls={**CALLS, name: call}), call


@pytest.fixture(autouse=True)
def _held(tenant: HttpTenant) -> None:
    add_wanted(tenant)
    ids = [{"authType": "FEIDE", "externalId": "kariv@example.edu"}]
    tenant.staff["kariv"] = {**PERSON, "externalIds": ids}


def test_every_call_but_the_token_has_a_use_here() -> None:
    assert set(USES) | {"token.fetch"} == set(CALLS)


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_a_call_goes_where_it_is_reported_with_the_method_that_it_is_reported(
    make_target: MakeTarget, tenant: HttpTenant, name: str, method: str
) -> None:
    places = "".join(f"/{{{place}}}" for place in sorted(CALLS[name].places))
    target, call = _overridden(
        make_target, name, method=method, path=f"/v9/elsewhere{places}?mode=new"
    )
    filled = {
        "test": EXAM,
        "user": "7001",
        "job": "1",
        "auth_system": "FEIDE",
        "external_id": "kariv",
    }
    path = call.path.partition("?")[0].format(**filled)
    tenant.every(method, path, 200, ANSWERS.get(name, DONE))
    USES[name](target)
    seen = tenant.calls(method, path)
    assert seen
    assert all(one.query["mode"] == "new" for one in seen)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_token_call_too_goes_where_it_is_reported(
    make_target: MakeTarget, tenant: HttpTenant, method: str
) -> None:
    target, _ = _overridden(make_target, "token.fetch", method=method, path="/v9/token")
    tenant.tokens = 9
    tenant.every(method, "/v9/token", 200, {"access_token": "token-9"})
    assert target.read_test(EXAM) is not None
    assert tenant.calls(method, "/v9/token")[0].query == {
        "grant_type": "authorization_code",
        "client_id": "made-up",
    }


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("test.search", {"externalTestID": "INF101-V30"}),
        ("person.search", {"query": "kariv"}),
        ("person.by_external_id", {"includeStudent": "True"}),
    ],
)
def test_a_look_up_by_post_keeps_its_query_and_has_no_body(
    make_target: MakeTarget, tenant: HttpTenant, name: str, asked: dict[str, str]
) -> None:
    target, _ = _overridden(make_target, name, method="POST")
    path = CALLS[name].path.partition("?")[0].format(auth_system="FEIDE", external_id="kariv")
    tenant.every("POST", path, 200, ANSWERS[name])
    USES[name](target)
    assert [(seen.query, seen.body) for seen in tenant.calls("POST", path)] == [(asked, None)]


@pytest.mark.parametrize("reply", [{"status": 500}, {"lost": True}])
def test_a_look_up_by_post_is_repeated_as_one_by_get(
    make_target: MakeTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    target, _ = _overridden(make_target, "test.search", method="POST")
    tenant.once("POST", "/v1/test/search", **reply)
    tenant.once("POST", "/v1/test/search", 200, body=NO_TESTS)
    assert target.find_test("INF101-V30") == []


def test_a_write_by_get_is_not_taken_for_a_look_up(
    make_target: MakeTarget, tenant: HttpTenant
) -> None:
    target, _ = _overridden(make_target, "test.create", method="GET", path="/v9/made")
    tenant.every("GET", "/v9/made", 500)
    target.create_test(creating(external_test_id="NEW"))
    paths = [seen.path for seen in tenant.calls()]
    assert ("/v9/made", "/v9/made") not in pairwise(paths), "a search stands between any two"


LEARNER_SENT = {
    "username": "aaseb",
    "firstName": "Åse",
    "lastName": "Bergström-Łuczak",
    "externalIds": [{"authType": "FEIDE", "externalId": "aaseb@example.edu"}],
}
AUTH = {"authenticationSystem": "FEIDE"}
CONTRIBUTOR = {"externalId": "a", "sendNotification": False, "roles": ["evaluate"]}
WRAPPED: list[tuple[str, str, Any]] = [
    ("learner.create", "user", {"user": LEARNER_SENT}),
    ("learner.update", "user", {"user": LEARNER_SENT}),
    ("staff.create", "user", {"user": STAFF_SENT}),
    ("staff.update", "user", {"user": STAFF_SENT}),
    ("staff.enable", "user", {"user": STAFF_SENT}),
    ("staff.disable", "user", {"user": {**STAFF_SENT, "status": "DISABLED"}}),
    ("test.create", "test", {"test": {**SENT, "externalTestId": "NEW", "sourceTemplateId": 1001}}),
    ("test.update", "test", {"test": {**SENT, "title": "New"}}),
    (
        "export.order",
        "order",
        {"order": {"resourceType": "AllUsers", "parameters": {"userType": "student"}}},
    ),
    (
        "option.set",
        "options",
        {"options": {"securityOptions": [{"option": "LOCKDOWN_BROWSER", "value": True}]}},
    ),
    ("option.set", "", {"securityOptions": [{"option": "LOCKDOWN_BROWSER", "value": True}]}),
    ("committee.create", "list", {"list": [{"name": "A", "type": "GRADING"}]}),
    ("committee.create", "", [{"name": "A", "type": "GRADING"}]),
    ("committee.remove", "list", {"list": [{"name": "A"}]}),
    ("contributor.assign", "list", {**AUTH, "list": [CONTRIBUTOR]}),
    ("contributor.remove", "list", {**AUTH, "list": [{"externalId": "a"}]}),
    ("candidate.assign", "students", {**AUTH, "students": [{"externalId": "a"}]}),
    ("candidate.remove", "students", {**AUTH, "students": [{"externalId": "a"}]}),
    ("candidate.assign", "", [{**AUTH, "externalId": "a"}]),
]


@pytest.mark.parametrize(("name", "wrapper", "body"), WRAPPED)
def test_what_is_sent_goes_into_the_wrapper_that_is_reported(
    make_target: MakeTarget, tenant: HttpTenant, name: str, wrapper: str, body: Any
) -> None:
    if name == "staff.create":
        tenant.staff.clear()
    target, call = _overridden(make_target, name, wrapper=wrapper)
    path = call.path.partition("?")[0].format(test=EXAM)
    tenant.every(call.method, path, 200, ANSWERS.get(name, DONE))
    USES[name](target)
    assert [seen.body for seen in tenant.calls(call.method, path)] == [body]
