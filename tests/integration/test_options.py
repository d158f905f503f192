"""Settings of tests: sent by group, left alone where nothing is said, and closed once the test is activated."""

import re
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from ..support.university import DURING, TEST, University

PIN, LOCKDOWN, QUIT = "SEB_SETTINGS_PINCODE", "LOCKDOWN_BROWSER", "LOCKDOWN_QUIT_CODE"


EXPLAIN, EXPLAIN_ALL = (
    "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED",
    "EXPLANATION_OF_GRADES_REQUESTED_FOR_ALL_GRADES",
)


FIRST_PIN, SECOND_PIN = "Pinkode1234", "Pinkode5678"


@pytest.fixture
def locked(university: University) -> University:
    """A test with a lock-down browser, its pin, and explanations of grades."""
    university.add_feeds("option")
    university.register(TEST, "1001")
    put(university, **{LOCKDOWN: "yes", PIN: FIRST_PIN, EXPLAIN: "no"})
    return university


def put(university: University, **values: str) -> None:
    """Rows that say what options of the test are set to."""
    for option, value in values.items():
        if any(row["option"] == option for row in university.settings.rows):
            university.settings.set(f"{TEST} {option}", value=value)
        else:
            university.settings.add(f"{TEST} {option}", value=value)


def digest(secret: str) -> dict[str, str]:
    """How the sandbox shows a secret."""
    return {"sha256": sha256(secret.encode()).hexdigest()}


def bodies(university: University) -> list[dict[str, Any]]:
    """What the last command's settings calls said."""
    return [call["body"]["testOptions"] for call in university.sent("/options")]


def key_of(university: University) -> Path:
    """The file with the key of the secret digests."""
    return university.state.with_name(f"{university.state.name}.key")


def digest_of(university: University) -> bytes:
    """The line of the state in which the digest of the pin is."""
    content = university.state.read_bytes()
    start = content.index(b"digest ")
    return content[start : start + 39]


def test_options_are_sent_in_one_call_by_group_and_once(locked: University) -> None:
    locked.apply_once()
    (body,) = bodies(locked)
    assert set(body) == {"securityOptions", "explanationOptions"}
    assert {"option": LOCKDOWN, "value": True} in body["securityOptions"]
    assert body["explanationOptions"] == [{"option": EXPLAIN, "value": False}]
    security = {LOCKDOWN: True, PIN: digest(FIRST_PIN)}
    assert locked.options() == {"securityOptions": security, "explanationOptions": {EXPLAIN: False}}
    locked.apply_cleanly()
    assert locked.calls() == []


def test_only_what_changed_is_sent(locked: University) -> None:
    locked.apply_once()
    put(locked, **{EXPLAIN: "1"})
    assert f"update option {TEST} / {EXPLAIN}: value false → true" in locked.plan().out
    locked.apply_cleanly()
    assert bodies(locked) == [{"explanationOptions": [{"option": EXPLAIN, "value": True}]}]


def test_a_blank_and_a_row_that_is_gone_leave_the_option_alone(locked: University) -> None:
    locked.apply_once()
    put(locked, **{LOCKDOWN: "", PIN: "", QUIT: ""})
    locked.settings.drop(f"{TEST} {EXPLAIN}")
    assert locked.planned() == []
    locked.apply_cleanly()
    assert locked.writes() == []
    assert locked.options()["securityOptions"] == {LOCKDOWN: True, PIN: digest(FIRST_PIN)}


def test_a_changed_pin_is_noticed_and_shown_neither_in_words_nor_in_json(
    locked: University,
) -> None:
    locked.apply_once()
    put(locked, **{PIN: SECOND_PIN})
    text, told = locked.plan(), locked.plan_json()
    assert f"update option {TEST} / {PIN}: value changes" in text.out
    assert [one["changed"] for one in told["changes"]] == [{"value": None}]
    assert "digest " not in text.output + str(told)
    locked.apply_cleanly()
    assert locked.options()["securityOptions"][PIN] == digest(SECOND_PIN)
    assert locked.planned() == []


def test_a_pin_is_not_known_by_its_digest_on_another_state(locked: University) -> None:
    locked.apply_once()
    first = digest_of(locked)
    locked.state.unlink()
    key_of(locked).unlink()
    assert locked.adopt("--managed").status == 0
    locked.apply_cleanly()
    assert digest_of(locked) != first


def test_a_lost_key_sends_each_secret_once_more_and_nothing_else(locked: University) -> None:
    locked.apply_once()
    key_of(locked).unlink()
    assert locked.planned() == [f"update option {TEST}/{PIN}"]
    locked.apply_cleanly()
    assert [[one["option"] for one in body["securityOptions"]] for body in bodies(locked)] == [
        [PIN]
    ]
    assert locked.options()["securityOptions"][PIN] == digest(FIRST_PIN)
    locked.apply_cleanly()
    assert locked.calls() == []


def test_a_lost_key_whose_secrets_are_held_makes_one_by_which_they_can_be_allowed(
    locked: University,
) -> None:
    locked.apply_once()
    key_of(locked).unlink()
    locked.config["limits"] = {"updates": {"at_least": 0, "percent": 0}}
    ran = locked.apply()
    assert ran.status == 3
    assert locked.writes() == []
    (allowed,) = set(re.findall(r"apply --allow (\w+)", ran.out))
    assert set(re.findall(r"apply --allow (\w+)", locked.plan().out)) == {allowed}
    assert locked.apply("--allow", allowed).status == 0
    assert len(bodies(locked)) == 1


def test_after_a_lost_key_the_secrets_of_a_test_that_has_begun_are_deferred(
    locked: University,
) -> None:
    locked.apply_once()
    key_of(locked).unlink()
    locked.at(DURING)
    assert locked.planned("deferred") == [f"update option {TEST}/{PIN}"]
    assert locked.apply().status == 0
    assert locked.writes() == []


@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["check"],
        ["status"],
        ["doctor", "--offline"],
        ["adopt", "--show"],
        ["sync", "--dry-run"],
    ],
)
def test_only_commands_that_write_make_a_key(locked: University, words: list[str]) -> None:
    locked.apply_once()
    key_of(locked).unlink()
    before = sorted(locked.folder.iterdir())
    locked.run(*words)
    assert sorted(locked.folder.iterdir()) == before


@pytest.mark.parametrize("words", [["apply"], ["adopt"], ["reconcile"]])
def test_whatever_opens_the_state_for_writing_makes_the_key(
    locked: University, words: list[str]
) -> None:
    locked.run(*words)
    assert len(key_of(locked).read_bytes()) == 32
    assert S_IMODE(key_of(locked).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "words", [["plan"], ["check"], ["apply"], ["adopt"], ["reconcile"], ["doctor", "--offline"]]
)
def test_a_damaged_key_exits_2_and_sends_nothing(locked: University, words: list[str]) -> None:
    locked.apply_once()
    key_of(locked).write_bytes(b"short")
    ran = locked.run(*words)
    assert ran.status == 2
    assert "state.db.key: this is not a key of secret digests" in ran.output
    assert locked.calls() == []


def test_a_pin_that_breaks_the_vendors_rule_is_a_row_error_that_does_not_print_it(
    locked: University,
) -> None:
    put(locked, **{PIN: "onlyletters"})
    ran = locked.run("check")
    assert ran.status == 1
    assert (
        "value: is not 6 or more printable ASCII characters with letters and digits among them"
        in ran.out
    )
    assert "onlyletters" not in ran.output


def test_an_option_that_is_not_named_is_a_row_error_with_the_list_of_those_that_are(
    locked: University,
) -> None:
    put(locked, SHOW_TIMER="yes")
    ran = locked.run("check")
    assert ran.status == 1
    assert (
        f"settings.csv line {locked.settings.line(f'{TEST} SHOW_TIMER')}: option: is not one of"
        in ran.out
    )
    assert all(name in ran.out for name in (PIN, LOCKDOWN, QUIT, EXPLAIN, EXPLAIN_ALL))


def test_an_option_that_the_configuration_declares_goes_into_its_group(locked: University) -> None:
    locked.config["inspera"]["options"] = {"SHOW_TIMER": {"group": "exam_day", "type": "text"}}
    put(locked, SHOW_TIMER="last 10 minutes")
    locked.apply_once()
    assert bodies(locked)[0]["examDayOptions"] == [
        {"option": "SHOW_TIMER", "value": "last 10 minutes"}
    ]
    assert locked.options()["examDayOptions"] == {"SHOW_TIMER": "last 10 minutes"}


def test_options_are_deferred_once_the_test_has_begun_and_those_that_still_can_go_on_when_it_has_ended(
    locked: University,
) -> None:
    put(locked, **{EXPLAIN: "no"})
    locked.apply_once()
    put(locked, **{LOCKDOWN: "no", EXPLAIN: "yes"})
    locked.at(DURING)
    assert set(locked.planned("deferred")) == {
        f"update option {TEST}/{LOCKDOWN}",
        f"update option {TEST}/{EXPLAIN}",
    }
    ran = locked.apply_cleanly()
    assert "the test is activated: its security options can't change any more" in ran.out
    assert bodies(locked) == []
    locked.at("2026-12-02T09:30")
    locked.apply_cleanly()
    assert bodies(locked) == [{"explanationOptions": [{"option": EXPLAIN, "value": True}]}]
    assert locked.options()["securityOptions"][LOCKDOWN] is True


def test_security_options_of_a_test_that_somebody_started_earlier_are_deferred_at_apply(
    locked: University,
) -> None:
    locked.apply_once()
    locked.at("2026-11-30T09:00")
    locked.sandbox.edit(test=TEST, start="2026-11-30T08:00:00Z", end="2026-11-30T12:00:00Z")
    put(locked, **{LOCKDOWN: "no", EXPLAIN: "yes"})
    assert set(locked.planned("pass")) == {
        f"update option {TEST}/{EXPLAIN}",
        f"update option {TEST}/{LOCKDOWN}",
    }
    locked.apply_cleanly()
    assert bodies(locked) == [{"explanationOptions": [{"option": EXPLAIN, "value": True}]}]
    assert "the test is activated" in locked.run("status").out


def test_a_lost_answer_is_settled_by_sending_it_again(locked: University) -> None:
    locked.config["inspera"]["attempts"] = 1
    locked.fail(method="POST", path="*/options", status=500, when="before")
    assert locked.apply().status == 1
    assert locked.status()["unsettled"] == 3
    locked.stop_failing()
    locked.apply_cleanly()
    assert locked.options()["securityOptions"][PIN] == digest(FIRST_PIN)
    assert (locked.status()["unsettled"], locked.planned()) == (0, [])


def test_an_option_of_a_test_that_nobody_knows_is_a_row_error(locked: University) -> None:
    locked.settings.add(f"MAT1100-H26 {LOCKDOWN}", value="yes")
    ran = locked.apply()
    assert ran.status == 1
    assert "test: no feed makes the test 'MAT1100-H26', and this state does not know it" in ran.out


@pytest.fixture
def explaining(locked: University) -> University:
    """A test on which everybody has been taken to have asked for an explanation of their grade."""
    put(locked, **{EXPLAIN_ALL: "yes"})
    locked.apply_once()
    return locked


def test_an_option_that_acts_one_way_is_switched_off_only_after_a_person_has_allowed_it(
    explaining: University,
) -> None:
    put(explaining, **{EXPLAIN_ALL: "no"})
    ran = explaining.apply()
    assert (ran.status, bodies(explaining)) == (3, [])
    assert "switching this option off takes back nothing that it has done" in ran.out
    allowed = explaining.apply("--allow", ran.allow_hash)
    assert allowed.status == 0, allowed.output
    assert bodies(explaining) == [{"explanationOptions": [{"option": EXPLAIN_ALL, "value": False}]}]


def test_undo_leaves_an_option_that_acts_one_way_as_it_is(locked: University) -> None:
    put(locked, **{EXPLAIN_ALL: "no"})
    locked.apply_once()
    put(locked, **{EXPLAIN_ALL: "yes", EXPLAIN: "yes"})
    locked.apply_cleanly()
    run = locked.status()["runs"][0]["id"]
    ran = locked.run("undo", str(run), "--why", "wrong", "--yes")
    assert bodies(locked) == [{"explanationOptions": [{"option": EXPLAIN, "value": False}]}]
    assert "the option acts one way: setting it back takes nothing back" in ran.out


def test_a_lost_call_is_not_settled_by_switching_a_one_way_option_off(locked: University) -> None:
    put(locked, **{EXPLAIN_ALL: "no"})
    locked.apply_once()
    locked.config["inspera"]["attempts"] = 1
    put(locked, **{EXPLAIN_ALL: "yes"})
    locked.fail(method="POST", path="*/options", status=500, when="after")
    assert locked.apply().status == 1
    locked.stop_failing()
    put(locked, **{EXPLAIN_ALL: "no"})
    assert locked.apply().status == 3
    assert bodies(locked) == []


def test_a_group_has_another_name_on_this_tenant(university: University) -> None:
    university.add_feeds("option")
    university.register(TEST, "1001")
    university.config["inspera"]["options"] = {"SHOW_LATER": {"group": "after_test"}}
    put(university, SHOW_LATER="yes")
    university.apply_once()
    sent = [{"option": "SHOW_LATER", "value": True}]
    assert bodies(university) == [{"afterTestOptions": sent}]
    university.config["inspera"]["calls"] = {
        "option.set": {"groups": {"after_test": "examDayOptions"}}
    }
    put(university, SHOW_LATER="no")
    university.apply_cleanly()
    assert list(bodies(university)[0]) == ["examDayOptions"]


def test_a_group_that_does_not_exist_is_a_configuration_error(university: University) -> None:
    university.config["inspera"] |= {
        "options": {"SHOW_LATER": {"group": "aftertest"}},
        "calls": {
            "option.set": {"groups": {"afterwards": "x"}},
            "committee.create": {"groups": {"general": "x"}},
        },
    }
    ran = university.run("check")
    assert ran.status == 2
    assert "inspera.options.SHOW_LATER.group: is not a valid value; did you mean" in ran.err
    assert "after_test" in ran.err
    assert "groups.afterwards: is not a group of options; the groups are general, " in ran.err
    assert "only option.set sends groups of options" in ran.err


def test_a_quit_code_that_is_longer_than_some_browsers_take_is_a_warning(
    university: University,
) -> None:
    university.add_feeds("option")
    university.register(TEST, "1001")
    university.feed("option")["map"] |= {
        "option": {"constant": QUIT},
        "value": {"constant": "123456789"},
    }
    put(university, **{QUIT: ""})
    ran = university.run("check")
    assert ran.status == 0
    assert "map.value.constant: has more than 8 characters; use at most 8" in ran.err
    assert "123456789" not in ran.output


def test_a_row_with_such_a_quit_code_is_sent_with_a_note(university: University) -> None:
    university.add_feeds("option")
    university.register(TEST, "1001")
    put(university, **{QUIT: "123456789"})
    university.apply_cleanly()
    (note,) = university.findings()
    assert (note["type"], note["key"]) == ("note", [TEST, QUIT])
    assert note["text"].startswith("has more than 8 characters: Inspera's own lock-down browser")
    put(university, **{QUIT: "12345678"})
    university.apply_cleanly()
    assert university.findings() == []
