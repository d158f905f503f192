import json
from pathlib import Path

import pytest
from sync.sandbox import Sandbox

from .api_client import ASE, CANDIDATES, FORM, ApiClient, Clock, batch, plant


def test_every_call_is_logged_in_order_with_what_became_of_it(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.get(CANDIDATES)
    client.post(CANDIDATES, batch("ase@example.edu"))
    client.post(CANDIDATES, batch("ukjent"))
    client.get("/v1/nothing")
    token, read, write, refused, missing = sandbox.requests()
    assert [one["seq"] for one in sandbox.requests()] == [1, 2, 3, 4, 5]
    assert (token["path"], token["status"], token["committed"]) == (
        "/api/authenticate/token/",
        200,
        False,
    )
    assert token["query"] == {"grant_type": "authorization_code", "client_id": "example"}
    assert read == {
        "seq": 2,
        "time": "2026-11-01T12:00:00.000Z",
        "method": "GET",
        "path": "/api/v1/test/INF1000-H26/candidates",
        "query": {"isExternal": "true"},
        "status": 200,
        "body": None,
        "committed": False,
    }
    assert (write["method"], write["body"], write["committed"]) == (
        "POST",
        batch("ase@example.edu"),
        True,
    )
    assert (refused["status"], refused["committed"]) == (400, False)
    assert (missing["status"], missing["committed"]) == (404, False)


def test_the_log_is_read_from_a_number_on(client: ApiClient, sandbox: Sandbox) -> None:
    for _ in range(3):
        client.get("/v1/test/search")
    assert [one["seq"] for one in sandbox.requests(after=2)] == [3, 4]
    assert client.page("GET", "requests?after=2").json() == {
        "requests": sandbox.requests(after=2),
        "more": False,
    }
    assert client.page("GET", "requests?after=4").json() == {"requests": [], "more": False}
    assert client.page("GET", "requests?after=x").status_code == 400


def test_the_sandboxs_own_pages_and_edits_by_hand_are_not_calls(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.page("GET", "contents")
    assert client.page("GET", "nothing").status_code == 404
    assert sandbox.requests() == []


def test_passwords_and_the_key_are_masked_wherever_they_stand(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path) as sandbox:
        client = ApiClient(sandbox.url)
        client.ask_token(headers={"code": "a-mistyped-key", **FORM})
        client.ask_token({"code": "a-mistyped-key", "x": "sandbox-key"})
        client.post("/v1/users/student", ASE | {"password": "Sommer-2026"})
        client.post(
            "/v1/users/student", {"username": "x", "more": [{"Password": {"new": "Sommer-2026"}}]}
        )
        client.get("/v1/users/sandbox-key")
        raw = b'{"password": "Sommer-2026"'
        client.call(
            "POST", "/v1/users/student", data=raw, headers={"Content-Type": "application/json"}
        )
        noted = json.dumps(sandbox.requests())
        posted = [one["body"] for one in sandbox.requests() if one["path"].endswith("student")]
        client.close()
    for text in (
        noted,
        *(file.read_bytes().decode(errors="replace") for file in tmp_path.iterdir()),
    ):
        assert "Sommer-2026" not in text
        assert "sandbox-key" not in text
        assert "a-mistyped-key" not in text
    assert posted[0] == ASE | {"password": "***"}
    assert posted[2] == "<26 bytes that are not JSON>"


def test_a_bearer_token_is_never_logged(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path) as sandbox:
        client = ApiClient(sandbox.url)
        token = client.ask_token().json()["access_token"]
        client.call("GET", "/v1/test/search", headers={"Authorization": f"Bearer {token}"})
        client.call("GET", f"/v1/test/search?access_token={token}")
        client.close()
        assert token not in json.dumps(sandbox.requests())
    assert token not in (tmp_path / "requests.jsonl").read_text()


def test_with_a_folder_each_call_is_a_line_of_its_file_by_the_time_it_is_answered(
    tmp_path: Path,
) -> None:
    with Sandbox(data=tmp_path) as sandbox:
        client = ApiClient(sandbox.url)
        for number in (1, 2, 3):
            client.post("/v1/users/student", ASE | {"firstName": "Åse\u2028Ø"})
            lines = (tmp_path / "requests.jsonl").read_text(encoding="utf-8").split("\n")
            assert len(lines) == number + 2
            assert [json.loads(line) for line in lines[:-1]] == sandbox.requests()
        client.close()


def test_more_entries_than_one_page_holds_are_all_given(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.sandbox.backend.PAGE", 2)
    with Sandbox(clock=clock) as sandbox:
        client = ApiClient(sandbox.url)
        for _ in range(4):
            client.get("/v1/test/search")
        client.close()
        assert [one["seq"] for one in sandbox.requests()] == [1, 2, 3, 4, 5]


def test_a_deeply_nested_body_is_noted_without_its_depths(
    client: ApiClient, sandbox: Sandbox
) -> None:
    raw = b"[" * 400 + b'"Sommer-2026"' + b"]" * 400
    answer = client.call(
        "POST", "/v1/users/student", data=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert "Sommer-2026" not in json.dumps(sandbox.requests())


def test_only_a_call_that_went_wrong_on_purpose_names_a_failure(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.get("/v1/test/search")
    sandbox.control(failures={"rates": {"error_502": 1}})
    client.get("/v1/test/search")
    assert [entry.get("failure") for entry in sandbox.requests()] == [None, None, "error_502"]
