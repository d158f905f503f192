from datetime import timedelta

import pytest
from sync.sandbox import Sandbox

from .api_client import FORM, ApiClient, Clock, errors

RIGHT = {"grant_type": "authorization_code", "client_id": "example"}


def test_a_token_is_given_for_the_key_in_the_header_and_lives_an_hour(client: ApiClient) -> None:
    answer = client.ask_token()
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 3600
    assert len(answer.json()["access_token"]) > 20


def test_a_client_id_and_key_of_ones_own_can_be_chosen() -> None:
    with Sandbox(client_id="prøve", api_key="another-key") as sandbox:
        assert ApiClient(sandbox.url).ask_token().status_code == 401
        assert ApiClient(sandbox.url, "prøve", "another-key").ask_token().status_code == 200


@pytest.mark.parametrize(
    ("query", "key"),
    [(RIGHT, "wrong"), (RIGHT | {"client_id": "another"}, "sandbox-key")],
    ids=["wrong key", "wrong client id"],
)
def test_a_wrong_client_id_or_key_is_an_invalid_grant(
    stranger: ApiClient, query: dict[str, str], key: str
) -> None:
    answer = stranger.ask_token(query, {"code": key, **FORM})
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_grant"})


@pytest.mark.parametrize("name", ["code", "api_key", "Code"])
def test_a_key_in_the_query_is_refused_even_next_to_the_right_header(
    stranger: ApiClient, name: str
) -> None:
    answer = stranger.ask_token(RIGHT | {name: "sandbox-key"}, {"code": "sandbox-key", **FORM})
    assert answer.status_code == 400
    assert "header" in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "headers", "named"),
    [
        ({"client_id": "example"}, {"code": "sandbox-key", **FORM}, "grant_type"),
        ({"grant_type": "authorization_code"}, {"code": "sandbox-key", **FORM}, "client_id"),
        (RIGHT, FORM, "code"),
        (RIGHT, {"code": "sandbox-key"}, "Content-Type"),
    ],
)
def test_a_token_call_that_lacks_something_is_refused_by_name(
    stranger: ApiClient, query: dict[str, str], headers: dict[str, str], named: str
) -> None:
    answer = stranger.ask_token(query, headers)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_the_token_address_ends_in_a_slash(stranger: ApiClient) -> None:
    answer = stranger.call(
        "POST", "/authenticate/token", params=RIGHT, headers={"code": "sandbox-key", **FORM}
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer ", "Bearer made-up"])
def test_a_call_without_a_good_token_is_refused(stranger: ApiClient, header: str | None) -> None:
    answer = stranger.call("GET", "/v1/test/search", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "Authorization" in errors(answer)


def test_a_token_expires_and_a_new_one_is_good(client: ApiClient, clock: Clock) -> None:
    clock.now += timedelta(seconds=1)
    assert client.get("/v1/test/search").status_code == 200
    clock.now += timedelta(seconds=3600)
    assert client.get("/v1/test/search").status_code == 401
    assert ApiClient(client.url).get("/v1/test/search").status_code == 200


def test_the_life_of_a_token_can_be_set_while_the_sandbox_runs(
    sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.control(token_lifetime=90)
    client = ApiClient(sandbox.url)
    assert client.ask_token().json()["expires_in"] == 90
    assert client.get("/v1/test/search").status_code == 200
    clock.now += timedelta(seconds=90)
    assert client.get("/v1/test/search").status_code == 401


def test_a_second_token_leaves_the_first_one_good(client: ApiClient) -> None:
    assert client.get("/v1/test/search").status_code == 200
    client.ask_token()
    assert client.get("/v1/test/search").status_code == 200
