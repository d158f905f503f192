from typing import Any
from urllib.parse import quote

import pytest
from sync.sandbox import Sandbox

from .api_client import ASE, ApiClient, errors, learner

EXTERNAL = "/v1/users/external/FEIDE/ase@example.edu?includeStudent=True"


def test_a_new_learner_is_made_and_answered_with_the_username(
    client: ApiClient, sandbox: Sandbox
) -> None:
    answer = client.post("/v1/users/student", ASE | {"password": "Sommer-2026"})
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "username": "ase@example.edu"},
    )
    (student,) = sandbox.contents()["students"]
    assert student == ASE | {"userId": student["userId"], "passwordSet": True}


def test_posting_a_known_username_changes_the_learner_and_keeps_the_user_id(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post("/v1/users/student", ASE)
    (before,) = sandbox.contents()["students"]
    client.post("/v1/users/student", {"username": ASE["username"], "lastName": "Øvingsdatter"})
    (after,) = sandbox.contents()["students"]
    assert after == before | {"lastName": "Øvingsdatter"}


def test_empty_text_clears_and_what_is_left_out_stays(client: ApiClient, sandbox: Sandbox) -> None:
    client.post("/v1/users/student", ASE)
    client.post("/v1/users/student", {"username": ASE["username"], "email": ""})
    (student,) = sandbox.contents()["students"]
    assert (student["email"], student["firstName"]) == ("", "Åse")


def test_usernames_that_differ_in_case_are_two_learners(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post("/v1/users/student", {"username": "ase"})
    client.post("/v1/users/student", {"username": "ASE"})
    assert len(sandbox.contents()["students"]) == 2


def test_new_external_ids_take_the_place_of_those_in_the_same_system_only(
    client: ApiClient, sandbox: Sandbox
) -> None:
    lti = {"authType": "LTI", "externalId": "17"}
    client.post("/v1/users/student", ASE | {"externalIds": [*ASE["externalIds"], lti]})
    renamed = {"authType": "FEIDE", "externalId": "aase@example.edu"}
    client.post("/v1/users/student", ASE | {"externalIds": [renamed]})
    assert sandbox.contents()["students"][0]["externalIds"] == [renamed, lti]
    assert client.get(EXTERNAL).json() == []


def test_an_external_id_of_somebody_else_is_a_conflict_and_changes_nothing(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post("/v1/users/student", ASE)
    answer = client.post("/v1/users/student", ASE | {"username": "another", "firstName": "Ola"})
    assert answer.status_code == 409
    assert "ase@example.edu (FEIDE) belongs to another user" in errors(answer)
    assert [student["username"] for student in sandbox.contents()["students"]] == [
        "ase@example.edu"
    ]


def test_the_same_id_in_another_system_is_another_id(client: ApiClient) -> None:
    client.post("/v1/users/student", ASE)
    other = {
        "username": "another",
        "externalIds": [{"authType": "LTI", "externalId": "ase@example.edu"}],
    }
    assert client.post("/v1/users/student", other).status_code == 200


def test_a_learner_is_read_by_user_id(client: ApiClient, sandbox: Sandbox) -> None:
    client.post("/v1/users/student", ASE)
    user_id = sandbox.contents()["students"][0]["userId"]
    assert client.get(f"/v1/users/{user_id}").json() == ASE | {"userId": user_id}


@pytest.mark.parametrize("user", ["1", "nobody", "9" * 30, "%C3%A5"])
def test_a_user_id_that_nobody_has_is_not_found(stranger: ApiClient, user: str) -> None:
    answer = stranger.get(f"/v1/users/{user}")
    assert answer.status_code == 404
    assert "does not exist" in errors(answer)


def test_a_learner_is_read_by_external_id_as_a_list_of_one(client: ApiClient) -> None:
    client.post("/v1/users/student", ASE)
    (found,) = client.get(EXTERNAL).json()
    assert found["username"] == "ase@example.edu"
    assert found["externalIds"] == ASE["externalIds"]


def test_nobody_by_an_external_id_is_an_empty_list(client: ApiClient) -> None:
    answer = client.get(EXTERNAL)
    assert (answer.status_code, answer.json()) == (200, [])


def test_learners_are_left_out_of_the_external_look_up_unless_asked_for(client: ApiClient) -> None:
    client.post("/v1/users/student", ASE)
    assert client.get("/v1/users/external/FEIDE/ase@example.edu").json() == []
    assert client.get("/v1/users/external/EMAIL/ase@example.edu?includeStudent=True").json() == []


@pytest.mark.parametrize("external_id", ["a/b", "Å se", "50%2F", "x?y#z"])
def test_external_ids_with_odd_characters_are_found(client: ApiClient, external_id: str) -> None:
    ids = [{"authType": "FEIDE", "externalId": external_id}]
    client.post("/v1/users/student", {"username": "odd", "externalIds": ids})
    (found,) = client.get(
        f"/v1/users/external/FEIDE/{quote(external_id, safe='')}?includeStudent=True"
    ).json()
    assert found["externalIds"] == ids


def test_people_are_searched_by_username_name_and_email(client: ApiClient) -> None:
    client.post("/v1/users/student", ASE)
    client.post("/v1/users/student", learner(1))
    for words in ("ase@example.edu", "Prøvesen", "Åse Prøv"):
        assert [
            found["username"] for found in client.get(f"/v1/users/search?query={words}").json()
        ] == ["ase@example.edu"]
    assert client.get("/v1/users/search?query=ingen").json() == []
    assert client.get("/v1/users/search").status_code == 400


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"firstName": "Åse"}, "username: is missing"),
        ({"username": ""}, "username: must not be empty"),
        ({"username": "  "}, "username: must not be empty"),
        ({"username": 17}, "username: must be text"),
        ({"username": "x" * 256}, "username: at most 255 characters, has 256"),
        ({"username": "x", "firstName": None}, "firstName: must not be null"),
        ({"username": "x", "email": "ase"}, "email: is not an email address"),
        ({"username": "x", "email": "åse@@example.edu"}, "email: is not an email address"),
        ({"username": "x", "email": "ase@example"}, "email: is not an email address"),
        ({"username": "x", "email": "a se@example.edu"}, "email: is not an email address"),
        ({"username": "x", "emial": "ase@example.edu"}, "emial: is not a known name"),
        ({"username": "x", "externalIds": "FEIDE"}, "externalIds: must be a list"),
        ({"username": "x", "externalIds": ["FEIDE"]}, "externalIds[0]: must be a JSON object"),
        (
            {"username": "x", "externalIds": [{"authType": "FEIDE"}]},
            "externalIds[0].externalId: is missing",
        ),
        (["x"], "the body: must be a JSON object"),
    ],
)
def test_a_learner_that_the_vendor_would_refuse_is_refused_by_name(
    stranger: ApiClient, shared: Sandbox, body: Any, complaint: str
) -> None:
    answer = stranger.post("/v1/users/student", body)
    assert answer.status_code == 400
    assert complaint in errors(answer).splitlines()
    assert shared.contents()["students"] == []


def test_everything_that_is_wrong_is_said_at_once(stranger: ApiClient) -> None:
    answer = stranger.post("/v1/users/student", {"email": "x", "lastName": 1})
    assert len(errors(answer).splitlines()) == 3


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"[" * 100_000, b'{"username": "\\ud800"}', b'{"username": 1e999}']
)
def test_a_body_that_is_not_json_is_refused(stranger: ApiClient, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = stranger.call("POST", "/v1/users/student", headers=headers, data=raw)
    assert answer.status_code == 400
    assert errors(answer) == "the body is not JSON"


def test_a_body_that_is_not_said_to_be_json_is_refused(stranger: ApiClient) -> None:
    answer = stranger.call(
        "POST",
        "/v1/users/student",
        headers={"Content-Type": "text/plain"},
        data=b'{"username": "x"}',
    )
    assert answer.status_code == 400
    assert "Content-Type" in errors(answer)


def test_a_body_above_eight_megabytes_is_refused(stranger: ApiClient) -> None:
    answer = stranger.post("/v1/users/student", {"username": "x" * (8 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "8388608" in errors(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/users/student", "POST"),
        ("PUT", "/v1/users/student", "POST"),
        ("PUT", "/v1/users/1", "DELETE, GET"),
        ("GET", "/authenticate/token/", "POST"),
        ("GET", "/v1/test", "POST"),
        ("POST", "/v1/test/search", "GET"),
        ("PUT", "/v1/test/1/candidates", "DELETE, GET, POST"),
        ("DELETE", "/v1/test/1", "GET"),
    ],
)
def test_a_wrong_method_is_refused_with_the_right_ones(
    stranger: ApiClient, method: str, path: str, allowed: str
) -> None:
    answer = stranger.call(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert method in errors(answer)


@pytest.mark.parametrize("path", ["/v1/people", "/v1/test/1/seats", "/v2/users/1", ""])
def test_an_address_that_the_vendor_does_not_have_is_not_found(
    stranger: ApiClient, path: str
) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 404
    assert "does not exist" in errors(answer)


def test_an_existing_username_is_refused_on_request_and_its_account_stays(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post("/v1/users/student", ASE)
    before = sandbox.contents()
    sandbox.control(refuse_existing=True)
    answer = client.post("/v1/users/student", ASE | {"lastName": "Ny"})
    assert answer.status_code == 400
    assert errors(answer) == f"a user with username {ASE['username']} already exists"
    assert sandbox.contents() == before


def test_an_old_tenant_has_two_accounts_of_one_username(
    client: ApiClient, sandbox: Sandbox
) -> None:
    client.post("/v1/users/student", ASE)
    sandbox.edit(student={"username": ASE["username"], "lastName": "Annen", "second": True})
    found = client.get(f"/v1/users/search?query={quote(str(ASE['username']))}").json()
    assert len({one["userId"] for one in found}) == 2
    client.post("/v1/users/student", {"username": ASE["username"], "firstName": "Ny"})
    assert [one["firstName"] for one in sandbox.contents()["students"]] == ["Ny", ""]
