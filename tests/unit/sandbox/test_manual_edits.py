import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import ASE, BERIT, EMPTY, EXAM, ApiClient, Clock, errors, only_test, plant

BY_HAND = {
    "test": "T1",
    "title": "Prøve",
    "start": EXAM["startTime"],
    "end": EXAM["endTime"],
    "duration": 60,
}


def test_a_test_made_by_hand_is_found_by_a_search_and_has_no_template(
    client: ApiClient, sandbox: Sandbox
) -> None:
    made = sandbox.edit(**BY_HAND)
    (found,) = client.get("/v1/test/search?externalTestID=T1").json()["results"]
    assert found["assessmentRunId"] == made["assessmentRunId"]
    assert sandbox.contents()["tests"][0]["templates_sent"] == 0


def test_times_moved_by_hand_show_in_a_search_and_the_rest_stays(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    before = sandbox.contents()["tests"][0]
    sandbox.edit(test="INF1000-H26", end="2026-12-01T13:30:00Z")
    (found,) = client.get("/v1/test/search").json()["results"]
    assert (found["startTime"], found["endTime"]) == (EXAM["startTime"], "2026-12-01T13:30:00Z")
    assert sandbox.contents()["tests"][0] == before | {"endTime": "2026-12-01T13:30:00Z"}


def test_a_template_named_by_hand_was_not_sent_over_the_wire(sandbox: Sandbox) -> None:
    sandbox.edit(**BY_HAND, template=1001)
    (test,) = sandbox.contents()["tests"]
    assert (test["sourceTemplateId"], test["templates_sent"]) == ("1001", 0)


def test_a_seat_is_given_changed_and_taken_away_by_hand(sandbox: Sandbox) -> None:
    plant(sandbox)
    by_login = {"test": "INF1000-H26", "username": "ase@example.edu"}
    by_id = {"test": "INF1000-H26", "authType": "FEIDE", "externalId": "ase@example.edu"}
    sandbox.edit(candidate=by_login | {"candidateId": "K-1", "extraTimeMins": 15})
    sandbox.edit(candidate=by_id | {"extraTimeMins": 45})
    (seat,) = sandbox.contents()["tests"][0]["candidates"]
    assert (seat["candidateId"], seat["extraTimeMins"]) == ("K-1", 45)
    sandbox.edit(candidate=by_id | {"removed": True})
    assert sandbox.contents()["tests"][0]["candidates"] == []


def test_a_learner_is_made_and_changed_by_hand(client: ApiClient, sandbox: Sandbox) -> None:
    made = sandbox.edit(student=ASE)
    changed = sandbox.edit(student={"username": ASE["username"], "firstName": "Aase"})
    assert made == changed
    assert client.get(f"/v1/users/{made['userId']}").json()["firstName"] == "Aase"


def test_staff_are_made_disabled_and_removed_by_hand(sandbox: Sandbox) -> None:
    made = sandbox.edit(staff=BERIT)
    assert sandbox.edit(staff={"username": BERIT["username"], "status": "DISABLED"}) == made
    assert [one["status"] for one in sandbox.contents()["staff"]] == ["DISABLED"]
    assert sandbox.edit(staff={"username": BERIT["username"], "removed": True}) == made
    assert sandbox.contents() == EMPTY


def test_a_learner_is_removed_by_hand_together_with_their_seats(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    sandbox.edit(committee={"test": "INF1000-H26", "name": "A"})
    sandbox.edit(
        candidate={"test": "INF1000-H26", "username": ASE["username"], "committees": ["A"]}
    )
    gone = sandbox.edit(student={"username": ASE["username"], "removed": True})["userId"]
    assert only_test(sandbox)["candidates"] == sandbox.contents()["students"] == []
    assert client.get(f"/v1/users/{gone}").status_code == 404


def test_a_contributor_is_put_on_changed_and_taken_off_by_hand(sandbox: Sandbox) -> None:
    plant(sandbox)
    by_login = {"test": "INF1000-H26", "username": "berit@example.edu"}
    by_id = {"test": "INF1000-H26", "authType": "FEIDE", "externalId": "berit@example.edu"}
    sandbox.edit(committee={"test": "INF1000-H26", "name": "A"})
    sandbox.edit(
        contributor=by_login | {"roles": ["monitor"], "committees": ["A"], "roomName": "101"}
    )
    sandbox.edit(contributor=by_id | {"roles": ["evaluate"], "buildingName": "Øst"})
    (one,) = only_test(sandbox)["contributors"]
    assert (one["roles"], one["committees"], one["notified"]) == (["evaluate"], ["A"], 0)
    assert (one["roomName"], one["buildingName"]) == ("101", "Øst")
    sandbox.edit(contributor=by_id | {"removed": True})
    assert only_test(sandbox)["contributors"] == []


def test_a_committee_is_made_and_removed_by_hand(sandbox: Sandbox) -> None:
    plant(sandbox)
    committee = {"test": "INF1000-H26", "name": "A", "type": "REASSESSMENT"}
    sandbox.edit(committee=committee)
    assert only_test(sandbox)["committees"] == [{"name": "A", "type": "REASSESSMENT"}]
    sandbox.edit(committee=committee | {"removed": True})
    assert only_test(sandbox)["committees"] == []


def test_an_option_is_set_by_hand_in_its_own_group_even_when_the_test_has_begun(
    sandbox: Sandbox, clock: Clock
) -> None:
    plant(sandbox)
    clock.now = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    for name, value in (("LOCKDOWN_BROWSER", True), ("SOMETHING", "x")):
        sandbox.edit(option={"test": "INF1000-H26", "option": name, "value": value})
    held = only_test(sandbox)["options"]
    assert (held["securityOptions"], held["generalOptions"]) == (
        {"LOCKDOWN_BROWSER": True},
        {"SOMETHING": "x"},
    )


def test_edits_come_over_the_wire_without_a_token(client: ApiClient, sandbox: Sandbox) -> None:
    answer = client.page("POST", "manual-edits", BY_HAND)
    (test,) = sandbox.contents()["tests"]
    assert (answer.status_code, answer.json()) == (
        200,
        {"assessmentRunId": test["assessmentRunId"]},
    )
    assert client.page("GET", "contents").json() == sandbox.contents()


@pytest.mark.parametrize(
    ("edit", "status", "complaint"),
    [
        ({}, 400, "the edit: must have one of test, candidate, student, staff"),
        ([], 400, "the edit: must have one of test, candidate, student, staff"),
        ({"student": ASE, "candidate": {}}, 400, "the edit: must have one of"),
        ({"student": ASE, "title": "x"}, 400, "the edit: must have nothing in addition to student"),
        ({"test": "T1", "title": "x"}, 400, "startTime: is missing"),
        ({"test": 1}, 400, "externalTestId: must not be empty"),
        (BY_HAND | {"end": EXAM["startTime"]}, 400, "endTime: must be after startTime"),
        (BY_HAND | {"room": "x"}, 400, "room: is not a known name"),
        ({"student": {"username": ""}}, 400, "username: must not be empty"),
        ({"candidate": {"username": "x"}}, 400, "candidate.test: is missing"),
        (
            {"candidate": {"test": "T1", "username": "x", "removed": "yes"}},
            400,
            "candidate.removed: must be true or",
        ),
        ({"candidate": {"test": "T1", "username": "x"}}, 404, "test T1 does not exist"),
        ({"staff": BERIT | {"status": "GONE"}}, 400, "status: must be one of ACTIVE, DISABLED"),
        ({"staff": {"username": "x", "removed": True}}, 404, "x: no such staff"),
        ({"student": {"username": "x", "removed": True}}, 404, "x: no such student"),
        (
            {"student": {"username": "x", "removed": False}},
            400,
            "student.removed: must be true, or left out",
        ),
        ({"student": {"firstName": "x", "removed": True}}, 400, "student.username: is missing"),
        (
            {"contributor": {"test": "T1", "roles": ["boss"]}},
            400,
            "contributor.roles: must contain only evaluate, ",
        ),
        ({"contributor": {"test": "T1", "username": "x"}}, 404, "test T1 does not exist"),
        ({"committee": {"test": "T1"}}, 400, "committee.name: is missing"),
        ({"committee": {"test": "T1", "name": "A"}}, 404, "test T1 does not exist"),
        (
            {"option": {"test": "T1", "option": "LOCKDOWN_BROWSER", "value": 1}},
            400,
            "option.value: must be true or",
        ),
        ({"option": {"test": "T1", "option": "X", "value": 1}}, 404, "test T1 does not exist"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_by_name(
    stranger: ApiClient, shared: Sandbox, edit: Any, status: int, complaint: str
) -> None:
    answer = stranger.page("POST", "manual-edits", edit)
    assert answer.status_code == status
    assert errors(answer).startswith(complaint)
    assert shared.contents() == EMPTY


@pytest.mark.parametrize(
    ("who", "complaint"),
    [
        ({"username": "ukjent"}, "ukjent: no such student"),
        ({"authType": "FEIDE", "externalId": "ukjent"}, "ukjent: no such student"),
        ({}, "nobody: no such student"),
        (
            {"username": "ase@example.edu", "removed": True},
            "is not a candidate of test INF1000-H26",
        ),
    ],
)
def test_a_seat_of_nobody_is_refused(
    client: ApiClient, sandbox: Sandbox, who: dict[str, Any], complaint: str
) -> None:
    plant(sandbox)
    answer = client.page("POST", "manual-edits", {"candidate": {"test": "INF1000-H26", **who}})
    assert answer.status_code == 404
    assert complaint in errors(answer)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (
            {"contributor": {"username": "ase@example.edu", "roles": ["plan"]}},
            "ase@example.edu: no such staff",
        ),
        (
            {"contributor": {"username": "berit@example.edu", "removed": True}},
            "is not a contributor of test INF1000",
        ),
        (
            {"contributor": {"username": "berit@example.edu", "committees": ["X"]}},
            "Committee X does not exist",
        ),
        (
            {"candidate": {"username": "ase@example.edu", "committees": ["X"]}},
            "Committee X does not exist",
        ),
        ({"committee": {"name": "X", "removed": True}}, "Committee X does not exist"),
    ],
)
def test_an_edit_of_what_is_not_there_is_refused_by_name(
    client: ApiClient, sandbox: Sandbox, edit: dict[str, dict[str, Any]], complaint: str
) -> None:
    plant(sandbox)
    ((kind, said),) = edit.items()
    answer = client.page("POST", "manual-edits", {kind: {"test": "INF1000-H26"} | said})
    assert answer.status_code == 404
    assert complaint in errors(answer)


def test_each_example_that_the_page_and_a_get_show_is_accepted(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    for kind, person, login in (("student", ASE, "s1001"), ("staff", BERIT, "t7001")):
        ids = [{"authType": "FEIDE", "externalId": f"{login}@example.edu"}]
        sandbox.edit(**{kind: {**person, "username": f"{login}@example.edu", "externalIds": ids}})
    (examples,) = client.page("GET", "manual-edits").json().values()
    page = files("sync.help").joinpath("sandbox.md").read_text("utf-8")
    for edit in examples.values():
        assert client.page("POST", "manual-edits", edit).status_code == 200, edit
        assert f"`{json.dumps(edit)}`" in page
