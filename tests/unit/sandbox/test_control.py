from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from sync.sandbox import Sandbox

from .api_client import ASE, CANDIDATES, ApiClient, batch, errors, plant

STUDENT = "/v1/users/student"
WAIT = 0.3
"""Seconds that a client waits for an answer that will not come in time."""


def rule(**more: Any) -> dict[str, Any]:
    return {"fail": [{"method": "POST", "path": "/api/v1/users/*"} | more]}


def names(sandbox: Sandbox) -> list[str]:
    return [student["username"] for student in sandbox.contents()["students"]]


def test_a_call_fails_before_it_is_carried_out_as_often_as_was_said(
    client: ApiClient, sandbox: Sandbox
) -> None:
    sandbox.control(**rule(status=500, times=2))
    for _ in range(2):
        answer = client.post(STUDENT, ASE)
        assert (answer.status_code, errors(answer)) == (
            500,
            "the sandbox answers 500, as its controls ask",
        )
    assert names(sandbox) == []
    assert client.post(STUDENT, ASE).status_code == 200
    assert names(sandbox) == ["ase@example.edu"]


def test_a_call_fails_after_it_was_carried_out(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**rule(status=502, times=1, when="after"))
    assert client.post(STUDENT, ASE).status_code == 502
    assert names(sandbox) == ["ase@example.edu"]
    assert [(one["status"], one["committed"]) for one in sandbox.requests()[1:]] == [(502, True)]


def test_a_refused_call_stays_refused_under_a_rule_that_holds_after_it(
    client: ApiClient, sandbox: Sandbox
) -> None:
    sandbox.control(**rule(status=502, when="after"))
    assert client.post(STUDENT, {"username": ""}).status_code == 502
    assert sandbox.requests()[-1]["committed"] is False


@pytest.mark.parametrize(("when", "kept"), [("before", []), ("after", ["ase@example.edu"])])
def test_a_reset_drops_the_connection_before_or_after_the_commit(
    client: ApiClient, sandbox: Sandbox, when: str, kept: list[str]
) -> None:
    sandbox.control(**rule(status="reset", times=1, when=when))
    with pytest.raises(requests.ConnectionError):
        client.post(STUDENT, ASE)
    assert names(sandbox) == kept
    entry = sandbox.requests()[-1]
    assert (entry["status"], entry["committed"]) == ("reset", bool(kept))
    assert client.post(STUDENT, ASE).status_code == 200


def test_a_rule_gives_headers_such_as_retry_after(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**rule(status=429, times=1, headers={"Retry-After": "7"}))
    answer = client.post(STUDENT, ASE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"success": True, "errors": ["No"]}, '{"success":true,"errors":["No"]}'),
        ("<html>", "<html>"),
    ],
)
def test_a_rule_gives_a_body_of_its_own(
    client: ApiClient, sandbox: Sandbox, body: Any, sent: str
) -> None:
    sandbox.control(**rule(status=200, body=body))
    answer = client.post(STUDENT, ASE)
    assert (answer.status_code, answer.text) == (200, sent)


def test_a_rule_can_let_the_first_calls_pass(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**rule(status=500, skip=2, times=1))
    assert [client.post(STUDENT, ASE).status_code for _ in range(4)] == [200, 200, 500, 200]


def test_a_rule_without_times_holds_until_the_rules_are_replaced(
    client: ApiClient, sandbox: Sandbox
) -> None:
    sandbox.control(**rule(status=503))
    assert {client.post(STUDENT, ASE).status_code for _ in range(5)} == {503}
    sandbox.control(fail=[])
    assert client.post(STUDENT, ASE).status_code == 200


def test_a_rule_holds_for_its_method_and_path_only(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    sandbox.control(fail=[{"method": "POST", "path": "/api/v1/test/*/candidates", "status": 500}])
    assert client.get(CANDIDATES).status_code == 200
    assert client.post(STUDENT, ASE).status_code == 200
    assert client.post(CANDIDATES, batch("ase@example.edu")).status_code == 500


def test_the_first_rule_that_holds_is_taken(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(
        fail=[
            {"status": 500, "path": "*/student", "times": 1},
            {"status": 503, "path": "*/student"},
        ]
    )
    assert [client.post(STUDENT, ASE).status_code for _ in range(2)] == [500, 503]


def test_a_rule_can_hit_the_token_call(client: ApiClient, sandbox: Sandbox) -> None:
    told = {"error": "Multiple tokens for user", "description": "Please contact inspera support"}
    sandbox.control(fail=[{"path": "/api/authenticate/token/", "status": 409, "body": told}])
    answer = client.ask_token()
    assert (answer.status_code, answer.json()) == (409, told)


def test_a_delay_goes_by_before_anything_is_carried_out(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.ask_token()
    sandbox.control(**rule(delay=60))
    with pytest.raises(requests.ReadTimeout):
        client.call("POST", STUDENT, ASE, timeout=WAIT)
    assert names(sandbox) == []
    assert [one["path"] for one in sandbox.requests() if "student" in one["path"]] == []


@pytest.mark.parametrize(
    "settings", [{"latency": 60}, rule(latency=60)], ids=["every write", "a rule"]
)
def test_a_slow_answer_comes_after_the_commit(
    client: ApiClient, sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    sandbox.control(**settings)
    with pytest.raises(requests.ReadTimeout):
        client.call("POST", STUDENT, ASE, timeout=WAIT)
    assert names(sandbox) == ["ase@example.edu"]
    assert sandbox.requests()[-1]["committed"] is True


def test_latency_holds_for_writes_and_leaves_reads_and_tokens_alone() -> None:
    with Sandbox(latency=60) as sandbox:
        client = ApiClient(sandbox.url)
        assert client.call("GET", "/v1/test/search", timeout=10).status_code == 200
        with pytest.raises(requests.ReadTimeout):
            client.call("POST", STUDENT, ASE, timeout=WAIT)


@pytest.mark.parametrize("offset", [0, 7200, -90])
def test_answers_bear_the_time_of_the_sandboxs_clock_and_as_much_more_as_was_asked_for(
    offset: float,
) -> None:
    noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
    with Sandbox(clock=lambda: noon) as sandbox:
        client = ApiClient(sandbox.url)
        sandbox.control(clock_offset=offset)
        answers = [client.ask_token(), client.call("GET", "/v1/test/search", timeout=10)]
        bear = {parsedate_to_datetime(answer.headers["Date"]) for answer in answers}
    assert bear == {noon + timedelta(seconds=offset)}


def test_a_rule_may_give_another_date(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(fail=[{"path": "*", "headers": {"Date": "nonsense"}}])
    assert client.ask_token().headers["Date"] == "nonsense"


def test_control_is_set_and_read_over_the_wire_without_a_token(client: ApiClient) -> None:
    given = {
        "latency": 0.5,
        "token_lifetime": 60,
        "fail": [{"method": "post", "path": "/x", "status": 500, "times": 3}],
    }
    answer = client.page("POST", "control", given)
    assert answer.status_code == 200
    assert answer.json() == client.page("GET", "control").json()
    assert (answer.json()["latency"], answer.json()["token_lifetime"]) == (0.5, 60)
    assert answer.json()["fail"][0] == {
        "method": "POST",
        "path": "/x",
        "status": 500,
        "when": "before",
        "times": 3,
        "skip": 0,
        "delay": 0,
        "latency": 0,
        "headers": {},
        "body": None,
    }
    assert client.page("POST", "control", {"latency": 0}).json()["fail"] == answer.json()["fail"]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"latency": -1}, "latency: must be a number of seconds"),
        ({"latency": "1"}, "latency: must be a number of seconds"),
        ({"clock_offset": "1"}, "clock_offset: must be a number, such as -7200"),
        ({"limit": {"most": 0}}, "limit.most: must be a whole number, 1 or more"),
        ({"limit": {"status": 600}}, "limit.status: must be a number from 200 to 599"),
        ({"limit": {"used": 1}}, "limit.used: is not a known name; known are most, taken, status"),
        ({"latencies": 1}, "latencies: is not a known name"),
        ({"fail": {}}, "fail: must be a list"),
        ({"fail": [{"status": 99}]}, "fail[0].status: must be a number from 200 to 599"),
        ({"fail": [{"status": "drop"}]}, "fail[0].status: must be a number from 200 to 599"),
        ({"fail": [{"status": True}]}, "fail[0].status: must be a number from 200 to 599"),
        ({"fail": [{"when": "never"}]}, "fail[0].when: must be before or after"),
        ({"fail": [{"times": -1}]}, "fail[0].times: must be a whole number"),
        ({"fail": [{"headers": {"Retry-After": 2}}]}, "fail[0].headers: must be names with text"),
        ({"fail": [{"headers": {"X": "a\r\nb"}}]}, "fail[0].headers: must be names with text"),
        ({"fail": [{"stauts": 500}]}, "fail[0].stauts: is not a known name"),
    ],
)
def test_a_wrong_control_is_refused_by_name_and_changes_nothing(
    stranger: ApiClient, settings: dict[str, Any], complaint: str
) -> None:
    before = stranger.page("GET", "control").json()
    answer = stranger.page("POST", "control", {"token_lifetime": 1} | settings)
    assert answer.status_code == 400
    assert errors(answer).startswith(complaint)
    assert stranger.page("GET", "control").json() == before


def test_stopping_the_sandbox_does_not_wait_for_slow_answers() -> None:
    with Sandbox(latency=3600) as sandbox, pytest.raises(requests.ReadTimeout):
        ApiClient(sandbox.url).call("POST", STUDENT, ASE, timeout=WAIT)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{sandbox.url}/_sandbox/contents", timeout=10)
