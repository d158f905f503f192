from datetime import timedelta
from typing import Any

import pytest
import requests
from sync.sandbox import Sandbox

from .api_client import (
    ASE,
    BERIT,
    CANDIDATES,
    COMMITTEES,
    CONTRIBUTORS,
    EXAM,
    TEST,
    ApiClient,
    Clock,
    batch,
    committees,
    learner,
    only_test,
    plant,
    staff_batch,
)

DELAY = 5
EXTERNAL = "/v1/users/external/FEIDE/ase@example.edu?includeStudent=True"


@pytest.fixture(autouse=True)
def delayed(sandbox: Sandbox) -> None:
    """Make the exam and its people readable; later writes are readable later."""
    plant(sandbox)
    sandbox.control(failures={"seconds": {"delayed_visibility": DELAY}})


def later(clock: Clock, seconds: float = DELAY) -> None:
    clock.now += timedelta(seconds=seconds)


def seen(client: ApiClient) -> dict[str, Any]:
    """What every kind of read shows."""
    test = client.get(TEST).json()["result"]
    return {
        "name": test["name"],
        "committees": [one["name"] for one in test["committees"]],
        "contributors": [one["userName"] for one in test["contributors"]],
        "candidates": [one["extraTimeMins"] for one in client.get(CANDIDATES).json()["candidates"]],
        "by external id": [one["firstName"] for one in client.get(EXTERNAL).json()],
        "people": [
            one["username"] for one in client.get("/v1/users/search?query=example.edu").json()
        ],
        "tests": [one["externalId"] for one in client.get("/v1/test/search").json()["results"]],
    }


def write_everything(client: ApiClient) -> None:
    for path, body in (
        ("/v1/users/student", {"username": ASE["username"], "firstName": "Aase"}),
        ("/v1/users", BERIT | {"username": "ny@example.edu", "externalIds": []}),
        ("/v1/test?isExternal=true", EXAM | {"title": "Nytt navn"}),
        ("/v1/test?isExternal=true", EXAM | {"externalTestId": "T2"}),
        (COMMITTEES, committees("A")),
        (CONTRIBUTORS, staff_batch("berit@example.edu", roles=["evaluate"], committeesName=["A"])),
        (CANDIDATES, batch("ase@example.edu", extraTimeMins=30, committeesName=["A"])),
    ):
        assert client.post(path, body).status_code in (200, 201)


def test_reads_of_every_kind_see_the_older_state_until_the_delay_is_over(
    client: ApiClient, clock: Clock
) -> None:
    before = seen(client)
    write_everything(client)
    later(clock, DELAY - 1)
    assert seen(client) == before
    later(clock, 1)
    assert seen(client) == {
        "name": "Nytt navn",
        "committees": ["A"],
        "contributors": ["berit@example.edu"],
        "candidates": [30],
        "by external id": ["Aase"],
        "people": ["ase@example.edu", "berit@example.edu", "ny@example.edu"],
        "tests": ["INF1000-H26", "T2"],
    }


def test_what_is_read_in_the_end_is_what_is_held(
    client: ApiClient, sandbox: Sandbox, clock: Clock
) -> None:
    write_everything(client)
    later(clock)
    delayed = [
        client.get(f"/v1/users/{one['userId']}").json() for one in sandbox.contents()["staff"]
    ]
    seats = client.get(CANDIDATES).json()
    sandbox.control(failures={})
    assert [
        client.get(f"/v1/users/{one['userId']}").json() for one in sandbox.contents()["staff"]
    ] == delayed
    assert client.get(CANDIDATES).json() == seats


def test_writes_become_readable_one_after_the_other(client: ApiClient, clock: Clock) -> None:
    shown = []
    for minutes in (10, 20, 30):
        client.post(CANDIDATES, batch("ase@example.edu", extraTimeMins=minutes))
        later(clock, 3)
        shown.append([one["extraTimeMins"] for one in client.get(CANDIDATES).json()["candidates"]])
    assert shown == [[], [10], [20]]


def test_a_write_builds_on_what_is_not_readable_yet(client: ApiClient, sandbox: Sandbox) -> None:
    client.post("/v1/users/student", learner(1))
    assert client.post(CANDIDATES, batch("prove1@example.edu")).status_code == 200
    assert client.delete(CANDIDATES, batch("prove1@example.edu")).status_code == 200
    assert only_test(sandbox)["candidates"] == []


def test_a_removal_is_seen_late_too(client: ApiClient, clock: Clock, sandbox: Sandbox) -> None:
    gone = sandbox.contents()["staff"][0]["userId"]
    client.call("DELETE", f"/v1/users/{gone}")
    assert client.get(f"/v1/users/{gone}").status_code == 200
    later(clock)
    assert client.get(f"/v1/users/{gone}").status_code == 404


def test_a_refused_write_is_never_seen(client: ApiClient, clock: Clock) -> None:
    assert client.post(CANDIDATES, batch("ase@example.edu", "ukjent")).status_code == 400
    later(clock)
    assert client.get(CANDIDATES).json() == {"candidates": []}


def test_edits_by_hand_are_seen_late_as_well(
    client: ApiClient, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.edit(committee={"test": "INF1000-H26", "name": "A"})
    assert client.get(TEST).json()["result"]["committees"] == []
    later(clock)
    assert len(client.get(TEST).json()["result"]["committees"]) == 1


def test_an_export_shows_the_older_state(client: ApiClient, clock: Clock) -> None:
    client.post("/v1/users/student", learner(1))
    order = {"resourceType": "AllUsers", "parameters": {"userType": "student"}}
    job = client.post("/v1/fileExport/order", order).json()["jobId"]
    client.get(f"/v1/fileExport/status/{job}")
    url = client.get(f"/v1/fileExport/status/{job}").json()["exportInfo"]["signedResponseUrl"]
    assert len(requests.get(url, timeout=10).json()["students"]) == 1
    later(clock)
    assert len(requests.get(url, timeout=10).json()["students"]) == 2


def test_everything_is_readable_at_once_when_the_delay_ends_and_a_new_one_starts_from_there(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post(COMMITTEES, committees("A"))
    sandbox.control(failures={})
    assert len(client.get(TEST).json()["result"]["committees"]) == 1
    sandbox.control(failures={"seconds": {"delayed_visibility": DELAY}})
    client.post(COMMITTEES, committees("B"))
    assert [one["name"] for one in client.get(TEST).json()["result"]["committees"]] == ["A"]


def test_writes_that_are_put_off_are_counted_and_held_all_the_same(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post(COMMITTEES, committees("A"))
    client.get(TEST)
    assert sandbox.control()["failure_counts"]["delayed_visibility"] == 1
    assert len(only_test(sandbox)["committees"]) == 1
