import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import OPTIONS, ApiClient, Clock, errors, only_test, options, plant

PIN = "Vinter26"
BEGUN = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def digest(text: str) -> dict[str, str]:
    return {"sha256": sha256(text.encode()).hexdigest()}


def test_options_are_set_by_group_and_others_stay(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    client.post(
        OPTIONS, options("securityOptions", LOCKDOWN_BROWSER=True, LOCKDOWN_CHROME_KIOSK=False)
    )
    client.post(OPTIONS, options("securityOptions", LOCKDOWN_BROWSER=False))
    client.post(
        OPTIONS, options("explanationOptions", EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED=True)
    )
    client.post(OPTIONS, options("examDayOptions", ANYTHING=3))
    answer = client.post(OPTIONS, options("generalOptions", ANYTHING="x"))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert only_test(sandbox)["options"] == {
        "securityOptions": {"LOCKDOWN_BROWSER": False, "LOCKDOWN_CHROME_KIOSK": False},
        "explanationOptions": {"EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED": True},
        "examDayOptions": {"ANYTHING": 3},
        "generalOptions": {"ANYTHING": "x"},
        "afterTestOptions": {},
    }


def test_the_misprinted_group_is_ignored(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    answer = client.post(OPTIONS, options("generalOption", ANYTHING="x"))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert not any(only_test(sandbox)["options"].values())


def test_a_test_without_options_has_every_group_empty(sandbox: Sandbox) -> None:
    plant(sandbox)
    groups = ("security", "explanation", "examDay", "general", "afterTest")
    assert only_test(sandbox)["options"] == {f"{group}Options": {} for group in groups}


def test_pins_and_quit_codes_show_as_digests_and_are_written_nowhere(tmp_path: Path) -> None:
    code = "Slutt-88"
    with Sandbox(data=tmp_path) as sandbox:
        plant(sandbox)
        client = ApiClient(sandbox.url)
        client.post(
            OPTIONS, options("securityOptions", SEB_SETTINGS_PINCODE=PIN, LOCKDOWN_QUIT_CODE=code)
        )
        client.post(OPTIONS, options("generalOptions", lockdown_quit_code=code))
        client.post(OPTIONS, {"testOptions": {"securityOptions": {"SEB_SETTINGS_PINCODE": PIN}}})
        client.post(OPTIONS, options("securityOptions", SEB_SETTINGS_PINCODE=[PIN]))
        sandbox.edit(option={"test": "INF1000-H26", "option": "LOCKDOWN_QUIT_CODE", "value": code})
        held = only_test(sandbox)["options"]
        page = client.page("GET", f"tests/{only_test(sandbox)['assessmentRunId']}").text
        noted = json.dumps([sandbox.contents(), sandbox.requests()])
        client.close()
    assert held["securityOptions"] == {
        "SEB_SETTINGS_PINCODE": digest(PIN),
        "LOCKDOWN_QUIT_CODE": digest(code),
    }
    assert held["generalOptions"] == {"lockdown_quit_code": digest(code)}
    assert "SEB_SETTINGS_PINCODE" in page
    for text in (
        noted,
        page,
        *(file.read_bytes().decode(errors="replace") for file in tmp_path.iterdir()),
    ):
        assert PIN not in text
        assert code not in text


@pytest.mark.parametrize(
    "pin", ["abc12", "abcdef", "123456", "abc12é", "abc\n123", "", 123456, True, None]
)
def test_a_pin_that_breaks_the_rule_is_refused_without_being_said(
    client: ApiClient, sandbox: Sandbox, pin: Any
) -> None:
    plant(sandbox)
    answer = client.post(OPTIONS, options("securityOptions", SEB_SETTINGS_PINCODE=pin))
    rule = "must be 6 or more printable ASCII characters, letters and digits among them"
    assert (answer.status_code, errors(answer)) == (
        400,
        f"testOptions.securityOptions[0].value: {rule}",
    )
    assert only_test(sandbox)["options"]["securityOptions"] == {}


def test_security_options_can_be_set_until_the_test_is_activated_and_no_longer(
    client: ApiClient, sandbox: Sandbox, clock: Clock
) -> None:
    plant(sandbox)
    client.post(OPTIONS, options("securityOptions", LOCKDOWN_BROWSER=True))
    sandbox.edit(test="INF1000-H26", activated=True)
    clock.now = BEGUN
    late = ApiClient(sandbox.url)
    both = options("securityOptions", LOCKDOWN_BROWSER=False)
    both["testOptions"] |= options("examDayOptions", ANYTHING=1)["testOptions"]
    answer = late.post(OPTIONS, both)
    assert answer.status_code == 400
    assert "activated" in errors(answer)
    assert only_test(sandbox)["options"]["securityOptions"] == {"LOCKDOWN_BROWSER": True}
    assert only_test(sandbox)["options"]["examDayOptions"] == {}
    assert late.post(OPTIONS, options("examDayOptions", ANYTHING=1)).status_code == 200


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "testOptions: is missing"),
        ({"testOptions": []}, "testOptions: must be a JSON object"),
        (
            {"testOptions": {"security": []}},
            "testOptions.security: is not a known name; known are securityOptions, ",
        ),
        ({"testOptions": {"generalOptions": {}}}, "testOptions.generalOptions: must be a list"),
        (
            options("securityOptions", LOCKDOWN=True),
            "testOptions.securityOptions[0].option: LOCKDOWN is not an option",
        ),
        (
            options("explanationOptions", LOCKDOWN_BROWSER=True),
            "testOptions.explanationOptions[0].option: LOCKDOWN_BR",
        ),
        (
            options("securityOptions", LOCKDOWN_BROWSER="true"),
            "testOptions.securityOptions[0].value: must be true or",
        ),
        (
            options("securityOptions", LOCKDOWN_QUIT_CODE=""),
            "testOptions.securityOptions[0].value: must be text, not",
        ),
        (
            options("generalOptions", ANYTHING=None),
            "testOptions.generalOptions[0].value: must be text, a number, true",
        ),
        (
            options("generalOptions", ANYTHING={}),
            "testOptions.generalOptions[0].value: must be text, a number, true",
        ),
        (
            {"testOptions": {"generalOptions": [{"value": 1}]}},
            "testOptions.generalOptions[0].option: is missing",
        ),
        (
            {"testOptions": {"generalOptions": [{"option": "A", "value": 1}] * 2}},
            "testOptions.generalOptions[1].option: A is in this group twice",
        ),
    ],
)
def test_options_that_the_vendor_would_refuse_are_refused_by_name(
    client: ApiClient, sandbox: Sandbox, body: Any, complaint: str
) -> None:
    plant(sandbox)
    answer = client.post(OPTIONS, body)
    assert answer.status_code == 400
    assert errors(answer).startswith(complaint)
    assert not any(only_test(sandbox)["options"].values())
