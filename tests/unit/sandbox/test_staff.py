from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import ASE, BERIT, CONTRIBUTORS, ApiClient, errors, only_test, plant, staff_batch

STAFF = "/v1/users"
EXTERNAL = "/v1/users/external/FEIDE/berit@example.edu"


def user_id(sandbox: Sandbox, kind: str = "staff") -> int:
    (person,) = sandbox.contents()[kind]
    return int(person["userId"])


def test_a_new_member_of_staff_is_made_and_answered_with_the_username(
    client: ApiClient, sandbox: Sandbox
) -> None:
    more = {
        "status": "ACTIVE",
        "authorizedAccesses": ["grading", "authoring"],
        "organisations": ["IFI"],
    }
    answer = client.post(STAFF, BERIT | more | {"userType": "admin", "password": "Sommer-2026"})
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "username": "berit@example.edu"},
    )
    (person,) = sandbox.contents()["staff"]
    assert person == BERIT | {
        "userId": person["userId"],
        "passwordSet": True,
        "status": "ACTIVE",
        "authorizedAccesses": ["authoring", "grading"],
        "organisations": ["IFI"],
    }
    assert sandbox.contents()["students"] == []


def test_staff_are_active_without_accesses_until_somebody_says_otherwise(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post(STAFF, BERIT)
    (person,) = sandbox.contents()["staff"]
    assert (person["status"], person["authorizedAccesses"], person["organisations"]) == (
        "ACTIVE",
        [],
        [],
    )


def test_staff_are_disabled_and_enabled_by_username_and_the_rest_stays(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post(STAFF, BERIT | {"organisations": ["IFI"]})
    (before,) = sandbox.contents()["staff"]
    client.post(STAFF, {"username": BERIT["username"], "status": "DISABLED"})
    assert sandbox.contents()["staff"] == [before | {"status": "DISABLED"}]
    client.post(STAFF, {"username": BERIT["username"], "status": "ACTIVE"})
    assert sandbox.contents()["staff"] == [before]


def test_lists_are_replaced_whole_and_an_empty_one_clears(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post(STAFF, BERIT | {"organisations": ["IFI", "MAT"], "authorizedAccesses": ["grading"]})
    client.post(
        STAFF, {"username": BERIT["username"], "organisations": ["MAT"], "authorizedAccesses": []}
    )
    (person,) = sandbox.contents()["staff"]
    assert (person["organisations"], person["authorizedAccesses"]) == (["MAT"], [])


@pytest.mark.parametrize(
    ("first", "second"),
    [(STAFF, "/v1/users/student"), ("/v1/users/student", STAFF)],
    ids=["staff", "student"],
)
def test_a_username_belongs_to_one_person_of_either_kind(
    client: ApiClient, sandbox: Sandbox, first: str, second: str
) -> None:
    client.post(first, ASE)
    before = sandbox.contents()
    answer = client.post(second, {"username": ASE["username"], "firstName": "Ola"})
    assert (answer.status_code, errors(answer)) == (
        409,
        "username ase@example.edu belongs to another user",
    )
    assert sandbox.contents() == before


def test_an_external_id_of_a_learner_is_not_given_to_staff_as_well(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post("/v1/users/student", ASE)
    assert client.post(STAFF, BERIT | {"externalIds": ASE["externalIds"]}).status_code == 409
    assert sandbox.contents()["staff"] == []


def test_staff_are_deleted_with_what_they_do_on_tests_and_are_then_nobody(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(CONTRIBUTORS, staff_batch("berit@example.edu", roles=["evaluate"]))
    gone = user_id(sandbox)
    answer = client.call("DELETE", f"/v1/users/{gone}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert sandbox.contents()["staff"] == only_test(sandbox)["contributors"] == []
    for method in ("GET", "DELETE"):
        again = client.call(method, f"/v1/users/{gone}")
        assert (again.status_code, errors(again)) == (404, f"user {gone} does not exist")
    assert [one["committed"] for one in sandbox.requests() if one["method"] == "DELETE"] == [
        True,
        False,
    ]


def test_a_user_id_is_never_given_again(client: ApiClient, sandbox: Sandbox) -> None:
    client.post(STAFF, BERIT)
    before = user_id(sandbox)
    client.call("DELETE", f"/v1/users/{before}")
    client.post(STAFF, BERIT)
    assert user_id(sandbox) > before


def test_learners_cannot_be_deleted(client: ApiClient, sandbox: Sandbox) -> None:
    client.post("/v1/users/student", ASE)
    answer = client.call("DELETE", f"/v1/users/{user_id(sandbox, 'students')}")
    assert answer.status_code == 400
    assert "cannot be deleted" in errors(answer)
    assert len(sandbox.contents()["students"]) == 1


def test_staff_are_read_by_user_id_with_their_status(client: ApiClient, sandbox: Sandbox) -> None:
    client.post(STAFF, BERIT | {"status": "DISABLED", "organisations": ["IFI"]})
    number = user_id(sandbox)
    assert client.get(f"/v1/users/{number}").json() == BERIT | {
        "userId": number,
        "status": "DISABLED",
    }


@pytest.mark.parametrize("query", ["", "?includeStudent=True"])
def test_staff_are_always_in_the_external_look_up(client: ApiClient, query: str) -> None:
    client.post(STAFF, BERIT)
    (found,) = client.get(f"{EXTERNAL}{query}").json()
    assert (found["username"], found["status"]) == ("berit@example.edu", "ACTIVE")


def test_a_search_finds_learners_and_staff(client: ApiClient) -> None:
    client.post(STAFF, BERIT)
    client.post("/v1/users/student", ASE)
    found = client.get("/v1/users/search?query=example.edu").json()
    assert [one["username"] for one in found] == ["berit@example.edu", "ase@example.edu"]
    assert ["status" in one for one in found] == [True, False]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"username": ""}, "username: must not be empty"),
        ({"status": "GONE"}, "status: must be one of ACTIVE, DISABLED"),
        ({"status": "active"}, "status: must be one of ACTIVE, DISABLED"),
        (
            {"userType": "student"},
            "userType: must not be student; learners have their own call",
        ),
        ({"organisations": "IFI"}, "organisations: must be a list"),
        (
            {"organisations": [1]},
            "organisations: must contain only text, not blank and at most 1000 characters long",
        ),
        ({"authorizedAccesses": [" "]}, "authorizedAccesses: must contain only text, not blank"),
        ({"rank": ["evaluate"]}, "rank: is not a known name"),
    ],
)
def test_staff_that_the_vendor_would_refuse_are_refused_by_name(
    stranger: ApiClient, shared: Sandbox, wrong: dict[str, Any], complaint: str
) -> None:
    answer = stranger.post(STAFF, BERIT | wrong)
    assert answer.status_code == 400
    assert errors(answer).startswith(complaint)
    assert shared.contents()["staff"] == []


def test_the_flat_form_of_staff_is_stored_and_the_two_forms_are_not_mixed(
    client: ApiClient, sandbox: Sandbox
) -> None:
    flat = {
        "username": "kari",
        "externalId": "kari@example.edu",
        "externalSystem": "FEIDE",
        "orgUnitName": "Physics",
        "roles": ["plan"],
    }
    assert client.post("/v1/users", flat).status_code == 200
    (kari,) = sandbox.contents()["staff"]
    assert kari["externalIds"] == [{"authType": "FEIDE", "externalId": "kari@example.edu"}]
    assert (kari["organisations"], kari["authorizedAccesses"]) == (["Physics"], ["plan"])
    answer = client.post("/v1/users", flat | {"organisations": ["Music"]})
    assert errors(answer).startswith("the body: must be flat or nested, and not both")
