"""The limit on the requests in progress: at most 10, of which another client may hold some."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sync.sandbox import Sandbox

from .api_client import ASE, ApiClient, errors

SEARCH = "/v1/test/search"
STUDENT = "/v1/users/student"


def _search_at_once(sandbox: Sandbox, calls: int) -> list[int]:
    """Return the statuses of searches that are in progress at the same time."""
    clients = [ApiClient(sandbox.url) for _ in range(calls)]
    for client in clients:
        client.get(SEARCH)
    sandbox.control(fail=[{"path": "*", "delay": 0.4}])
    with ThreadPoolExecutor(calls) as pool:
        statuses = list(pool.map(lambda client: client.get(SEARCH).status_code, clients))
    for client in clients:
        client.close()
    return statuses


def test_the_next_request_in_progress_is_refused_and_none_before_it(sandbox: Sandbox) -> None:
    sandbox.control(limit={"most": 3})
    assert sorted(_search_at_once(sandbox, 5)) == [200] * 3 + [429] * 2
    shown = sandbox.control()
    assert (shown["peak"], shown["failure_counts"]["limit"]) == (3, 2)
    refused = [call for call in sandbox.requests() if call.get("failure") == "limit"]
    assert [call["status"] for call in refused] == [429, 429]


@pytest.mark.parametrize("status", [429, 503])
def test_what_another_client_holds_counts_and_a_refused_call_is_not_carried_out(
    client: ApiClient, sandbox: Sandbox, status: int
) -> None:
    client.get(SEARCH)
    sandbox.control(limit={"taken": 10, "status": status})
    answer = client.post(STUDENT, ASE)
    assert answer.status_code == status
    assert errors(answer) == "Too many requests: at most 10 may be in progress at once; back off"
    assert sandbox.contents()["students"] == []
    sandbox.control(limit={})
    assert client.post(STUDENT, ASE).status_code == 200


def test_the_limit_is_shown_as_it_was_set_and_its_peak_is_counted_anew(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.ask_token()
    assert sandbox.control()["limit"] == {"most": 10, "taken": 0, "status": 429}
    assert sandbox.control()["peak"] == 1
    shown = sandbox.control(limit={"most": 4, "taken": 3})
    assert (shown["limit"], shown["peak"]) == ({"most": 4, "taken": 3, "status": 429}, 0)
