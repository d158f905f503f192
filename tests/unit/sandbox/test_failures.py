from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from sync.cli import run
from sync.sandbox import Sandbox, serve

from .api_client import (
    ASE,
    BERIT,
    CANDIDATES,
    COMMITTEES,
    CONTRIBUTORS,
    ApiClient,
    batch,
    committees,
    errors,
    only_test,
    plant,
    staff_batch,
)

STUDENT = "/v1/users/student"
WAIT = 0.3
"""Seconds that a client waits for an answer that will not come in time."""


def always(name: str, seconds: float | None = None) -> dict[str, Any]:
    """Controls that make one failure strike each time."""
    times = {} if seconds is None else {"seconds": {name: seconds}}
    return {"failures": {"rates": {name: 1}, **times}}


def learners(sandbox: Sandbox) -> int:
    return len(sandbox.contents()["students"])


def last(sandbox: Sandbox) -> tuple[Any, Any, Any]:
    entry = sandbox.requests()[-1]
    return entry["status"], entry["committed"], entry.get("failure")


@pytest.fixture
def ready(client: ApiClient) -> ApiClient:
    """A client that has its token before anything goes wrong."""
    assert client.get("/v1/test/search").status_code == 200
    return client


@pytest.mark.parametrize(
    ("name", "status", "kept"),
    [
        ("throttle", 429, 0),
        ("throttle_with_wait", 429, 0),
        ("error_500", 500, 0),
        ("error_502", 502, 0),
        ("error_503", 503, 0),
        ("committed_500", 500, 1),
        ("errors_in_200", 200, 0),
        ("token_expiry", 401, 0),
    ],
)
def test_a_failure_that_is_answered_is_carried_out_or_not_and_says_so_in_the_log(
    ready: ApiClient, sandbox: Sandbox, name: str, status: int, kept: int
) -> None:
    sandbox.control(**always(name))
    assert ready.post(STUDENT, ASE).status_code == status
    assert learners(sandbox) == kept
    assert last(sandbox) == (status, bool(kept), name)


@pytest.mark.parametrize(("name", "kept"), [("reset", 0), ("commit_then_reset", 1)])
def test_a_connection_is_reset_before_or_after_the_call_is_carried_out(
    ready: ApiClient, sandbox: Sandbox, name: str, kept: int
) -> None:
    sandbox.control(**always(name))
    with pytest.raises(requests.ConnectionError):
        ready.post(STUDENT, ASE)
    assert learners(sandbox) == kept
    assert last(sandbox) == ("reset", bool(kept), name)


@pytest.mark.parametrize(("name", "kept"), [("slow", 0), ("commit_then_time_out", 1)])
def test_an_answer_comes_late_and_the_call_is_carried_out_late_or_at_once(
    ready: ApiClient, sandbox: Sandbox, name: str, kept: int
) -> None:
    sandbox.control(**always(name, seconds=60))
    with pytest.raises(requests.ReadTimeout):
        ready.call("POST", STUDENT, ASE, timeout=WAIT)
    assert learners(sandbox) == kept
    sandbox.control(**always(name, seconds=0.01))
    assert ready.post(STUDENT, ASE).json()["success"] is True
    assert learners(sandbox) == 1


def test_a_pause_is_asked_for_in_whole_seconds_or_not_at_all(
    ready: ApiClient, sandbox: Sandbox
) -> None:
    sandbox.control(**always("throttle_with_wait", seconds=2.5))
    assert ready.get("/v1/test/search").headers["Retry-After"] == "3"
    sandbox.control(**always("throttle"))
    assert "Retry-After" not in ready.get("/v1/test/search").headers


def test_errors_in_a_200_claim_success(ready: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**always("errors_in_200"))
    said = ready.post(STUDENT, ASE).json()
    assert (said["success"], len(said["errors"])) == (True, 1)


def test_a_committee_is_made_though_the_answer_says_that_its_type_is_wrong(
    ready: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    sandbox.control(**always("duplicate_name_lies"))
    answer = ready.post(COMMITTEES, committees("A"))
    assert (answer.status_code, errors(answer)) == (400, "Wrong committee type")
    assert [one["name"] for one in only_test(sandbox)["committees"]] == ["A"]
    assert last(sandbox) == (400, True, "duplicate_name_lies")
    assert ready.delete(COMMITTEES, committees("A")).status_code == 200


def test_no_answer_lies_about_a_call_that_was_not_made_as_its_token_is_void(
    ready: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    sandbox.control(**always("token_expiry"))
    assert ready.get("/v1/test/search").status_code == 401
    sandbox.control(**always("duplicate_name_lies"))
    assert ready.post(COMMITTEES, committees("A")).status_code == 401
    assert only_test(sandbox)["committees"] == []


def test_a_token_that_expired_is_void_and_a_new_one_is_good(
    ready: ApiClient, sandbox: Sandbox
) -> None:
    sandbox.control(**always("token_expiry"))
    assert ready.get("/v1/test/search").status_code == 401
    sandbox.control(failures={})
    assert ready.get("/v1/test/search").status_code == 401
    assert ApiClient(sandbox.url).get("/v1/test/search").status_code == 200


def test_a_new_token_is_always_good_for_a_call(ready: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**always("token_expiry"))
    fresh = ApiClient(sandbox.url)
    assert [fresh.get("/v1/test/search").status_code for _ in range(2)] == [200, 401]
    assert sandbox.control()["failure_counts"]["token_expiry"] == 1


def test_multiple_tokens_strike_the_token_call_alone(ready: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**always("token_409"))
    answer = ready.ask_token()
    assert answer.status_code == 409
    assert answer.json()["error"] == "Multiple tokens for user"
    assert ready.get("/v1/test/search").status_code == 200


@pytest.mark.parametrize(
    "name", ["commit_then_reset", "committed_500", "errors_in_200", "duplicate_name_lies"]
)
def test_what_is_about_writes_leaves_reads_and_tokens_alone(
    ready: ApiClient, sandbox: Sandbox, name: str
) -> None:
    sandbox.control(**always(name))
    assert ready.get("/v1/test/search").status_code == 200
    assert ready.ask_token().status_code == 200


MIXED = {
    "throttle": 0.04,
    "throttle_with_wait": 0.04,
    "error_500": 0.04,
    "error_502": 0.04,
    "error_503": 0.04,
    "committed_500": 0.05,
    "errors_in_200": 0.05,
}


def statuses(seed: int) -> list[int]:
    """What 300 like calls are answered."""
    with Sandbox(failures={"seed": seed, "rates": MIXED, "except": ["*/token/"]}) as sandbox:
        client = ApiClient(sandbox.url)
        found = [client.post(STUDENT, ASE).status_code for _ in range(300)]
        client.close()
        entries = sandbox.requests()[1:]
        made = Counter(entry["failure"] for entry in entries if "failure" in entry)
        assert {
            name: number for name, number in sandbox.control()["failure_counts"].items() if number
        } == made
        assert {
            entry["committed"] for entry in entries if entry.get("failure") == "committed_500"
        } == {True}
        return found


def test_one_seed_and_one_sequence_of_calls_always_give_the_same_failures_at_about_their_rates() -> (
    None
):
    first, again, other = statuses(7), statuses(7), statuses(8)
    assert first == again
    assert first != other
    assert 30 <= first.count(429) + first.count(502) + first.count(503) + first.count(500) <= 120


def test_failures_keep_to_the_paths_that_are_named_and_spare_others(
    ready: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    only = {"only": ["/api/v1/test/*"], "except": ["*/contributors"]}
    sandbox.control(failures={"rates": {"error_503": 1}} | only)
    assert ready.post(STUDENT, ASE).status_code == 200
    assert ready.post(CANDIDATES, batch("ase@example.edu")).status_code == 503
    assert (
        ready.post(CONTRIBUTORS, staff_batch("berit@example.edu", roles=["plan"])).status_code
        == 200
    )


def test_calls_that_fail_for_sure_go_first(ready: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(**always("error_503"), fail=[{"status": 500, "times": 1}])
    assert [ready.get("/v1/test/search").status_code for _ in range(2)] == [500, 503]
    made = sandbox.control()["failure_counts"]
    assert (made["rule"], made["error_503"]) == (1, 1)


def test_failures_are_set_and_read_over_the_wire_and_an_empty_set_ends_them(
    client: ApiClient,
) -> None:
    given = {
        "seed": 3,
        "rates": {"reset": 0.25},
        "seconds": {"slow": 2},
        "only": ["*/test*"],
        "except": ["*/x"],
    }
    shown = client.page("POST", "control", {"failures": given}).json()
    assert shown == client.page("GET", "control").json()
    seconds = {
        "throttle_with_wait": 1,
        "slow": 2,
        "commit_then_time_out": 90,
        "delayed_visibility": 0,
    }
    assert shown["failures"] == given | {"seconds": seconds}
    assert set(shown["failure_counts"].values()) == {0}
    assert client.page("POST", "control", {"latency": 0}).json()["failures"] == shown["failures"]
    assert client.page("POST", "control", {"failures": shown["failures"]}).json() == shown
    assert client.page("POST", "control", {"failures": {}}).json()["failures"]["rates"] == {}


@pytest.mark.parametrize(
    ("failures", "complaints"),
    [
        ([], ["failures: must be a JSON object"]),
        (
            {"rate": {}},
            ["failures.rate: is not a known name; known are seed, rates, seconds, only, except"],
        ),
        ({"seed": -1}, ["failures.seed: must be a whole number, 0 or more"]),
        (
            {"rates": {"rest": 0.1}},
            ["failures.rates.rest: is not a known name; known are throttle, throttle_with_wait, "],
        ),
        (
            {"rates": {"reset": 2}},
            ["failures.rates.reset: must be a number from 0 to 1, such as 0.05"],
        ),
        (
            {"rates": {"reset": "5%"}},
            ["failures.rates.reset: must be a number from 0 to 1, such as 0.05"],
        ),
        (
            {"rates": {"reset": True}},
            ["failures.rates.reset: must be a number from 0 to 1, such as 0.05"],
        ),
        (
            {"rates": {"reset": 0.6, "slow": 0.6}},
            ["failures.rates: those that can strike one call add up to 1.2; lower"],
        ),
        (
            {"seconds": {"reset": 1}},
            ["failures.seconds.reset: is not a known name; known are throttle_with_wait, slow, "],
        ),
        (
            {"seconds": {"slow": -1}},
            ["failures.seconds.slow: must be a number of seconds, 0 or more, such as 2.5"],
        ),
        ({"only": "x"}, ["failures.only: must be a list"]),
        ({"except": [1]}, ["failures.except: must contain only text"]),
        (
            {"seed": "x", "rates": {"a": 1, "b": 1}},
            ["failures.seed", "failures.rates.a", "failures.rates.b"],
        ),
    ],
)
def test_wrong_failures_are_refused_by_name_all_at_once_and_change_nothing(
    stranger: ApiClient, failures: Any, complaints: list[str]
) -> None:
    before = stranger.page("GET", "control").json()
    answer = stranger.page("POST", "control", {"failures": failures})
    assert answer.status_code == 400
    said = errors(answer).splitlines()
    assert len(said) == len(complaints)
    assert all(line.startswith(complaint) for line, complaint in zip(said, complaints, strict=True))
    assert stranger.page("GET", "control").json() == before


def test_rates_that_strike_different_calls_need_not_share_one() -> None:
    with Sandbox(
        failures={
            "rates": {
                "token_409": 1,
                "error_500": 0,
                "token_expiry": 0.9,
                "duplicate_name_lies": 0.1,
            }
        }
    ):
        pass


def test_a_wrong_mapping_is_refused_before_anything_starts() -> None:
    with pytest.raises(Exception, match=r"rates\.reset: must be a number from 0 to 1"):
        Sandbox(failures={"rates": {"reset": 3}})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("failures.yaml", "seed: 5\nrates:\n  throttle: 0.1 # often\nonly:\n  - '/api/*'\n"),
        ("failures.json", '{"seed": 5, "rates": {"throttle": 0.1}, "only": ["/api/*"]}'),
    ],
)
def test_a_file_of_failures_is_yaml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(OSError, match="cannot be used"):
        serve(70000, failures=tmp_path / name)


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        (
            "rates: {rest: 0.1, reset: 7}\nseed: x",
            ["rates.reset: must be", "rates.rest: is not a known", "seed: must"],
        ),
        ("- 1", ["must have `rates` or `seconds`; write it as `rates: {reset: 0.05}`"]),
        ("", ["must have `rates` or `seconds`"]),
        ("rates: [", ["is neither YAML nor JSON; write it as `rates: {reset: 0.05}`"]),
        ("rates: {reset: \x00}", ["is neither YAML nor JSON"]),
    ],
)
def test_a_wrong_file_of_failures_is_a_usage_error_with_a_line_for_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, complaints: list[str]
) -> None:
    path = tmp_path / "failures.yaml"
    path.write_text(text)
    assert run(["sandbox", "--port", "0", "--failures", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("the sandbox cannot start: ")
    assert all(complaint in said for complaint in complaints)
    assert said.count(str(path)) == len(complaints)


def test_a_file_of_failures_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", "--port", "0", "--failures", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: cannot be read (no such file or directory)" in capsys.readouterr().err


def test_what_was_carried_out_is_reported_from_what_was_not_under_every_failure() -> None:
    rates = dict.fromkeys(
        ("error_500", "committed_500", "errors_in_200", "token_expiry", "throttle"), 0.1
    )
    with Sandbox(failures={"seed": 1, "rates": rates, "except": ["*/token/"]}) as sandbox:
        client = ApiClient(sandbox.url)
        for number in range(60):
            if (
                client.post(
                    "/v1/users", BERIT | {"username": f"ansatt{number}", "externalIds": []}
                ).status_code
                == 401
            ):
                client.close()
                client = ApiClient(sandbox.url)
        client.close()
        entries = sandbox.requests()
        committed = {one["body"]["username"] for one in entries if one["committed"]}
        assert committed == {person["username"] for person in sandbox.contents()["staff"]}
        assert {one["failure"] for one in entries if "failure" in one} == set(rates)
        assert 20 < len(committed) < 60
