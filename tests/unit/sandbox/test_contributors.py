from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import (
    BERIT,
    COMMITTEES,
    CONTRIBUTORS,
    TEST,
    ApiClient,
    committees,
    errors,
    only_test,
    plant,
    staff_batch,
)

LOGIN = "berit@example.edu"


def test_staff_are_put_on_a_test_with_everything_that_is_said(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("B", "A"))
    person = {"firstName": "Berit", "lastName": "Påhittad", "email": LOGIN}
    said = {"roomName": "Sal Å", "buildingName": "Øst"}
    body = staff_batch(
        LOGIN, roles=["monitor", "evaluate"], committeesName=["B", "A"], **person, **said
    )
    answer = client.post(CONTRIBUTORS, body)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert only_test(sandbox)["contributors"] == [
        said
        | {
            "userId": sandbox.contents()["staff"][0]["userId"],
            "username": LOGIN,
            "externalUserIds": [{"authType": "FEIDE", "externalUserId": LOGIN}],
            "roles": ["evaluate", "monitor"],
            "committees": ["A", "B"],
            "notified": 0,
        }
    ]


def test_a_test_shows_its_contributors_with_prefixed_roles_inside_a_wrapper(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A"))
    client.post(
        CONTRIBUTORS,
        staff_batch(LOGIN, roles=["evaluate", "chief_invigilate"], committeesName=["A"]),
    )
    shown = {
        "name": "INF1000 Prøveeksamen",
        "contributors": [
            {
                "userId": sandbox.contents()["staff"][0]["userId"],
                "firstName": "Berit",
                "lastName": "Påhittad",
                "userName": LOGIN,
                "roles": ["ar_chief_invigilate", "ar_evaluate"],
                "externalUserIds": [{"authType": "FEIDE", "externalUserId": LOGIN}],
                "committees": ["A"],
            }
        ],
        "committees": [{"name": "A", "type": "GRADING"}],
    }
    assert client.get(TEST).json() == {"result": shown}
    sandbox.control(wrapped=False)
    assert client.get(TEST).json() == shown


def test_a_second_post_sets_roles_and_committees_and_what_is_left_out_stays(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A", "B"))
    client.post(
        CONTRIBUTORS, staff_batch(LOGIN, roles=["evaluate"], committeesName=["A"], roomName="101")
    )
    client.post(CONTRIBUTORS, staff_batch(LOGIN, roles=["monitor"]))
    (one,) = only_test(sandbox)["contributors"]
    assert (one["roles"], one["committees"], one["roomName"]) == (["monitor"], ["A"], "101")
    client.post(
        CONTRIBUTORS,
        staff_batch(LOGIN, roles=["monitor"], committeesName=["B"], removeRoomName=True),
    )
    (one,) = only_test(sandbox)["contributors"]
    assert (one["committees"], one["roomName"]) == (["B"], None)


def test_every_notification_is_counted(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    for notify in (True, False, True):
        client.post(CONTRIBUTORS, staff_batch(LOGIN, roles=["evaluate"], sendNotification=notify))
    assert only_test(sandbox)["contributors"][0]["notified"] == 2


def test_a_committee_that_does_not_exist_is_an_error_in_a_200_and_nothing_is_done(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    sandbox.edit(
        staff={"username": "per", "externalIds": [{"authType": "FEIDE", "externalId": "per"}]}
    )
    body = staff_batch(LOGIN, roles=["evaluate"], committeesName=["Y", "X"], sendNotification=True)
    body["contributors"].append({"externalId": "per", "roles": ["evaluate"]})
    answer = client.post(CONTRIBUTORS, body)
    missing = ["Committee X does not exist", "Committee Y does not exist"]
    assert (answer.status_code, answer.json()) == (200, {"success": True, "errors": missing})
    assert only_test(sandbox)["contributors"] == []
    assert sandbox.requests()[-1]["committed"] is False


def test_unknown_staff_are_all_named_and_nobody_of_the_batch_is_put_on(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    answer = client.post(
        CONTRIBUTORS, staff_batch("ukjent-1", LOGIN, "ukjent-2", roles=["evaluate"])
    )
    assert answer.status_code == 400
    said = errors(answer)
    assert "externalId ukjent-1 (FEIDE): no such user" in said
    assert "externalId ukjent-2 (FEIDE): no such user" in said
    assert LOGIN not in said
    assert only_test(sandbox)["contributors"] == []


def test_learners_do_not_work_on_a_test_and_staff_do_not_sit_it(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    assert (
        client.post(CONTRIBUTORS, staff_batch("ase@example.edu", roles=["evaluate"])).status_code
        == 400
    )
    as_candidate = {"authenticationSystem": "FEIDE", "candidates": [{"externalId": LOGIN}]}
    assert (
        client.post("/v1/test/INF1000-H26/candidates?isExternal=true", as_candidate).status_code
        == 400
    )
    test = only_test(sandbox)
    assert test["contributors"] == test["candidates"] == []


def test_one_call_is_about_one_auth_system(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    answer = client.post(
        CONTRIBUTORS, staff_batch(LOGIN, roles=["evaluate"]) | {"authenticationSystem": "EMAIL"}
    )
    assert (answer.status_code, errors(answer)) == (
        400,
        f"externalId {LOGIN} (EMAIL): no such user",
    )


def test_staff_are_taken_off_and_come_back_without_what_they_had(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A"))
    client.post(
        CONTRIBUTORS, staff_batch(LOGIN, roles=["evaluate"], committeesName=["A"], roomName="101")
    )
    answer = client.delete(CONTRIBUTORS, staff_batch(LOGIN))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert only_test(sandbox)["contributors"] == []
    client.post(CONTRIBUTORS, staff_batch(LOGIN, roles=["monitor"]))
    (one,) = only_test(sandbox)["contributors"]
    assert (one["roles"], one["committees"], one["roomName"]) == (["monitor"], [], None)


def test_taking_off_somebody_who_is_not_there_names_them_and_takes_nobody_off(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(CONTRIBUTORS, staff_batch(LOGIN, roles=["evaluate"]))
    answer = client.delete(CONTRIBUTORS, staff_batch(LOGIN, "ase@example.edu", "ukjent"))
    assert answer.status_code == 404
    assert errors(answer).splitlines() == [
        "externalId ase@example.edu (FEIDE): is not a contributor of this test",
        "externalId ukjent (FEIDE): is not a contributor of this test",
    ]
    assert len(only_test(sandbox)["contributors"]) == 1


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_contributors_of_an_unknown_test_are_not_found(stranger: ApiClient, method: str) -> None:
    answer = stranger.call(method, CONTRIBUTORS, staff_batch(LOGIN, roles=["evaluate"]))
    assert (answer.status_code, errors(answer)) == (404, "test INF1000-H26 does not exist")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            {"contributors": [{"externalId": LOGIN, "roles": ["evaluate"]}]},
            "authenticationSystem: is missing",
        ),
        (staff_batch(roles=["evaluate"]), "contributors: must not be empty"),
        (staff_batch(LOGIN), "contributors[0].roles: is missing"),
        (staff_batch(LOGIN, roles=[]), "contributors[0].roles: must not be empty"),
        (
            staff_batch(LOGIN, roles=["boss"]),
            "contributors[0].roles: must contain only evaluate, monitor, plan, author, ",
        ),
        (
            staff_batch(LOGIN, roles=["ar_evaluate"]),
            "contributors[0].roles: must contain only evaluate, monitor, ",
        ),
        (staff_batch(LOGIN, roles="evaluate"), "contributors[0].roles: must be a list"),
        (
            staff_batch(LOGIN, LOGIN, roles=["plan"]),
            f"contributors[1].externalId: {LOGIN} is in this batch twice",
        ),
        (
            staff_batch(LOGIN, roles=["plan"], sendNotification="no"),
            "contributors[0].sendNotification: must be true",
        ),
        (
            staff_batch(LOGIN, roles=["plan"], committeesName="A"),
            "contributors[0].committeesName: must be a list",
        ),
        (
            staff_batch(LOGIN, roles=["plan"], email="x"),
            "contributors[0].email: is not an email address",
        ),
        (
            staff_batch(LOGIN, roles=["plan"], extraTimeMins=5),
            "contributors[0].extraTimeMins: is not a known name",
        ),
    ],
)
def test_a_batch_that_the_vendor_would_refuse_is_refused_by_name(
    client: ApiClient, sandbox: Sandbox, body: dict[str, Any], complaint: str
) -> None:
    plant(sandbox)
    answer = client.post(CONTRIBUTORS, body)
    assert answer.status_code == 400
    assert errors(answer).startswith(complaint)
    assert only_test(sandbox)["contributors"] == []


def test_names_and_email_in_a_batch_change_nobody(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    client.post(
        CONTRIBUTORS, staff_batch(LOGIN, roles=["plan"], firstName="Per", email="per@example.edu")
    )
    (person,) = sandbox.contents()["staff"]
    assert (person["firstName"], person["email"]) == (BERIT["firstName"], BERIT["email"])
