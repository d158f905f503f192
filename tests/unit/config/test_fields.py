import pytest
from sync.config import CandidateFeed, LearnerFeed, TestFeed
from sync.mapping import FieldRule

from .configurations import (
    SOUND,
    STAFF,
    changed,
    with_committees,
    with_contributors,
    with_option,
    with_title,
)
from .conftest import Errors, Load

QUOTED = "correct it, or put it in single quotes"
PLAIN = "write only the column's name between the braces, without ':' or '!'"
LETTERS = "use %Y %m %d %H %M %S, %b or %B for the name of a month, %z for an offset"

NOTHING = {
    "column": None,
    "template": None,
    "constant": None,
    "default": None,
    "lookup": None,
    "case": None,
    "pattern": None,
    "format": None,
    "zone": None,
    "minutes": None,
    "separator": None,
    "first_of": None,
    "computed": None,
    "next_day": False,
    "languages": (),
}


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("navn", {"column": "navn"}),
        ("'{course} – {name}'", {"template": "{course} – {name}"}),
        ("{constant: 42}", {"constant": "42"}),
        ("{column: a, lower: true}", {"column": "a", "case": "lower"}),
        ("{template: '{a}', upper: true, lower: false}", {"template": "{a}", "case": "upper"}),
        (
            "{column: a, lookup: {x: Å, y: ''}, default: x}",
            {"column": "a", "lookup": {"x": "Å", "y": ""}, "default": "x"},
        ),
        ("{column: a, pattern: '(?P<value>.)'}", {"column": "a", "pattern": "(?P<value>.)"}),
        (
            "{column: a, pattern: '(?P<x>.)(?P<y>.)', template: '{y}{x}'}",
            {"column": "a", "pattern": "(?P<x>.)(?P<y>.)", "template": "{y}{x}"},
        ),
    ],
)
def test_each_way_to_make_a_field_becomes_its_rule(
    load_text: Load, spec: str, rule: dict[str, object]
) -> None:
    feed = load_text(with_title(spec)).settings.feeds[1]
    assert feed.fields()["title"].as_rule() == NOTHING | rule


def test_times_and_minutes_carry_how_they_are_written(load_text: Load) -> None:
    text = changed(
        "{column: start, zone: Europe/Oslo}",
        "{column: start, format: '%d.%m.%y %I:%M %p', zone: Europe/Oslo}",
    )
    feed = load_text(
        text.replace("duration: minutes", "duration: {column: m, minutes: 'hh:mm'}")
    ).settings.feeds[1]
    start = {"column": "start", "format": "%d.%m.%y %I:%M %p", "zone": "Europe/Oslo"}
    assert feed.fields()["start"].as_rule() == NOTHING | start
    assert feed.fields()["duration"].as_rule() == NOTHING | {"column": "m", "minutes": "hh:mm"}


def test_lists_carry_what_stands_between_their_items(load_text: Load) -> None:
    text = changed("learner: no}", "learner: no, committees: {column: groups, separator: ' '}}")
    assert load_text(text).settings.feeds[2].fields()["committees"].as_rule() == NOTHING | {
        "column": "groups",
        "separator": " ",
    }


@pytest.mark.parametrize(
    ("separator", "error"),
    [
        ("''", "is empty; give it a value, or remove the line"),
        ("01234567890", "is too long; use no more characters than 10"),
        (
            '"\\t"',
            "contains an unprintable character, which a value can't contain; "
            "write a visible one, such as ',', or remove the line",
        ),
    ],
)
def test_a_separator_that_can_stand_in_no_value_is_refused(
    errors_of: Errors, separator: str, error: str
) -> None:
    text = changed(
        "learner: no}", f"learner: no, committees: {{column: g, separator: {separator}}}}}"
    )
    assert errors_of(text) == [f"24:84: feeds[3].map.committees.separator: {error}"]


def test_values_that_stand_in_the_configuration_are_in_no_repr_of_it(load_text: Load) -> None:
    text = with_option(
        "LOCKDOWN_QUIT_CODE", "{column: x, default: made-up-1, lookup: {a: made-up-2}}"
    )
    for loaded in (load_text(text), load_text(with_option("q", "{constant: made-up-3}"))):
        assert "made-up" not in f"{loaded!r} {loaded.settings!s}"
        rule = FieldRule(**loaded.settings.feeds[3].fields()["value"].as_rule())
        assert "made-up" not in repr(rule)
        assert "made-up" in str(vars_of(rule))


def vars_of(rule: FieldRule) -> list[object]:
    return [rule.constant, rule.default, rule.lookup]


def test_a_learner_has_its_auth_system_as_a_constant_and_its_own_key(load_text: Load) -> None:
    feed = load_text(SOUND).settings.feeds[0]
    assert isinstance(feed, LearnerFeed)
    fields = feed.fields()
    assert set(fields) == {
        "key",
        "username",
        "external_id",
        "first_name",
        "last_name",
        "auth_system",
    }
    assert (fields["key"].column, fields["auth_system"].constant) == ("no", "FEIDE")


def test_keys_default_to_the_external_identifiers(load_text: Load) -> None:
    learners, tests, candidates = load_text(changed("{key: no, ", "{")).settings.feeds
    assert isinstance(learners, LearnerFeed)
    assert isinstance(tests, TestFeed)
    assert isinstance(candidates, CandidateFeed)
    assert learners.fields()["key"] == learners.fields()["external_id"]
    assert tests.fields()["key"] == tests.fields()["external_test_id"]
    assert set(candidates.fields()) == {"test", "learner"}


def test_an_auth_system_may_be_mapped_from_a_column(load_text: Load) -> None:
    text = changed("    auth_system: FEIDE\n", "").replace(
        "{key: no,", "{key: no, auth_system: login,"
    )
    assert load_text(text).settings.feeds[0].fields()["auth_system"].column == "login"


def test_only_a_feed_that_says_so_clears_blanks(load_text: Load) -> None:
    feeds = load_text(changed("source: seats", "source: seats\n    blank: clear")).settings.feeds
    assert [feed.clear_blanks for feed in feeds] == [False, False, True]


def test_a_member_of_staff_has_what_a_learner_has_and_more(load_text: Load) -> None:
    more = "last_name: family, status: s, accesses: a, organisations: {column: o, separator: ','}, password: p}"
    feed = load_text(SOUND + STAFF.replace("last_name: family}", more)).settings.feeds[3]
    assert list(feed.fields()) == [
        "key", "username", "external_id", "first_name", "last_name", "status", "accesses", "organisations",
        "password", "auth_system",
    ]  # fmt: skip
    assert feed.fields()["auth_system"].constant == "FEIDE"
    keyless = load_text(SOUND + STAFF.replace("key: no, ", "")).settings.feeds[3]
    assert keyless.fields()["key"].column == "feide"


def test_options_committees_and_contributors_are_made_of_what_their_feeds_map(
    load_text: Load,
) -> None:
    for text, names in (
        (with_option("{constant: LOCKDOWN_BROWSER}"), ["test", "option", "value"]),
        (with_committees("committee: name"), ["test", "committee"]),
        (with_committees("committee: name, type: type"), ["test", "committee", "type"]),
        (
            with_contributors("roles: r, committees: c, room: x, building: y, notify: n"),
            ["test", "staff", "roles", "committees", "room", "building", "notify"],
        ),
    ):
        assert list(load_text(text).settings.feeds[-1].fields()) == names


@pytest.mark.parametrize(("notify", "constant"), [("true", "true"), ("false", None)])
def test_a_feed_of_contributors_may_tell_everybody(
    load_text: Load, notify: str, constant: str | None
) -> None:
    text = with_contributors("roles: r").replace(
        "kind: contributor", f"kind: contributor\n    notify: {notify}"
    )
    field = load_text(text).settings.feeds[-1].fields().get("notify")
    assert (field.constant if field else None) == constant


def test_contributors_without_roles_are_refused(errors_of: Errors) -> None:
    (error,) = errors_of(with_contributors("room: r"))
    assert error.startswith(
        "31:5: feeds[5].map.roles: is needed; add it: what the person does on the test"
    )


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (
            "{lower: true}",
            ": does not say where the value comes from; add 'column', 'first_of', 'template' or 'constant'",
        ),
        (
            "{column: a, template: '{b}'}",
            ".template: is set together with 'column'; "
            "keep one of them, or add a 'pattern' whose groups the template combines",
        ),
        (
            "{constant: a, default: b}",
            ".default: has no effect next to 'constant'; keep one of them",
        ),
        ("{column: a, lower: true, upper: true}", ".upper: contradicts 'lower'; keep one of them"),
        (
            "{template: '{a}', pattern: '(?P<value>.)'}",
            ".pattern: has no column to read; add 'column'",
        ),
        (
            "{column: a, pattern: '(.)'}",
            ".pattern: has no named group; name the part to use, as in (?P<value>…)",
        ),
        (
            "{column: a, pattern: '(?P<x>.)'}",
            ".pattern: has no group named 'value'; "
            "name a group so, as in (?P<value>…), or add a 'template' with its groups",
        ),
        (
            "{column: a, pattern: '(?P<x>.)', template: '{y}'}",
            ".template: names 'y', which is not a group of 'pattern'; use its groups: x",
        ),
        (
            "{column: a, pattern: '(?P<x>'}",
            f".pattern: is not a valid regular expression (missing ), unterminated subpattern); {QUOTED}",
        ),
        (
            "{column: a, pattern: '(?P<x>[[a])'}",
            f".pattern: is not a valid regular expression (its meaning depends on the version); {QUOTED}",
        ),
        ("{column: ''}", ".column: is empty; give it a value, or remove the line"),
        ("{column: ' '}", ".column: is empty; give it a value, or remove the line"),
        (
            '{constant: "a\\tb"}',
            ".constant: contains a line break or another control character; write it on one line, without escapes",
        ),
        ("''", ": is empty; give it a value, or remove the line"),
        ("{column: a, lookup: {}}", ".lookup: is empty; give at least one entry"),
        (
            "{column: a, format: '%Y'}",
            ".format: is only for the fields 'start' and 'end'; remove it here",
        ),
        (
            "{column: a, minutes: hours}",
            ".minutes: is only for the fields 'duration' and 'extra_time'; remove it here",
        ),
        (
            "{column: a, separator: '|'}",
            ".separator: is only for the fields 'roles', 'committees', 'accesses' and 'organisations'; "
            "remove it here",
        ),
        ("{colunm: a}", ".colunm: unknown setting; did you mean 'column'?"),
        (
            "{template: plain}",
            ".template: is a template without any {name} in it; write 'constant:' for a fixed value",
        ),
        (
            "'{a'",
            ": is a template with an unmatched brace; close it, or double it ('{{') for the character itself",
        ),
        ("'{a:>5}'", f": has a placeholder that is not a plain {{name}}; {PLAIN}"),
        ("'{}'", f": has a placeholder that is not a plain {{name}}; {PLAIN}"),
        (
            "[a, b]",
            ": should contain settings; write them below it, indented, as 'name: value'",
        ),
    ],
)
def test_a_field_that_can_not_be_made_is_refused_at_its_own_line(
    errors_of: Errors, spec: str, error: str
) -> None:
    found = errors_of(with_title(spec))
    assert [one.split(": ", 1)[0].split(":")[0] for one in found] == ["18"]
    assert [one.split("feeds[2].map.title")[1] for one in found] == [error]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (
            "format: '%d.%m.%Y %H:%M'",
            ".format: has no time zone; add it as a setting, such as 'zone: Europe/Oslo'",
        ),
        (
            "format: '%Y%m%dT%H%z', zone: UTC",
            ".zone: is set although 'format' reads the zone with %z; remove one of them",
        ),
        (
            "format: '%d.%m.%Y', zone: UTC",
            ".format: does not contain the hour; add %H (or %I with %p), or combine columns with 'template'",
        ),
        (
            "format: '%d.%m.%Y %I', zone: UTC",
            ".format: does not contain the hour; add %H (or %I with %p), or combine columns with 'template'",
        ),
        (
            "format: '%m.%Y %H', zone: UTC",
            ".format: does not contain the whole date; add the year (%Y), the month (%m) and the day (%d)",
        ),
        (
            "format: '%d.%m.%Y %H %Q', zone: UTC",
            f".format: has '%Q', which is not supported; {LETTERS}",
        ),
        (
            "format: '%d.%m.%Y %H %', zone: UTC",
            f".format: has '%', which is not supported; {LETTERS}",
        ),
        (
            "format: '%d.%d.%m.%Y %H', zone: UTC",
            ".format: is ambiguous; write each part of the time once, with a separator between the parts",
        ),
        ("zone: Europe/Olso", ".zone: is not a valid time zone; did you mean 'Europe/Oslo'?"),
        (
            "zone: ../../etc/passwd",
            ".zone: is not a valid time zone; write a zone such as Europe/Oslo",
        ),
        ("zone: Europe", ".zone: is not a valid time zone; write a zone such as Europe/Oslo"),
        ("zone: ''", ".zone: is not a valid time zone; write a zone such as Europe/Oslo"),
    ],
)
def test_a_time_that_could_only_be_guessed_is_refused(
    errors_of: Errors, spec: str, error: str
) -> None:
    found = errors_of(changed("{column: start, zone: Europe/Oslo}", f"{{column: start, {spec}}}"))
    assert [one.split("feeds[2].map.start")[1] for one in found] == [error]


def test_limits_that_contradict_each_other_are_refused(errors_of: Errors) -> None:
    assert errors_of(SOUND + "limits: {kind: {at_least: 900}}") == [
        "25:10: limits.kind.at_most: is below 'at_least', so it has no effect; raise it, or lower 'at_least'"
    ]


def test_a_share_above_a_hundred_per_cent_is_refused(errors_of: Errors) -> None:
    assert errors_of(SOUND + "limits: {test: {percent: 101}}") == [
        "25:26: limits.test.percent: is too large; use at most 100"
    ]
