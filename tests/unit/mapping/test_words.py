"""Fields that take only certain words: choices, switches, roles, options and their values; and lists of words."""

import pytest
from sync.contract import COMMITTEE_TYPES, OPTIONS, ROLES, OptionRule
from sync.errors import UsageError
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind, Row, RowError, joined, listed
from sync.records.committee import Committee
from sync.records.option import Option

from .feeds import OPTION, candidate, feed, feed_of, outcome, refused, row

X = FieldRule(column="x")
ROLE = (Kind.CONTRIBUTOR, "roles")
GROUPS = (Kind.CANDIDATE, "committees")
PIN = "SEB_SETTINGS_PINCODE"


def option(
    name: str, value: str, rules: dict[str, FieldRule] | None = None
) -> Option | list[RowError]:
    """What a row of an option feed becomes."""
    made = compile_feed(FeedRule(Kind.OPTION, rules or OPTION, {}), "rows.csv").map(
        row(Kind.OPTION, option=name, value=value)
    )
    assert isinstance(made, Option | list)
    return made


def wrong(name: str, value: str) -> RowError:
    """The one row error about an option's value."""
    made = option(name, value)
    assert isinstance(made, list), made
    (row_error,) = made
    assert (row_error.field, row_error.key) == ("value", ("EX100-2026V", name))
    return row_error


SWITCHES = "true, yes, on, 1, ja, false, no, off, 0, nei, nej"


@pytest.mark.parametrize(
    ("kind", "name", "text", "value"),
    [
        (Kind.STAFF, "status", "active", "active"),
        (Kind.STAFF, "status", " DISABLED ", "disabled"),
        (Kind.STAFF, "status", "", None),
        (Kind.COMMITTEE, "type", "reassessment", "REASSESSMENT"),
        (Kind.COMMITTEE, "type", "", None),
        (Kind.CONTRIBUTOR, "notify", "TRUE", 1),
        (Kind.CONTRIBUTOR, "notify", "on", 1),
        (Kind.CONTRIBUTOR, "notify", "0", None),
        (Kind.CONTRIBUTOR, "notify", "No", None),
        (Kind.CONTRIBUTOR, "notify", "", None),
    ],
)
def test_a_choice_is_made_in_any_case(
    kind: Kind, name: str, text: str, value: str | int | None
) -> None:
    assert outcome(kind, name, X, x=text) == value


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        (Kind.STAFF, "status", "'other' is not one of active, disabled"),
        (Kind.COMMITTEE, "type", f"'other' is not one of {', '.join(COMMITTEE_TYPES)}"),
        (Kind.CONTRIBUTOR, "roles", f"'other' is not one of {', '.join(ROLES)}"),
        (Kind.CONTRIBUTOR, "notify", f"'other' is not one of {SWITCHES}"),
    ],
)
def test_any_other_word_is_a_row_error_with_the_list(kind: Kind, name: str, reason: str) -> None:
    row_error = refused(kind, name, X, x="other")
    assert row_error.reason == reason
    assert "'lookup'" in row_error.remedy


def test_a_source_s_own_words_are_translated_by_a_lookup() -> None:
    rule = FieldRule(
        column="x", lookup={"ansatt": "active", "sluttet": "DISABLED"}, default="active"
    )
    assert [outcome(Kind.STAFF, "status", rule, x=text) for text in ("ansatt", "sluttet", "")] == [
        "active",
        "disabled",
        "active",
    ]


def test_a_constant_or_a_default_that_is_no_choice_is_the_configuration_s_fault() -> None:
    for rule in (FieldRule(constant="boss"), FieldRule(column="x", default="evaluate;boss")):
        with pytest.raises(
            UsageError,
            match=r"map\.roles: (constant|default): 'boss' is not one of evaluate, monitor",
        ):
            feed_of(*ROLE, rule)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("evaluate", ["evaluate"]),
        ("evaluate;monitor", ["evaluate", "monitor"]),
        (" monitor ; Evaluate;; monitor;", ["evaluate", "monitor"]),
        ("ar_evaluate;AR_plan", ["evaluate", "plan"]),
    ],
)
def test_roles_are_a_list_in_any_order_with_or_without_their_prefix(
    text: str, items: list[str]
) -> None:
    assert outcome(*ROLE, X, x=text) == joined(items)


@pytest.mark.parametrize("text", ["", " ", ";", " ; ;"])
def test_a_list_without_items_is_a_blank(text: str) -> None:
    assert outcome(*ROLE, X, x=text) is None
    assert outcome(*GROUPS, FieldRule(column="x", default="B; A;"), x=text) == "A\nB"
    made = candidate(feed_of(*GROUPS, X, clear_blanks=True).map(Row(2, {"x": text})))
    assert made.committees == ""


def test_a_list_is_taken_apart_at_the_separator_that_the_rule_gives() -> None:
    for separator, text in ((",", "A, B;C"), (" / ", "A / B;C"), (" ", " A   B;C ")):
        assert outcome(*GROUPS, FieldRule(column="x", separator=separator), x=text) == "A\nB;C"


def test_each_item_of_a_list_goes_through_the_lookup_the_case_and_the_default() -> None:
    rule = FieldRule(
        column="x", lookup={"sensor": "Evaluate", "vakt": "INVIGILATE", "ingen": ""}, case="lower"
    )
    assert outcome(*ROLE, rule, x="vakt; sensor;ingen") == "evaluate\ninvigilate"
    assert outcome(*ROLE, rule, x="ingen") is None
    assert (
        refused(*ROLE, rule, x="sensor;boss").reason
        == "'boss' is not in the lookup table (sensor, vakt, ingen)"
    )
    falling_back = FieldRule(column="x", lookup={"sensor": "evaluate"}, default="plan;review")
    assert outcome(*ROLE, falling_back, x="sensor;boss") == "evaluate\nplan\nreview"
    named = FieldRule(column="x", lookup={"": "monitor", "sensor": "evaluate"})
    assert [outcome(*ROLE, named, x=text) for text in ("", ";", "sensor;;")] == [
        "monitor",
        "monitor",
        "evaluate",
    ]


def test_a_list_may_be_a_constant_or_a_template() -> None:
    assert outcome(*ROLE, FieldRule(constant="plan;evaluate")) == "evaluate\nplan"
    assert outcome(*GROUPS, FieldRule(template="{x};{y}"), x="B", y="A") == "A\nB"


def test_one_bad_item_makes_a_row_error_of_the_list() -> None:
    row_error = refused(*GROUPS, X, x=f"A;{'n' * 51}")
    assert row_error.reason == "51 characters, at most 50 can be used"
    assert outcome(*GROUPS, X, x=f"{'n' * 50};{'m' * 50}") == "m" * 50 + "\n" + "n" * 50


def test_a_committee_s_name_has_at_most_50_characters() -> None:
    assert outcome(Kind.COMMITTEE, "committee", X, x="Å" * 50) == "Å" * 50
    assert (
        refused(Kind.COMMITTEE, "committee", X, x="Å" * 51).reason
        == "51 characters, at most 50 can be used"
    )


def test_only_lists_have_a_separator() -> None:
    with pytest.raises(UsageError, match=r"map\.room: 'separator' is for lists; remove it"):
        feed_of(Kind.CANDIDATE, "room", FieldRule(column="x", separator=","))


def test_values_of_staff_that_may_be_names_are_not_quoted() -> None:
    for name in ("first_name", "key"):
        rule = FieldRule(column="x", lookup={"a": "b"})
        assert "Berg" not in str(refused(Kind.STAFF, name, rule, x="Berg"))


@pytest.mark.parametrize("text", ["true", "YES", "on", "1"])
def test_a_switch_is_on(text: str) -> None:
    assert option("LOCKDOWN_BROWSER", text) == Option("EX100-2026V", "LOCKDOWN_BROWSER", "true")


@pytest.mark.parametrize("text", ["False", "no", "OFF", "0"])
def test_a_switch_is_off(text: str) -> None:
    assert option("lockdown_browser", text) == Option("EX100-2026V", "LOCKDOWN_BROWSER", "false")


@pytest.mark.parametrize("name", list(OPTIONS))
@pytest.mark.parametrize("clear_blanks", [False, True])
def test_a_blank_leaves_an_option_alone_even_when_blanks_clear(
    name: str, clear_blanks: bool
) -> None:
    made = feed(Kind.OPTION, clear_blanks=clear_blanks).map(
        row(Kind.OPTION, option=name, value=" ")
    )
    assert made == Option("EX100-2026V", name)


def test_a_pin_and_a_quit_code_are_kept_apart_as_secrets() -> None:
    for name, secret in ((PIN, "aB3456"), ("LOCKDOWN_QUIT_CODE", "yes")):
        made = option(name, secret)
        assert made == Option("EX100-2026V", name, None, secret)
        assert secret not in repr(made)


@pytest.mark.parametrize("pin", ["aB345", "123456", "abcdef", "aB345é", "aB3\u20284567"])
def test_a_pin_that_inspera_does_not_take_is_a_row_error_that_does_not_show_it(pin: str) -> None:
    row_error = wrong(PIN, pin)
    assert pin not in str(row_error)
    assert pin[:3] not in str(row_error)


def test_a_switch_that_is_neither_is_a_row_error_that_does_not_show_it() -> None:
    row_error = wrong("LOCKDOWN_BROWSER", "Zq9hemmelig")
    assert row_error.reason == f"is not one of {SWITCHES}"


def test_a_switch_takes_scandinavian_words_and_shows_a_short_word_that_it_does_not_take() -> None:
    for word, value in (("Ja", "true"), ("NEI", "false"), ("nej", "false")):
        assert option("LOCKDOWN_BROWSER", word) == option("LOCKDOWN_BROWSER", value)
    assert wrong("LOCKDOWN_BROWSER", "evet").reason == f"'evet' is not one of {SWITCHES}"
    assert "Ola" not in wrong("LOCKDOWN_BROWSER", "Ola").reason  # it may be a name


def test_an_option_that_there_is_not_is_a_row_error_with_the_list_that_shows_no_pin_in_its_column() -> (
    None
):
    made = option("Zq9hemmelig", "LOCKDOWN_BROWSER")
    assert isinstance(made, list)
    (row_error,) = made
    assert (row_error.field, row_error.reason) == ("option", f"is not one of {', '.join(OPTIONS)}")
    assert "Zq9" not in str(row_error)


def test_a_pin_that_no_lookup_knows_is_not_shown() -> None:
    rules = {**OPTION, "value": FieldRule(column="value", lookup={"Zq9other": "aB3456"})}
    made = option(PIN, "Zq9hemmelig", rules)
    assert isinstance(made, list)
    assert "Zq9" not in str(made[0])


def test_a_rule_s_own_values_are_not_in_its_repr() -> None:
    rule = FieldRule(constant="Zq9", default="Zq9", lookup={"Zq9": "Zq9"})
    assert "Zq9" not in repr(FeedRule(Kind.OPTION, {"value": rule}, {}))


def test_options_that_the_configuration_declares_are_taken_with_their_types() -> None:
    declared = {
        "CLOCK": OptionRule("general"),
        "NOTE": OptionRule("exam_day", "text"),
        "DOOR": OptionRule("exam_day", "pin"),
        "CODE": OptionRule("general", "switch", secret=True),
    }
    compiled = compile_feed(
        FeedRule(Kind.OPTION, OPTION, {}, options={**OPTIONS, **declared}), "rows.csv"
    )
    made = [
        compiled.map(row(Kind.OPTION, option=name, value=value))
        for name, value in (("CLOCK", "on"), ("note", "on"), ("DOOR", "aB3456"), ("CODE", "on"))
    ]
    assert made == [
        Option("EX100-2026V", "CLOCK", "true"),
        Option("EX100-2026V", "NOTE", "on"),
        Option("EX100-2026V", "DOOR", None, "aB3456"),
        Option("EX100-2026V", "CODE", None, "true"),
    ]
    row_error = compiled.map(row(Kind.OPTION, option="OTHER"))
    assert isinstance(row_error, list)
    assert row_error[0].reason.endswith("CLOCK, NOTE, DOOR, CODE")


def test_a_committee_without_a_type_says_nothing_of_it() -> None:
    made = feed(Kind.COMMITTEE, clear_blanks=True).map(row(Kind.COMMITTEE, type=""))
    assert made == Committee("EX100-2026V", "Kommisjon Å")
    assert listed(made.type) == ()
