"""Words that Inspera would not take are refused where they stand, with those that it takes, and never repeated."""

import pytest
from sync.config import contract_checks
from sync.records.staff import STATUSES

from .configurations import SOUND, STAFF, changed, with_committees, with_contributors, with_option
from .conftest import Errors, Load

ROLES = "evaluate, monitor, plan, author, invigilate, chief_invigilate, review"
KNOWN = (
    "SEB_SETTINGS_PINCODE, LOCKDOWN_BROWSER, LOCKDOWN_QUIT_CODE, LOCKDOWN_CHROME_KIOSK, "
    "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED, EXPLANATION_OF_GRADES_REQUESTED_FOR_ALL_GRADES"
)
NO_PIN = "is not a pin that Inspera accepts; give 6 or more printable ASCII characters, letters and digits among them"
NO_ROLE = f"is not a valid role of contributors; use one of {ROLES}"
PIN = "{constant: SEB_SETTINGS_PINCODE}"


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        ("{constant: grader}", ["52: feeds[5].map.roles.constant"]),
        ("{constant: evaluate; grader}", ["52: feeds[5].map.roles.constant"]),
        ("{constant: grader;evaluate}", ["52: feeds[5].map.roles.constant"]),
        ("{column: r, default: grader}", ["62: feeds[5].map.roles.default"]),
        (
            "{column: r, lookup: {a: evaluate, b: grader, c: ar_grader}}",
            ["78: feeds[5].map.roles.lookup.b", "89: feeds[5].map.roles.lookup.c"],
        ),
        ("{column: r, separator: ',', default: 'plan,grader'}", ["78: feeds[5].map.roles.default"]),
    ],
)
def test_a_role_that_there_is_not_is_refused_with_those_that_there_are(
    errors_of: Errors, spec: str, places: list[str]
) -> None:
    errors = errors_of(with_contributors(f"roles: {spec}"))
    assert errors == [f"31:{place}: {NO_ROLE}" for place in places]


@pytest.mark.parametrize(
    "spec",
    [
        "{constant: Evaluate;ar_plan}",
        "{column: r, default: ' evaluate ;; monitor;'}",
        "{column: r, lookup: {x: AR_REVIEW, y: ''}}",
        "grader",
    ],
)
def test_roles_are_taken_in_any_case_with_their_prefix_and_from_columns_of_any_name(
    load_text: Load, spec: str
) -> None:
    assert "roles" in load_text(with_contributors(f"roles: {spec}")).settings.feeds[-1].fields()


def test_an_option_that_there_is_not_is_refused_with_those_that_there_are(
    errors_of: Errors,
) -> None:
    error = f"is not a valid option of tests; use one of {KNOWN}"
    assert errors_of(with_option("{constant: LOCKDOWN_BROWSR}")) == [
        f"29:26: feeds[4].map.option.constant: {error}, or declare it under 'inspera.options'"
    ]


def test_an_option_that_the_configuration_declares_is_one(
    errors_of: Errors, load_text: Load
) -> None:
    declared = "options: {SHOW_TIMER: {group: general}}"
    text = with_option("{constant: show_timer}", "{constant: ON}")
    assert load_text(text.replace("client_id: example", f"client_id: example\n  {declared}"))
    wrong = with_option("{constant: SHOW_CLOCK}").replace(
        "client_id: example", f"client_id: example\n  {declared}"
    )
    assert f"use one of {KNOWN}, SHOW_TIMER, or declare it" in errors_of(wrong)[0]


@pytest.mark.parametrize("pin", ["aB345", "123456", "abcdef", "aB345é", "aB34 5\u00a06"])
@pytest.mark.parametrize("spec", ["constant: ", "column: a, default: ", "column: a, lookup: {x: "])
def test_a_pin_that_breaks_the_rule_is_refused_without_being_shown(
    errors_of: Errors, pin: str, spec: str
) -> None:
    (error,) = errors_of(with_option(PIN, f'{{{spec}"{pin}"{"}" * spec.count("{")}}}'))
    assert error.startswith(f"30:{15 + len(spec)}: feeds[4].map.value.")
    assert error.endswith(f": {NO_PIN}")
    assert pin not in error


@pytest.mark.parametrize("value", ["maybe", "2", "12:30"])
@pytest.mark.parametrize("option", ["LOCKDOWN_BROWSER", "lockdown_browser"])
def test_a_switch_is_true_or_false(errors_of: Errors, option: str, value: str) -> None:
    assert errors_of(with_option(f"{{constant: {option}}}", f"{{constant: '{value}'}}")) == [
        "30:25: feeds[4].map.value.constant: is neither true nor false; write 'true' or 'false'"
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("LOCKDOWN_BROWSER", "Yes"),
        ("SEB_SETTINGS_PINCODE", "aB3456"),
        ("LOCKDOWN_QUIT_CODE", "1"),
    ],
)
def test_values_that_an_option_can_have_are_taken(load_text: Load, option: str, value: str) -> None:
    feed = load_text(
        with_option(f"{{constant: {option}}}", f"{{constant: {value}}}")
    ).settings.feeds[-1]
    assert feed.fields()["value"].constant == value


def test_a_value_is_not_judged_where_the_option_differs_from_row_to_row(load_text: Load) -> None:
    assert load_text(with_option("name", "{constant: anything}"))


def test_the_types_that_the_configuration_declares_hold_for_values_too(errors_of: Errors) -> None:
    for option, type_, told in (
        ("CLOCK", "switch", "neither true nor false"),
        ("DOOR", "pin", "not a pin"),
        ("NOTE", "text", ""),
    ):
        declared = f"options: {{{option}: {{group: general, type: {type_}}}}}"
        text = with_option(f"{{constant: {option}}}", "{constant: some}").replace(
            "source: seats", "source: s"
        )
        text = text.replace("client_id: example", f"client_id: example\n  {declared}")
        errors = [error for error in errors_of(text) if "map.value" in error]
        assert [told in error for error in errors] == ([True] if told else [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            SOUND
            + STAFF.replace(
                "last_name: family", "last_name: family, status: {column: s, lookup: {x: gone}}"
            ),
            "28:127: feeds[4].map.status.lookup.x: is not a valid status of staff; use one of active, disabled",
        ),
        (
            with_committees("committee: c, type: {constant: FINAL}"),
            "27:54: feeds[4].map.type.constant: is not a valid type of committees; use one of GRADING, REASSESSMENT",
        ),
        (
            with_committees(f"committee: {{constant: {'c' * 51}}}"),
            "27:45: feeds[4].map.committee.constant: is too long; use no more characters than 50",
        ),
        (
            with_contributors(f"roles: r, committees: {{constant: A;{'c' * 51}}}"),
            "31:67: feeds[5].map.committees.constant: is too long; use no more characters than 50",
        ),
        (
            changed(
                "learner: no}", f"learner: no, committees: {{column: c, default: {'c' * 51}}}}}"
            ),
            "24:82: feeds[3].map.committees.default: is too long; use no more characters than 50",
        ),
        (
            with_contributors("roles: r, notify: {column: n, default: perhaps}"),
            "31:73: feeds[5].map.notify.default: is neither true nor false; write 'true' or 'false'",
        ),
    ],
)
def test_other_words_are_judged_where_they_stand(errors_of: Errors, text: str, error: str) -> None:
    assert errors_of(text) == [error]


def test_the_configuration_and_the_rows_are_judged_by_the_same_statuses() -> None:
    assert set(contract_checks.STATUSES) == set(STATUSES)


def test_a_pin_may_stand_in_a_file_and_is_judged_without_being_shown(
    errors_of: Errors, load_text: Load
) -> None:
    loaded = load_text(SOUND)
    pin = loaded.folder / "pin"
    pin.write_text("aB3456\n", encoding="utf-8")
    pin.chmod(0o400)
    text = with_option(PIN, '{constant: "${file:pin}"}')
    loaded = load_text(text)
    assert loaded.settings.feeds[-1].fields()["value"].constant == "aB3456"
    assert loaded.warnings == ()
    assert "aB3456" not in repr(loaded)
    pin.chmod(0o600)
    pin.write_text("secre\n", encoding="utf-8")
    assert errors_of(text) == [f"30:25: feeds[4].map.value.constant: {NO_PIN}"]


def test_a_pin_in_a_file_that_is_not_there_is_one_error(errors_of: Errors) -> None:
    assert errors_of(with_option(PIN, '{constant: "${file:pin}"}')) == [
        "30:25: feeds[4].map.value.constant: ${file:pin} names a file that does not exist; "
        "create it, or correct the path"
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (with_option(PIN, "{constant: aB3456}"), "feeds[4].map.value.constant"),
        (
            with_option("{constant: lockdown_quit_code}", "{column: c, default: q}"),
            "feeds[4].map.value.default",
        ),
        (
            with_option("{constant: DOOR}", "{constant: aB3456}").replace(
                "client_id: example",
                "client_id: example\n  options: {DOOR: {group: general, type: text, secret: yes}}",
            ),
            "feeds[4].map.value.constant",
        ),
        (
            SOUND
            + STAFF.replace(
                "last_name: family", "last_name: family, password: {constant: made-up}"
            ),
            "feeds[4].map.password.constant",
        ),
    ],
)
def test_a_secret_that_stands_openly_in_a_feed_is_a_warning(
    load_text: Load, text: str, path: str
) -> None:
    (warning,) = load_text(text).warnings
    assert (warning.path, warning.reason) == (path, "is a secret in plain text")


def test_a_pin_s_file_that_others_may_read_is_a_warning(load_text: Load) -> None:
    pin = load_text(SOUND).folder / "pin"
    pin.write_text("aB3456", encoding="utf-8")
    pin.chmod(0o644)
    (warning,) = load_text(with_option(PIN, '{constant: "${file:pin}"}')).warnings
    assert warning.reason == "${file:pin} can be read by users other than its owner"


def test_what_is_no_secret_may_stand_in_the_open(load_text: Load) -> None:
    assert load_text(with_option("{constant: LOCKDOWN_BROWSER}", "{constant: true}")).warnings == ()


def test_an_option_s_declaration_that_is_wrong_is_not_taken_for_its_value_s_error(
    errors_of: Errors,
) -> None:
    text = with_option("{constant: DOOR}", "{constant: some}")
    declared = "client_id: example\n  options: {DOOR: {group: general, type: pen}}"
    assert errors_of(text.replace("client_id: example", declared)) == [
        "4:42: inspera.options.DOOR.type: is not a valid value; did you mean 'pin'?"
    ]
