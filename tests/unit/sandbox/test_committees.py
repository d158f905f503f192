from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import (
    CANDIDATES,
    COMMITTEES,
    CONTRIBUTORS,
    TEST,
    ApiClient,
    batch,
    committees,
    errors,
    only_test,
    plant,
    staff_batch,
)


def names(sandbox: Sandbox) -> list[str]:
    return [one["name"] for one in only_test(sandbox)["committees"]]


def test_committees_are_made_for_grading_unless_it_is_said_otherwise(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    answer = client.post(COMMITTEES, committees("Sensur Å"))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    run_id = only_test(sandbox)["assessmentRunId"]
    client.post(f"/v1/test/{run_id}/committees", committees("Klage", type="REASSESSMENT"))
    made = [{"name": "Klage", "type": "REASSESSMENT"}, {"name": "Sensur Å", "type": "GRADING"}]
    assert only_test(sandbox)["committees"] == made
    assert client.get(TEST).json()["result"]["committees"] == made


def test_an_existing_name_is_refused_and_nothing_of_the_batch_is_made(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A"))
    answer = client.post(COMMITTEES, committees("B", "A"))
    assert (answer.status_code, errors(answer)) == (400, "Committee A exists already")
    assert names(sandbox) == ["A"]
    assert sandbox.requests()[-1]["committed"] is False


def test_committees_are_removed_and_those_in_them_stay_on_the_test(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A", "B"))
    client.post(
        CONTRIBUTORS,
        staff_batch("berit@example.edu", roles=["evaluate"], committeesName=["A", "B"]),
    )
    client.post(CANDIDATES, batch("ase@example.edu", committeesName=["A"]))
    answer = client.delete(COMMITTEES, committees("A"))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    test = only_test(sandbox)
    assert names(sandbox) == ["B"]
    assert [one["committees"] for one in test["contributors"]] == [["B"]]
    assert [one["committees"] for one in test["candidates"]] == [[]]


def test_removing_a_committee_that_is_not_there_names_it_and_removes_none(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A"))
    answer = client.delete(COMMITTEES, committees("A", "X"))
    assert (answer.status_code, errors(answer)) == (404, "Committee X does not exist")
    assert names(sandbox) == ["A"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_committees_of_an_unknown_test_are_not_found(stranger: ApiClient, method: str) -> None:
    answer = stranger.call(method, COMMITTEES, committees("A"))
    assert (answer.status_code, errors(answer)) == (404, "test INF1000-H26 does not exist")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "committees: is missing"),
        (committees(), "committees: must not be empty"),
        (committees(" "), "committees[0].name: must not be empty"),
        (committees("x" * 51), "committees[0].name: at most 50 characters, has 51"),
        (committees("A", "A"), "committees[1].name: A is in this batch twice"),
        (
            committees("A", type="grading"),
            "committees[0].type: must be one of GRADING, REASSESSMENT",
        ),
        (committees("A", kind="GRADING"), "committees[0].kind: is not a known name"),
    ],
)
def test_committees_that_the_vendor_would_refuse_are_refused_by_name(
    client: ApiClient, sandbox: Sandbox, body: Any, complaint: str
) -> None:
    plant(sandbox)
    answer = client.post(COMMITTEES, body)
    assert (answer.status_code, errors(answer)) == (400, complaint)
    assert names(sandbox) == []


def test_fifty_characters_are_not_too_many(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    assert client.post(COMMITTEES, committees("Ø" * 50)).status_code == 200


def test_a_candidate_is_put_into_committees_and_moved_by_the_next_post(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A", "B"))
    seen = []
    for said in ({"committeesName": ["B", "A"]}, {"extraTimeMins": 5}, {"committeesName": ["B"]}):
        assert client.post(CANDIDATES, batch("ase@example.edu", **said)).status_code == 200
        seen += [seat["committees"] for seat in only_test(sandbox)["candidates"]]
    assert seen == [["A", "B"], ["A", "B"], ["B"]]


def test_a_candidate_who_comes_back_is_in_no_committee(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A"))
    client.post(CANDIDATES, batch("ase@example.edu", committeesName=["A"]))
    client.delete(CANDIDATES, batch("ase@example.edu"))
    client.post(CANDIDATES, batch("ase@example.edu"))
    assert [seat["committees"] for seat in only_test(sandbox)["candidates"]] == [[]]
