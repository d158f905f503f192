from datetime import timedelta
from typing import Any

import pytest
import requests
from sync.sandbox import Sandbox

from .tenant import (
    ASE,
    BERIT,
    CANDIDATES,
    COMMITTEES,
    CONTRIBUTORS,
    EXAM,
    TEST,
    Clock,
    Tenant,
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


def seen(tenant: Tenant) -> dict[str, Any]:
    """What every kind of read shows."""
    test = tenant.get(TEST).json()["result"]
    return {
        "name": test["name"],
        "committees": [one["name"] for one in test["committees"]],
        "contributors": [one["userName"] for one in test["contributors"]],
        "candidates": [one["extraTimeMins"] for one in tenant.get(CANDIDATES).json()["candidates"]],
        "by external id": [one["firstName"] for one in tenant.get(EXTERNAL).json()],
        "people": [
            one["username"] for one in tenant.get("/v1/users/search?query=example.edu").json()
        ],
        "tests": [one["externalId"] for one in tenant.get("/v1/test/search").json()["results"]],
    }


def write_everything(tenant: Tenant) -> None:
    for path, body in (
        ("/v1/users/student", {"username": ASE["username"], "firstName": "Aase"}),
        ("/v1/users", BERIT | {"username": "ny@example.edu", "externalIds": []}),
        ("/v1/test?isExternal=true", EXAM | {"title": "Nytt navn"}),
        ("/v1/test?isExternal=true", EXAM | {"externalTestId": "T2"}),
        (COMMITTEES, committees("A")),
        (CONTRIBUTORS, staff_batch("berit@example.edu", roles=["evaluate"], committeesName=["A"])),
        (CANDIDATES, batch("ase@example.edu", extraTimeMins=30, committeesName=["A"])),
    ):
        assert tenant.post(path, body).status_code in (200, 201)


def test_reads_of_every_kind_see_the_older_state_until_the_delay_is_over(
    tenant: Tenant, clock: Clock
) -> None:
    before = seen(tenant)
    write_everything(tenant)
    later(clock, DELAY - 1)
    assert seen(tenant) == before
    later(clock, 1)
    assert seen(tenant) == {
        "name": "Nytt navn",
        "committees": ["A"],
        "contributors": ["berit@example.edu"],
        "candidates": [30],
        "by external id": ["Aase"],
        "people": ["ase@example.edu", "berit@example.edu", "ny@example.edu"],
        "tests": ["INF1000-H26", "T2"],
    }


def test_what_is_read_in_the_end_is_what_is_held(
    tenant: Tenant, sandbox: Sandbox, clock: Clock
) -> None:
    write_everything(tenant)
    later(clock)
    delayed = [
        tenant.get(f"/v1/users/{one['userId']}").json() for one in sandbox.contents()["staff"]
    ]
    seats = tenant.get(CANDIDATES).json()
    sandbox.control(failures={})
    assert [
        tenant.get(f"/v1/users/{one['userId']}").json() for one in sandbox.contents()["staff"]
    ] == delayed
    assert tenant.get(CANDIDATES).json() == seats


def test_writes_become_readable_one_after_the_other(tenant: Tenant, clock: Clock) -> None:
    shown = []
    for minutes in (10, 20, 30):
        tenant.post(CANDIDATES, batch("ase@example.edu", extraTimeMins=minutes))
        later(clock, 3)
        shown.append([one["extraTimeMins"] for one in tenant.get(CANDIDATES).json()["candidates"]])
    assert shown == [[], [10], [20]]


def test_a_write_builds_on_what_is_not_readable_yet(tenant: Tenant, sandbox: Sandbox) -> None:
    tenant.post("/v1/users/student", learner(1))
    assert tenant.post(CANDIDATES, batch("prove1@example.edu")).status_code == 200
    assert tenant.delete(CANDIDATES, batch("prove1@example.edu")).status_code == 200
    assert only_test(sandbox)["candidates"] == []


def test_a_removal_is_seen_late_too(tenant: Tenant, clock: Clock, sandbox: Sandbox) -> None:
    gone = sandbox.contents()["staff"][0]["userId"]
    tenant.call("DELETE", f"/v1/users/{gone}")
    assert tenant.get(f"/v1/users/{gone}").status_code == 200
    later(clock)
    assert tenant.get(f"/v1/users/{gone}").status_code == 404


def test_a_refused_write_is_never_seen(tenant: Tenant, clock: Clock) -> None:
    assert tenant.post(CANDIDATES, batch("ase@example.edu", "ukjent")).status_code == 400
    later(clock)
    assert tenant.get(CANDIDATES).json() == {"candidates": []}


def test_edits_by_hand_are_seen_late_as_well(
    tenant: Tenant, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.edit(committee={"test": "INF1000-H26", "name": "A"})
    assert tenant.get(TEST).json()["result"]["committees"] == []
    later(clock)
    assert len(tenant.get(TEST).json()["result"]["committees"]) == 1


def test_an_export_shows_the_older_state(tenant: Tenant, clock: Clock) -> None:
    tenant.post("/v1/users/student", learner(1))
    order = {"resourceType": "AllUsers", "parameters": {"userType": "student"}}
    job = tenant.post("/v1/fileExport/order", order).json()["jobId"]
    tenant.get(f"/v1/fileExport/status/{job}")
    url = tenant.get(f"/v1/fileExport/status/{job}").json()["exportInfo"]["signedResponseUrl"]
    assert len(requests.get(url, timeout=10).json()) == 1
    later(clock)
    assert len(requests.get(url, timeout=10).json()) == 2


def test_everything_is_readable_at_once_when_the_delay_ends_and_a_new_one_starts_from_there(
    tenant: Tenant, sandbox: Sandbox
) -> None:
    tenant.post(COMMITTEES, committees("A"))
    sandbox.control(failures={})
    assert len(tenant.get(TEST).json()["result"]["committees"]) == 1
    sandbox.control(failures={"seconds": {"delayed_visibility": DELAY}})
    tenant.post(COMMITTEES, committees("B"))
    assert [one["name"] for one in tenant.get(TEST).json()["result"]["committees"]] == ["A"]


def test_writes_that_are_put_off_are_counted_and_held_all_the_same(
    tenant: Tenant, sandbox: Sandbox
) -> None:
    tenant.post(COMMITTEES, committees("A"))
    tenant.get(TEST)
    assert sandbox.control()["failure_counts"]["delayed_visibility"] == 1
    assert len(only_test(sandbox)["committees"]) == 1
