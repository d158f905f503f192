"""Calls that a tenant takes otherwise, and options that it has besides: what is in force, and what is refused."""

import pytest
from sync.config import InsperaSettings
from sync.contract import CALLS, OPTIONS, OptionRule, Stage, stage_of

from .configurations import SOUND, with_inspera
from .conftest import Errors, Load


def inspera_of(load_text: Load, *lines: str) -> InsperaSettings:
    return load_text(with_inspera(*lines)).settings.inspera


def test_without_changes_the_contract_s_calls_and_options_are_in_force(load_text: Load) -> None:
    inspera = load_text(SOUND).settings.inspera
    assert inspera.calls_in_force() == CALLS
    assert inspera.options_in_force() == OPTIONS


def test_a_changed_call_keeps_what_is_not_changed_and_its_place(load_text: Load) -> None:
    inspera = inspera_of(
        load_text,
        "calls:",
        "  candidate.remove: {method: POST, path: '/v1/test/{test}/candidates/remove?isExternal=true'}",
        "  option.set: {wrapper: ''}",
    )
    calls = inspera.calls_in_force()
    remove, usual = calls["candidate.remove"], CALLS["candidate.remove"]
    assert (remove.method, remove.path) == (
        "POST",
        "/v1/test/{test}/candidates/remove?isExternal=true",
    )
    assert (remove.wrapper, remove.repeat, remove.fields) == (
        usual.wrapper,
        usual.repeat,
        usual.fields,
    )
    assert (calls["option.set"].wrapper, calls["option.set"].path) == ("", CALLS["option.set"].path)
    assert list(calls) == list(CALLS)
    assert [name for name, call in calls.items() if call != CALLS[name]] == [
        "option.set",
        "candidate.remove",
    ]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_any_call_but_the_token_s_can_be_changed(
    load_text: Load, errors_of: Errors, name: str
) -> None:
    usual = CALLS[name]
    line = f"  {name}: {{method: {usual.method}, path: '/v2{usual.path}'}}"
    if name == "token.fetch":
        assert errors_of(with_inspera("calls:", line)) == [
            "5:5: inspera.calls.'token.fetch': "
            "can't be changed: it is documented, and contains the API key; remove it"
        ]
    else:
        assert (
            inspera_of(load_text, "calls:", line).calls_in_force()[name].path == f"/v2{usual.path}"
        )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (
            "candidate.asign: {method: PUT}",
            "5:5: inspera.calls.{0}: is not a call; did you mean 'candidate.assign'?",
        ),
        (
            "zzz: {method: PUT}",
            "5:5: inspera.calls.zzz: is not a call; known here: learner.create,",
        ),
        ("test.read:", "5:15: inspera.calls.{0}: is empty; give it a value, or remove the line"),
        (
            "test.read: GET",
            "5:16: inspera.calls.{0}: should contain settings; write them below it, indented, as",
        ),
        (
            "option.set: {method: post}",
            "5:26: inspera.calls.{0}.method: is not a valid value; known here: GET, POST, PUT, PATCH, DELETE",
        ),
        (
            "test.read: {method: DELETE}",
            "5:25: inspera.calls.{0}.method: would change something, but this call only reads; use GET or POST",
        ),
        (
            "candidate.remove: {method: GET}",
            "5:32: inspera.calls.{0}.method: would only read, but this call changes something; use POST, PUT, PATCH",
        ),
        (
            "test.read: {method: }",
            "5:24: inspera.calls.{0}.method: is empty; give it a value, or remove the line",
        ),
        (
            "candidate.list: {wrapper: list}",
            "5:31: inspera.calls.{0}.wrapper: has no effect: this call sends no body; remove it",
        ),
        (
            "test.read: {wrapper: }",
            "5:25: inspera.calls.{0}.wrapper: is empty; give it a value, or remove the line",
        ),
        (
            "test.read: {url: /v1}",
            "5:17: inspera.calls.{0}.url: unknown setting; known here: method, path, wrapper",
        ),
        (
            "option.set: {wrapper: test.options}",
            "5:27: inspera.calls.{0}.wrapper: is not a valid member name; write a name such as candidates, "
            "or '' if the body itself is the list",
        ),
    ],
)
def test_a_change_that_says_nothing_that_can_be_done_is_refused(
    errors_of: Errors, call: str, error: str
) -> None:
    name = call.partition(":")[0]
    shown = f"'{name}'" if "." in name else name
    (found,) = errors_of(with_inspera("calls:", f"  {call}"))
    assert found.startswith(error.replace("{0}", shown))


def test_a_change_that_says_nothing_changes_nothing(load_text: Load) -> None:
    assert inspera_of(load_text, "calls:", "  test.read: {}").calls_in_force() == CALLS


@pytest.mark.parametrize(
    ("name", "path", "what"),
    [
        ("candidate.list", "/v1/candidates", "lacks {test}; add it where Inspera expects it"),
        (
            "candidate.list",
            "/v1/candidates/{testId}?x={test}",
            "has {testId}, which this call does not fill; this call fills {test}",
        ),
        (
            "person.by_external_id",
            "/v1/users/search",
            "lacks {auth_system} and {external_id}; add it where Inspera expects it",
        ),
        (
            "test.search",
            "/v1/tests/{query}",
            "has {query}, which this call does not fill; remove it",
        ),
        (
            "candidate.list",
            "/v1/{test}/{}",
            "has {}, which this call does not fill; this call fills {test}",
        ),
        (
            "candidate.list",
            "/v1/{test",
            "has an unmatched brace; write each place as {name}",
        ),
        (
            "candidate.list",
            "/v1/{test!r}",
            "has a place that is not a plain {name}; write only the name between the braces",
        ),
        (
            "candidate.list",
            "v1/{test}",
            "should begin with one '/'; write what follows /api, such as /v1/test/{test}",
        ),
        (
            "candidate.list",
            "https://evil.example/{test}",
            "should begin with one '/'; write what follows /api, such as /v1/test/{test}",
        ),
        (
            "candidate.list",
            "//evil.example/{test}",
            "should begin with one '/'; write what follows /api, such as /v1/test/{test}",
        ),
        (
            "candidate.list",
            "/v1/../{test}",
            "contains '..'; write the complete path after /api, such as /v1/test/{test}",
        ),
        (
            "candidate.list",
            "/v1/%2e%2E/{test}",
            "contains '..'; write the complete path after /api, such as /v1/test/{test}",
        ),
        (
            "candidate.list",
            "/v1/{test}#x",
            "contains a character that is not allowed in a path; use plain ASCII, without spaces, '#' and '\\'",
        ),
        (
            "candidate.list",
            "/v1/prøve/{test}",
            "contains a character that is not allowed in a path; use plain ASCII, without spaces, '#' and '\\'",
        ),
        (
            "candidate.list",
            "/v1/ {test}",
            "contains a character that is not allowed in a path; use plain ASCII, without spaces, '#' and '\\'",
        ),
    ],
)
def test_a_path_that_lacks_a_place_or_leaves_the_tenant_is_refused(
    errors_of: Errors, name: str, path: str, what: str
) -> None:
    (error,) = errors_of(with_inspera("calls:", f"  {name}:", f"    path: '{path}'"))
    assert error.startswith("6:13: inspera.calls.")
    assert error.endswith(f".path: {what}")


def test_a_control_character_in_a_path_is_refused(errors_of: Errors) -> None:
    (error,) = errors_of(with_inspera("calls:", "  test.read:", '    path: "/v1/{test}\\n"'))
    assert "contains a character that is not allowed in a path" in error


def test_declared_options_come_after_those_that_are_known(load_text: Load) -> None:
    inspera = inspera_of(
        load_text,
        "options:",
        "  SHOW_TIMER: {group: general}",
        "  ENTRY_CODE: {group: exam_day, type: pin, secret: false}",
        "  NOTE_2: {group: explanation, type: text, secret: yes}",
    )
    assert dict(inspera.options_in_force()) == {
        **OPTIONS,
        "SHOW_TIMER": OptionRule("general"),
        "ENTRY_CODE": OptionRule("exam_day", "pin", secret=True),
        "NOTE_2": OptionRule("explanation", "text", secret=True),
    }
    assert list(inspera.options_in_force())[: len(OPTIONS)] == list(OPTIONS)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        (
            "LOCKDOWN_BROWSER: {group: security}",
            "5:23: inspera.options.LOCKDOWN_BROWSER: is already a known option; "
            "remove it; it can be used without this setting",
        ),
        (
            "showTimer: {group: general}",
            "5:16: inspera.options.showTimer: is not a valid option name; "
            "write it as Inspera does, in capitals, such as SHOW_TIMER",
        ),
        (
            "A: {group: generel}",
            "5:16: inspera.options.A.group: is not a valid value; did you mean 'general'?",
        ),
        (
            "A: {group: general, type: pn}",
            "5:31: inspera.options.A.type: is not a valid value; did you mean 'pin'?",
        ),
        (
            "A: {type: pin}",
            "5:5: inspera.options.A.group: is needed; add it: the group in which the option is sent",
        ),
        ("A:", "5:7: inspera.options.A: is empty; give it a value, or remove the line"),
    ],
)
def test_an_option_that_can_not_be_declared_is_refused(
    errors_of: Errors, option: str, error: str
) -> None:
    (found,) = errors_of(with_inspera("options:", f"  {option}"))
    assert found.startswith(error)


def test_declared_statuses_are_known_whatever_their_case(load_text: Load) -> None:
    statuses = inspera_of(
        load_text, "statuses: {Being_Ready: not_activated, Put Away: archived}"
    ).statuses_in_force()
    shown = ("BEING READY", "put_away", "Graded", "SCHEDULED", "ready", "", None)
    assert [stage_of(word, statuses) for word in shown] == [
        Stage.NOT_ACTIVATED,
        Stage.ARCHIVED,
        Stage.ACTIVATED,
        Stage.NOT_ACTIVATED,
        Stage.UNKNOWN,
        Stage.UNSHOWN,
        Stage.UNSHOWN,
    ]


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ("{ACTIVE: not_activated}", "is already a known status"),
        ("{ready: yes}", "is not a valid value"),
        ("{' ': activated}", "is not a status of a test"),
    ],
)
def test_a_status_that_can_not_be_declared_is_refused(
    errors_of: Errors, statuses: str, error: str
) -> None:
    (found,) = errors_of(with_inspera(f"statuses: {statuses}"))
    assert error in found
