import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sync.sandbox import Sandbox

from .api_client import ASE, BERIT, ApiClient, Clock, errors, learner

ORDER = "/v1/fileExport/order"


def order(user_type: str = "student") -> dict[str, Any]:
    return {"resourceType": "AllUsers", "parameters": {"userType": user_type}}


def link_to(client: ApiClient, user_type: str = "student") -> str:
    """Orders an export and asks after it until it is ready."""
    job = client.post(ORDER, order(user_type)).json()["jobId"]
    first, second = (client.get(f"/v1/fileExport/status/{job}").json() for _ in range(2))
    assert first == {"status": "inProgress"}
    assert second["status"] == "success"
    return str(second["exportInfo"]["signedResponseUrl"])


def fetch(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=10)


def test_an_order_is_first_in_progress_and_then_gives_every_learner_by_a_link(
    client: ApiClient, sandbox: Sandbox
) -> None:
    for student in (ASE, learner(1)):
        sandbox.edit(student=student)
    sandbox.edit(staff=BERIT)
    url = link_to(client)
    assert url.startswith(f"{sandbox.url}/")
    people = fetch(url).json()["students"]
    assert [one["username"] for one in people] == ["ase@example.edu", "prove1@example.edu"]
    assert set(people[0]) == {"userId", "firstName", "lastName", "username"}
    sandbox.control(export_details=True)
    (first, _) = fetch(url).json()["students"]
    assert first == client.get(f"/v1/users/{people[0]['userId']}").json()


def test_staff_are_exported_with_their_status(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.edit(student=ASE)
    sandbox.edit(staff=BERIT | {"status": "DISABLED"})
    sandbox.control(export_details=True)
    (_, person) = fetch(link_to(client, "admin")).json()["admins"]
    assert person == BERIT | {"userId": person["userId"], "status": "DISABLED"}


def test_a_link_is_refused_with_a_bearer_token_next_to_it(client: ApiClient) -> None:
    url = link_to(client)
    answer = fetch(url, Authorization="Bearer anything")
    assert answer.status_code == 400
    assert "signed link" in errors(answer)
    assert fetch(url).status_code == 200


def test_a_link_and_its_order_live_for_an_hour(
    client: ApiClient, sandbox: Sandbox, clock: Clock
) -> None:
    url = link_to(client)
    job = client.post(ORDER, order()).json()["jobId"]
    clock.now += timedelta(seconds=3599)
    assert fetch(url).status_code == 200
    clock.now += timedelta(seconds=1)
    assert fetch(url).status_code == 403
    assert ApiClient(sandbox.url).get(f"/v1/fileExport/status/{job}").status_code == 404


def test_a_made_up_link_gives_nobody(shared: Sandbox) -> None:
    answer = fetch(f"{shared.url}/export/made-up")
    assert answer.status_code == 403
    assert "not valid" in errors(answer)


def test_two_orders_have_links_of_their_own(client: ApiClient) -> None:
    assert link_to(client) != link_to(client)


def test_the_same_order_before_the_first_is_done_is_the_same_job(client: ApiClient) -> None:
    first, again = (client.post(ORDER, order()).json()["jobId"] for _ in range(2))
    assert first == again
    assert client.post(ORDER, order("admin")).json()["jobId"] != first


def test_an_unknown_job_is_not_found(stranger: ApiClient) -> None:
    answer = stranger.get("/v1/fileExport/status/x")
    assert (answer.status_code, errors(answer)) == (404, "job x does not exist")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "resourceType: is missing\nparameters: is missing"),
        (order() | {"resourceType": "AllResults"}, "resourceType: must be one of AllUsers"),
        (order("everybody"), "parameters.userType: must be one of student, admin"),
        ({"resourceType": "AllUsers", "parameters": {}}, "parameters.userType: is missing"),
        ({"resourceType": "AllUsers", "parameters": 1}, "parameters: must be a JSON object"),
    ],
)
def test_an_order_that_the_vendor_would_refuse_is_refused_by_name(
    stranger: ApiClient, body: Any, complaint: str
) -> None:
    answer = stranger.post(ORDER, body)
    assert answer.status_code == 400
    assert errors(answer).startswith(complaint)


def test_an_order_changes_nothing_and_its_link_is_never_logged(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path) as sandbox:
        client = ApiClient(sandbox.url)
        url = link_to(client)
        fetch(url)
        client.close()
        entries = sandbox.requests()
        assert [one["committed"] for one in entries] == [False] * 5
        assert entries[-1]["path"] == "/export/***"
        secret = url.rpartition("/")[2]
        assert secret not in json.dumps(entries) + (tmp_path / "requests.jsonl").read_text()
