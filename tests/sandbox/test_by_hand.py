from typing import Any

import pytest
from sync.sandbox import Sandbox

from .tenant import ASE, EMPTY, EXAM, Tenant, errors, plant

BY_HAND = {"test": "T1", "title": "Prøve", "start": EXAM["startTime"], "end": EXAM["endTime"], "duration": 60}


def test_a_test_made_by_hand_is_found_by_a_search_and_has_no_template(tenant: Tenant, sandbox: Sandbox) -> None:
    made = sandbox.by_hand(**BY_HAND)
    (found,) = tenant.get("/v1/test/search?externalTestID=T1").json()["results"]
    assert found["assessmentRunId"] == made["assessmentRunId"]
    assert sandbox.contents()["tests"][0]["templates_sent"] == 0


def test_times_moved_by_hand_show_in_a_search_and_the_rest_stays(tenant: Tenant, sandbox: Sandbox) -> None:
    plant(sandbox)
    before = sandbox.contents()["tests"][0]
    sandbox.by_hand(test="INF1000-H26", end="2026-12-01T13:30:00Z")
    (found,) = tenant.get("/v1/test/search").json()["results"]
    assert (found["startTime"], found["endTime"]) == (EXAM["startTime"], "2026-12-01T13:30:00Z")
    assert sandbox.contents()["tests"][0] == before | {"endTime": "2026-12-01T13:30:00Z"}


def test_a_template_named_by_hand_was_not_sent_over_the_wire(sandbox: Sandbox) -> None:
    sandbox.by_hand(**BY_HAND, template=1001)
    (test,) = sandbox.contents()["tests"]
    assert (test["sourceTemplateId"], test["templates_sent"]) == ("1001", 0)


def test_a_seat_is_given_changed_and_taken_away_by_hand(sandbox: Sandbox) -> None:
    plant(sandbox)
    by_login = {"test": "INF1000-H26", "username": "ase@example.edu"}
    by_id = {"test": "INF1000-H26", "authType": "FEIDE", "externalId": "ase@example.edu"}
    sandbox.by_hand(candidate=by_login | {"candidateId": "K-1", "extraTimeMins": 15})
    sandbox.by_hand(candidate=by_id | {"extraTimeMins": 45})
    (seat,) = sandbox.contents()["tests"][0]["candidates"]
    assert (seat["candidateId"], seat["extraTimeMins"]) == ("K-1", 45)
    sandbox.by_hand(candidate=by_id | {"removed": True})
    assert sandbox.contents()["tests"][0]["candidates"] == []


def test_a_learner_is_made_and_changed_by_hand(tenant: Tenant, sandbox: Sandbox) -> None:
    made = sandbox.by_hand(student=ASE)
    changed = sandbox.by_hand(student={"username": ASE["username"], "firstName": "Aase"})
    assert made == changed
    assert tenant.get(f"/v1/users/{made['userId']}").json()["firstName"] == "Aase"


def test_edits_come_over_the_wire_without_a_token(tenant: Tenant, sandbox: Sandbox) -> None:
    answer = tenant.page("POST", "by-hand", BY_HAND)
    (test,) = sandbox.contents()["tests"]
    assert (answer.status_code, answer.json()) == (200, {"assessmentRunId": test["assessmentRunId"]})
    assert tenant.page("GET", "contents").json() == sandbox.contents()


@pytest.mark.parametrize(
    ("edit", "status", "complaint"),
    [
        ({}, 400, "the edit: must have one of test, candidate, student, staff"),
        ([], 400, "the edit: must have one of test, candidate, student, staff"),
        ({"student": ASE, "candidate": {}}, 400, "the edit: must have one of"),
        ({"student": ASE, "title": "x"}, 400, "the edit: must have nothing beside student"),
        ({"test": "T1", "title": "x"}, 400, "startTime: is missing"),
        ({"test": 1}, 400, "externalTestId: must not be empty"),
        (BY_HAND | {"end": EXAM["startTime"]}, 400, "endTime: must be after startTime"),
        (BY_HAND | {"room": "x"}, 400, "room: is not known here"),
        ({"student": {"username": ""}}, 400, "username: must not be empty"),
        ({"candidate": {"username": "x"}}, 400, "candidate.test: is missing"),
        ({"candidate": {"test": "T1", "username": "x", "removed": "yes"}}, 400, "candidate.removed: must be true or"),
        ({"candidate": {"test": "T1", "username": "x"}}, 404, "test T1 does not exist"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_by_name(
    stranger: Tenant, shared: Sandbox, edit: Any, status: int, complaint: str
) -> None:
    answer = stranger.page("POST", "by-hand", edit)
    assert answer.status_code == status
    assert errors(answer).startswith(complaint)
    assert shared.contents() == EMPTY


@pytest.mark.parametrize(
    ("who", "complaint"),
    [
        ({"username": "ukjent"}, "ukjent: no such student"),
        ({"authType": "FEIDE", "externalId": "ukjent"}, "ukjent: no such student"),
        ({}, "nobody: no such student"),
        ({"username": "ase@example.edu", "removed": True}, "is not a candidate of test INF1000-H26"),
    ],
)
def test_a_seat_of_nobody_is_refused(tenant: Tenant, sandbox: Sandbox, who: dict[str, Any], complaint: str) -> None:
    plant(sandbox)
    answer = tenant.page("POST", "by-hand", {"candidate": {"test": "INF1000-H26", **who}})
    assert answer.status_code == 404
    assert complaint in errors(answer)
