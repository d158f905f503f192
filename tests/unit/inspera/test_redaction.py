"""No key, token, password, name or address of a person in any log line, message or exception."""

import json
import traceback
from typing import Any

import pytest
from structlog.testing import capture_logs
from sync.errors import CallError, Stop
from sync.inspera.connection import Connection
from sync.inspera.responses import envelope
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Action, Change, Result
from sync.records.remote import Assignment

from .conftest import MakeTarget
from .http_tenant import KEY, HttpTenant
from .made_up import SAVE_LEARNER, SAVE_STAFF, contributor, new_staff

PASSWORD = "Hemmelig-made-up-1"
ADDRESS = "aaseb@example.edu"
LEARNER = Change(
    Action.CREATE,
    Kind.LEARNER,
    ("4711",),
    after={
        "username": "aaseb",
        "external_id": "aaseb@example.edu",
        "auth_system": "FEIDE",
        "first_name": "Åse",
        "last_name": "Bergström-Łuczak",
        "email": "aaseb@example.edu",
    },
)
SECRETS = (
    KEY,
    "token-1",
    "token-2",
    PASSWORD,
    "Åse",
    "Bergström",
    "Łuczak",
    "aaseb@",
    "example.edu",
)
ECHO = f"learner Åse Bergström-Łuczak <aaseb@example.edu> (010203 45678) with {PASSWORD} is refused"


def _clean(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 200},
        {"status": 400, "body": {"message": ECHO}},
        {
            "status": 200,
            "body": {"success": False, "errors": [{"message": ECHO, "email": "aaseb@example.edu"}]},
        },
        {"status": 422, "body": ECHO.encode()},
        {"status": 500, "body": {"message": ECHO}},
        {"status": 429},
        {"status": 404, "body": {"error": ECHO}},
        {"status": 405, "body": {"error": ECHO}},
        {"lost": True},
    ],
)
def test_nothing_personal_or_secret_is_logged_or_said_about_a_learner(
    target: InsperaTarget,
    tenant: HttpTenant,
    reply: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    tenant.once(*SAVE_LEARNER, times=3, **reply)
    with capture_logs() as logs:
        outcome = target.save_learner(LEARNER, PASSWORD)
    _clean(outcome.message)
    _clean(json.dumps(logs, default=str, ensure_ascii=False))
    calls = {entry["call"] for entry in logs if "call" in entry}
    assert calls == {"token.fetch", "person.by_external_id", "learner.create"}
    assert "".join(capsys.readouterr()) == ""


def test_what_the_vendor_says_keeps_its_reason(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.once(*SAVE_LEARNER, 400, body={"message": ECHO})
    outcome = target.save_learner(LEARNER, PASSWORD)
    assert outcome.result is Result.REFUSED
    assert outcome.message.startswith(
        "Inspera refused learner.create (400): learner *** *** <***> (***) with ***"
    )


@pytest.mark.parametrize("status", [400, 401, 403, 409])
def test_a_refused_key_is_not_repeated_even_when_the_vendor_does(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.every("POST", "/authenticate/token/", status, {"error": f"the key {KEY} is void"})
    with capture_logs() as logs, pytest.raises(Stop) as caught:
        target.read_test("7")
    _clean("".join(traceback.format_exception(caught.value)))
    _clean(json.dumps(logs, default=str))


def test_an_exception_of_a_look_up_shows_no_address(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every("GET", "/v1/users/search", 400, {"message": f"nobody is called {ADDRESS}"})
    with capture_logs() as logs, pytest.raises(CallError) as caught:
        target.find_person_by_login(ADDRESS)
    _clean("".join(traceback.format_exception(caught.value)))
    _clean(json.dumps(logs, default=str))


def test_a_broken_connection_shows_neither_the_address_nor_the_token(
    make_target: MakeTarget, tenant: HttpTenant
) -> None:
    tenant.once("GET", "/v1/users/search", times=3, lost=True)
    with capture_logs() as logs, pytest.raises(CallError) as caught:
        make_target().find_person_by_login(ADDRESS)
    _clean("".join(traceback.format_exception(caught.value)))
    _clean(json.dumps(logs, default=str))


def test_an_external_id_that_is_an_address_is_masked_and_still_narrows_the_batch(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = tenant.add_test("INF101")
    tenant.refuse_seat = {"aaseb@example.edu"}.__contains__
    tenant.names_the_refused = True
    outcomes = target.assign(
        number, [Assignment("FEIDE", i) for i in ("b@example.edu", "aaseb@example.edu", "17")]
    )
    assert [outcome.result for outcome in outcomes] == [Result.DONE, Result.REFUSED, Result.DONE]
    assert outcomes[1].message == "Inspera refused candidate.assign (200): no such user; ***"


STAFF_ECHO = f"Kari Veileder <kariv@example.edu> with {PASSWORD} is refused"


def test_nothing_personal_or_secret_is_said_about_staff(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(
        *SAVE_STAFF, 422, {"errors": [{"message": STAFF_ECHO}, {"password": f"x{PASSWORD}x"}]}
    )
    with capture_logs() as logs:
        outcome = target.save_staff(new_staff(), PASSWORD)
    assert outcome.result is Result.REFUSED
    said = json.dumps([outcome.message, logs], default=str, ensure_ascii=False)
    assert [word for word in (PASSWORD, "Kari", "Veileder", "@") if word in said] == []


def test_no_name_or_address_of_a_contributor_is_repeated(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("POST", f"/v1/test/{exam}/contributors", 422, {"message": STAFF_ECHO})
    entry = contributor("kariv", first_name="Kari", last_name="Veileder", email="kariv@example.edu")
    (outcome,) = target.assign(exam, [entry], Kind.CONTRIBUTOR)
    assert outcome.message.startswith("Inspera refused contributor.assign (422): *** *** <***>")
    assert "Kari" not in repr(entry)


def test_a_connection_does_not_show_what_is_secret() -> None:
    shown = repr(
        Connection(
            "https://made-up.example.org", "made-up", lambda: KEY, proxy="http://a:made-up-pw@proxy"
        )
    )
    assert "made-up-pw" not in shown
    assert "api_key" not in shown


def test_the_vendors_words_are_bounded_and_on_one_line() -> None:
    said = envelope.words({"message": "line one\nline two\t" + "very long " * 100_000})
    assert len(said) == 300
    assert said.startswith("line one line two very long")
    assert said.isprintable()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"errors": {"email": "must be valid", "username": "is taken"}},
            "email: must be valid; username: is taken",
        ),
        ({"errors": [{"code": 17, "message": "full"}, "full"]}, "full; 17"),
        (
            {"error": "invalid_grant", "description": "gone", "echo": {"firstName": "Åse"}},
            "invalid_grant; gone",
        ),
        (None, ""),
        ([], ""),
        ({"message": None, "success": False}, ""),
    ],
)
def test_a_reason_is_found_in_the_shapes_that_vendors_give_it(content: Any, said: str) -> None:
    assert envelope.words(content) == said
