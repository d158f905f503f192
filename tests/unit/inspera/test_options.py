"""Options of a test: by group, only those given, and no pin or quit code in any message."""

import json

import pytest
from structlog.testing import capture_logs
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Outcome, Result

from .http_tenant import HttpTenant
from .made_up import option, results_of

OPTION = Kind.OPTION
PIN = "mAde-up!77"
BROWSER, CODE = option("LOCKDOWN_BROWSER", "true"), option("SEB_SETTINGS_PINCODE", PIN, type_="pin")


def _path(number: str) -> str:
    return f"/v1/test/{number}/options"


def test_options_are_sent_by_group_with_switches_as_true_or_false(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    entries = [
        BROWSER,
        option("LOCKDOWN_CHROME_KIOSK", "false"),
        option("EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED", "true", "explanation"),
        option("A_DAY", "monday", "exam_day", "text"),
        option("IN_GENERAL", "true", "general", "text"),
    ]
    assert target.assign(exam, entries, OPTION) == [Outcome(Result.DONE)] * 5
    assert tenant.calls("POST", _path(exam))[0].body == {
        "testOptions": {
            "securityOptions": [
                {"option": "LOCKDOWN_BROWSER", "value": True},
                {"option": "LOCKDOWN_CHROME_KIOSK", "value": False},
            ],
            "explanationOptions": [
                {"option": "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED", "value": True}
            ],
            "examDayOptions": [{"option": "A_DAY", "value": "monday"}],
            "generalOptions": [{"option": "IN_GENERAL", "value": "true"}],
        }
    }


def test_only_the_given_options_are_sent(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    target.assign(exam, [BROWSER], OPTION)
    assert list(tenant.calls("POST", _path(exam))[0].body["testOptions"]) == ["securityOptions"]


def test_lost_options_are_settled_by_repeating(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", _path(exam), 500, carried_out=True)
    assert results_of(target.assign(exam, [BROWSER], OPTION)) == [Result.DONE]
    assert len(tenant.calls("POST", _path(exam))) == 2
    assert tenant.calls("GET") == []


def test_options_that_are_lost_to_the_end_are_unknown(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("POST", _path(exam), 500)
    assert results_of(target.assign(exam, [BROWSER, CODE], OPTION)) == [Result.UNKNOWN] * 2
    assert len(tenant.calls("POST", _path(exam))) == 3


def test_refused_options_are_narrowed_by_the_names_that_the_answer_gives(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    said = {
        "success": False,
        "errors": ["LOCKDOWN_BROWSER can change only until the test is activated"],
    }
    tenant.once("POST", _path(exam), 200, body=said)
    tenant.once("POST", _path(exam), 200, body={"success": True})
    tenant.once("POST", _path(exam), 200, body=said)
    outcomes = target.assign(exam, [BROWSER, CODE, option("OTHER", "true")], OPTION)
    assert results_of(outcomes) == [Result.REFUSED, Result.DONE, Result.DONE]
    assert "until the test is activated" in outcomes[0].message
    assert [
        [one["option"] for group in seen.body["testOptions"].values() for one in group]
        for seen in tenant.calls("POST", _path(exam))
    ] == [
        ["LOCKDOWN_BROWSER", "SEB_SETTINGS_PINCODE", "OTHER"],
        ["SEB_SETTINGS_PINCODE", "OTHER"],
        ["LOCKDOWN_BROWSER"],
    ]


@pytest.mark.parametrize(
    "echo",
    [
        f"the pin {PIN} is too short",
        f"value='{PIN}'",
        f"{PIN}is{PIN}",
        PIN.upper(),
        f'{{"option": "SEB_SETTINGS_PINCODE", "value": "{PIN}"}}',
    ],
)
def test_no_pin_is_repeated_even_when_the_vendor_does(
    target: InsperaTarget, tenant: HttpTenant, exam: str, echo: str
) -> None:
    tenant.every(
        "POST",
        _path(exam),
        422,
        {"errors": [{"option": "SEB_SETTINGS_PINCODE", "value": echo}, echo]},
    )
    with capture_logs() as logs:
        outcomes = target.assign(exam, [CODE, BROWSER], OPTION)
    said = json.dumps(
        [outcomes[0].message, outcomes[1].message, logs, repr(CODE)], default=str
    ).lower()
    assert results_of(outcomes) == [Result.REFUSED] * 2
    assert PIN.lower() not in said
    assert "***" in said


def test_options_cannot_be_read_back_or_taken_off(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    assert not target.members(exam, OPTION).readable
    assert results_of(target.remove(exam, [BROWSER], OPTION)) == [Result.NOT_SENT]
    assert tenant.seen == []
