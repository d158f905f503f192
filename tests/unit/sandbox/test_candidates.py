from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import ASE, CANDIDATES, EXAM, ApiClient, batch, errors, learner, plant

LOGIN = "ase@example.edu"


def seats(sandbox: Sandbox) -> list[Any]:
    (test,) = sandbox.contents()["tests"]
    found: list[Any] = test["candidates"]
    return found


def test_a_learner_is_put_on_a_test_with_everything_that_is_said(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    said = {"candidateId": "K-17", "extraTimeMins": 30, "roomName": "Sal Å", "buildingName": "Øst"}
    person = {"firstName": "Åse", "lastName": "Prøvesen", "email": LOGIN}
    answer = client.post(CANDIDATES, batch(LOGIN, **said, **person, committeesName=[]))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    (seat,) = seats(sandbox)
    assert seat == said | {
        "userId": sandbox.contents()["students"][0]["userId"],
        "username": LOGIN,
        "externalUserIds": [{"authType": "FEIDE", "externalUserId": LOGIN}],
        "committees": [],
    }


def test_the_candidates_of_a_test_are_listed_by_its_own_id_and_by_ours(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(CANDIDATES, batch(LOGIN, candidateId="K-17", extraTimeMins=30, roomName="Sal Å"))
    contents = sandbox.contents()
    listed = {
        "candidates": [
            {
                "userId": contents["students"][0]["userId"],
                "candidateId": "K-17",
                "externalUserIds": [{"authType": "FEIDE", "externalUserId": LOGIN}],
                "extraTimeMins": 30,
            }
        ]
    }
    assert client.get(CANDIDATES).json() == listed
    assert (
        client.get(f"/v1/test/{contents['tests'][0]['assessmentRunId']}/candidates").json()
        == listed
    )


def test_a_test_without_candidates_lists_none(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    assert client.get(CANDIDATES).json() == {"candidates": []}


def test_a_second_post_changes_the_seat_and_what_is_left_out_stays(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(CANDIDATES, batch(LOGIN, candidateId="K-17", extraTimeMins=30, roomName="Sal Å"))
    client.post(CANDIDATES, batch(LOGIN, extraTimeMins=0, roomName=""))
    (seat,) = seats(sandbox)
    assert seat["roomName"] == "Sal Å"  # an empty text clears nothing
    client.post(CANDIDATES, batch(LOGIN, removeRoomName=True))
    (seat,) = seats(sandbox)
    assert (seat["candidateId"], seat["extraTimeMins"], seat["roomName"]) == ("K-17", 0, None)


def test_a_post_adds_to_those_already_there(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    sandbox.edit(student=learner(1))
    client.post(CANDIDATES, batch(LOGIN))
    client.post(CANDIDATES, batch("prove1@example.edu"))
    assert [seat["username"] for seat in seats(sandbox)] == [LOGIN, "prove1@example.edu"]


def test_unknown_learners_are_all_named_and_nobody_of_the_batch_is_put_on(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    answer = client.post(CANDIDATES, batch("ukjent-1", LOGIN, "ukjent-2"))
    assert answer.status_code == 400
    said = errors(answer)
    assert "ukjent-1" in said
    assert "ukjent-2" in said
    assert LOGIN not in said
    assert seats(sandbox) == []


def test_a_learner_known_in_another_system_is_unknown_here(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    answer = client.post(CANDIDATES, batch(LOGIN) | {"authenticationSystem": "EMAIL"})
    assert answer.status_code == 400
    assert f"{LOGIN} (EMAIL)" in errors(answer)


def test_a_learner_is_taken_off_and_can_be_put_on_again(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(CANDIDATES, batch(LOGIN, candidateId="K-17"))
    answer = client.delete(CANDIDATES, batch(LOGIN))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert seats(sandbox) == []
    client.post(CANDIDATES, batch(LOGIN))
    assert seats(sandbox)[0]["candidateId"] is None


@pytest.mark.parametrize(
    "absent", ["prove1@example.edu", "ukjent-1"], ids=["not on the test", "nobody"]
)
def test_taking_off_somebody_who_is_not_there_names_them_and_takes_nobody_off(
    client: ApiClient, sandbox: Sandbox, absent: str
) -> None:
    plant(sandbox)
    sandbox.edit(student=learner(1))
    client.post(CANDIDATES, batch(LOGIN))
    answer = client.delete(CANDIDATES, batch(LOGIN, absent))
    assert answer.status_code == 404
    assert absent in errors(answer)
    assert LOGIN not in errors(answer)
    assert len(seats(sandbox)) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_candidates_of_an_unknown_test_are_not_found(stranger: ApiClient, method: str) -> None:
    answer = stranger.call(method, CANDIDATES, batch(LOGIN))
    assert (answer.status_code, errors(answer)) == (404, "test INF1000-H26 does not exist")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"candidates": [{"externalId": LOGIN}]}, "authenticationSystem: is missing"),
        ({"authenticationSystem": "FEIDE"}, "candidates: is missing"),
        (batch(), "candidates: must not be empty"),
        (batch(""), "candidates[0].externalId: must not be empty"),
        (batch(LOGIN, LOGIN), f"candidates[1].externalId: {LOGIN} is in this batch twice"),
        (
            batch(LOGIN, extraTimeMins=-1),
            "candidates[0].extraTimeMins: must be a whole number, 0 or more",
        ),
        (
            batch(LOGIN, extraTimeMins="30"),
            "candidates[0].extraTimeMins: must be a whole number, 0 or more",
        ),
        (batch(LOGIN, candidateId=17), "candidates[0].candidateId: must be text"),
        (batch(LOGIN, email="x"), "candidates[0].email: is not an email address"),
        (batch(LOGIN, extraTime=30), "candidates[0].extraTime: is not a known name"),
        (
            batch(LOGIN, committeesName=["A"]),
            "candidates[0].committeesName: Committee A does not exist",
        ),
        (batch(LOGIN, committeesName="A"), "candidates[0].committeesName: must be a list"),
    ],
)
def test_a_batch_that_the_vendor_would_refuse_is_refused_by_name(
    client: ApiClient, sandbox: Sandbox, body: dict[str, Any], complaint: str
) -> None:
    plant(sandbox)
    answer = client.post(CANDIDATES, body)
    assert (answer.status_code, errors(answer)) == (400, complaint)
    assert seats(sandbox) == []


def test_a_test_holds_1500_candidates_and_not_one_more(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    for number in range(1500):
        sandbox.edit(student=learner(number))
    full = batch(*(f"prove{number}@example.edu" for number in range(1500)))
    assert client.post(CANDIDATES, full).status_code == 200
    answer = client.post(CANDIDATES, batch(LOGIN))
    assert answer.status_code == 400
    assert "at most 1500 candidates, would have 1501" in errors(answer)
    assert client.post(CANDIDATES, batch("prove0@example.edu", extraTimeMins=5)).status_code == 200
    assert len(seats(sandbox)) == 1500


def test_a_learner_has_seats_of_their_own_on_each_test(client: ApiClient, sandbox: Sandbox) -> None:
    client.post("/v1/users/student", ASE)
    for number in (1, 2):
        client.post("/v1/test?isExternal=true", EXAM | {"externalTestId": f"T{number}"})
        client.post(
            f"/v1/test/T{number}/candidates?isExternal=true", batch(LOGIN, extraTimeMins=number)
        )
    client.delete("/v1/test/T1/candidates?isExternal=true", batch(LOGIN))
    first, second = sandbox.contents()["tests"]
    assert first["candidates"] == []
    assert second["candidates"][0]["extraTimeMins"] == 2


def test_a_room_cannot_be_given_and_taken_away_at_once(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    answer = client.post(CANDIDATES, batch(LOGIN, roomName="Sal Å", removeRoomName=True))
    assert answer.status_code == 400
    assert "removeRoomName: contradicts roomName" in answer.text
