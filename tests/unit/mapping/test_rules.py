"""How a field is made: column, template, constant; pattern, lookup, case, default; and rules that can't be followed."""

import pytest
from sync.errors import UsageError
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind

from .feeds import feed_of, outcome, refused

ROOM = (Kind.CANDIDATE, "room")


def test_a_column_is_found_by_its_name_in_whatever_form_the_name_is_spelt() -> None:
    assert outcome(*ROOM, FieldRule(column=" A\u030ar "), År="2026") == "2026"


def test_a_template_joins_columns_with_its_text() -> None:
    assert (
        outcome(*ROOM, FieldRule(template="{x} {{{y}}} 100%"), x=" Aula ", y="2") == "Aula {2} 100%"
    )


def test_a_template_may_name_a_column_twice_or_only_one() -> None:
    assert outcome(*ROOM, FieldRule(template="{x}{x}"), x="a") == "aa"
    assert outcome(*ROOM, FieldRule(template="Rom {x}"), x="1") == "Rom 1"


def test_a_template_with_a_blank_place_is_blank_as_a_whole() -> None:
    assert outcome(*ROOM, FieldRule(template="{x}-{y}"), x="a", y=" ") is None
    assert outcome(*ROOM, FieldRule(template="{x}-{y}", default="none"), x="", y="b") == "none"


def test_a_template_s_text_is_in_one_form_even_where_its_parts_meet() -> None:
    assert outcome(*ROOM, FieldRule(template="{x}{y}"), x="A", y="\u030a") == "\u00c5"


def test_a_constant_is_the_same_in_every_row() -> None:
    assert outcome(*ROOM, FieldRule(constant=" Aula ")) == "Aula"


def test_a_lookup_translates_and_refuses_what_it_does_not_know_naming_some_of_what_it_does() -> (
    None
):
    rule = FieldRule(column="x", lookup={str(n): f"Rom {n}" for n in range(8)})
    assert outcome(*ROOM, rule, x=" 3 ") == "Rom 3"
    assert outcome(*ROOM, rule, x="") is None
    row_error = refused(*ROOM, rule, x="99")
    assert row_error.reason == "'99' is not in the lookup table (8 words)"
    assert "'lookup'" in row_error.remedy


def test_a_lookup_with_a_default_falls_back_to_it() -> None:
    rule = FieldRule(column="x", lookup={"1": "Rom 1"}, default="Aula")
    assert [outcome(*ROOM, rule, x=text) for text in ("1", "99", "")] == ["Rom 1", "Aula", "Aula"]


def test_a_lookup_may_name_the_blank_and_its_keys_are_in_one_form() -> None:
    rule = FieldRule(column="x", lookup={"": "Aula", "A\u030a": "Rom Å"})
    assert [outcome(*ROOM, rule, x=text) for text in ("", "\u00c5")] == ["Aula", "Rom Å"]


def test_a_case_is_changed_after_the_lookup_and_before_the_default() -> None:
    rule = FieldRule(column="x", lookup={"Å": "Øst"}, case="upper", default="vest")
    assert [outcome(*ROOM, rule, x=text) for text in ("Å", "")] == ["ØST", "vest"]
    assert outcome(*ROOM, FieldRule(column="x", case="lower"), x="ÅSE") == "åse"


def test_a_changed_case_is_in_one_form_too() -> None:
    assert outcome(*ROOM, FieldRule(column="x", case="upper"), x="\u01f0") == "J\u030c"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("[a-z]+[0-9]+", "ab12"),
        ("([a-z]+)[0-9]+", "ab"),
        ("([a-z]+)(?P<value>[0-9]+)", "12"),
        ("ab12(x)?", None),
    ],
)
def test_a_pattern_picks_the_named_group_or_the_only_group_or_all(
    pattern: str, value: str | None
) -> None:
    assert outcome(*ROOM, FieldRule(column="x", pattern=pattern), x=" ab12 ") == value


def test_a_pattern_must_match_all_of_the_value_unless_it_is_blank() -> None:
    rule = FieldRule(column="x", pattern="[a-z]+")
    assert refused(*ROOM, rule, x="ab1").reason == "does not match the feed's pattern"
    assert outcome(*ROOM, rule, x=" ") is None


def test_a_template_is_filled_from_a_pattern_s_groups() -> None:
    rule = FieldRule(
        column="x",
        pattern=r"(?P<course>\w+)/(?P<term>\w+)(/(?P<part>\w+))?",
        template="{course}-{term}",
    )
    assert outcome(*ROOM, rule, x="EX100/2026V") == "EX100-2026V"
    assert outcome(*ROOM, rule, x="") is None
    partly = FieldRule(column="x", pattern=rule.pattern, template="{course}-{part}")
    assert outcome(*ROOM, partly, x="EX100/2026V") is None
    assert "pattern" in refused(*ROOM, rule, x="EX100").reason


def test_a_title_is_limited_and_takes_no_square_brackets() -> None:
    title = (Kind.TEST, "title", FieldRule(column="x"))
    assert outcome(*title, x="Å" * 500) == "Å" * 500
    assert refused(*title, x="Å" * 501).reason == "501 characters, at most 500 can be used"
    for text in ("EX100 [utsatt", "EX100 ]"):
        assert "'[' or ']'" in refused(*title, x=text).reason


def wrong(kind: Kind, name: str, rule: FieldRule) -> str:
    with pytest.raises(UsageError) as caught:
        feed_of(kind, name, rule)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "rule", "told"),
    [
        (
            "room",
            FieldRule(),
            "map.room: has no source; give 'column', 'template', 'first_of' or 'constant'",
        ),
        ("room", FieldRule(column=" "), "map.room: column: is blank"),
        ("room", FieldRule(column="a\x01"), "map.room: column: holds a control character"),
        (
            "room",
            FieldRule(column="x", constant="y"),
            "map.room: has a 'constant' and another source; keep one",
        ),
        (
            "room",
            FieldRule(column="x", template="{y}"),
            "map.room: has both 'column' and 'template'",
        ),
        ("room", FieldRule(template="no place"), "map.room: template: names no column"),
        ("room", FieldRule(template="{}"), "map.room: template: '{}' names no column"),
        ("room", FieldRule(template="{x:>5}"), "map.room: template: '{x…}' has a ':' or a '!'"),
        ("room", FieldRule(template="{x"), "map.room: template: "),
        ("room", FieldRule(column="x", pattern="("), "map.room: pattern: can't be read"),
        ("room", FieldRule(column="x", pattern="(a)(b)"), "map.room: pattern: has several groups"),
        (
            "room",
            FieldRule(column="x", pattern="(?P<a>a)", template="{b}"),
            "'b' is not a named group of the pattern",
        ),
        (
            "room",
            FieldRule(column="x", case="title"),
            "map.room: case: 'title' is unknown; use lower or upper",
        ),
        (
            "room",
            FieldRule(column="x", zone="Europe/Oslo"),
            "'format' and 'zone' are for date-times",
        ),
        ("room", FieldRule(column="x", minutes="hours"), "'minutes' is for durations"),
        ("room", FieldRule(constant="a\x01"), "map.room: constant: holds a control character"),
        (
            "room",
            FieldRule(column="x", default="a\x01"),
            "map.room: default: holds a control character",
        ),
        (
            "room",
            FieldRule(column="x", lookup={"a\x01": "b"}),
            "map.room: lookup: holds a control character",
        ),
        (
            "extra_time",
            FieldRule(constant="101%"),
            "map.extra_time: constant: '101%' of extra time is more",
        ),
        (
            "extra_time",
            FieldRule(column="x", default="ten"),
            "map.extra_time: default: 't**' is not a whole number",
        ),
        (
            "extra_time",
            FieldRule(column="x", minutes="days"),
            "map.extra_time: minutes: 'days' is unknown",
        ),
        (
            "seat",
            FieldRule(column="x"),
            "map.seat: is not a field of a candidate; use test, learner, candidate_id",
        ),
    ],
)
def test_a_rule_that_can_t_be_followed_is_the_configuration_s_row_error(
    name: str, rule: FieldRule, told: str
) -> None:
    assert told in wrong(Kind.CANDIDATE, name, rule)


def test_all_that_is_wrong_with_a_feed_is_said_at_once() -> None:
    rule = FeedRule(
        Kind.CANDIDATE, {"room": FieldRule(), "seat": FieldRule(column="x")}, {"a\x01": ("x",)}
    )
    with pytest.raises(UsageError) as caught:
        compile_feed(rule, "rows.csv")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("feed of candidates from rows.csv: ") for line in lines)
    assert [line.split(": ")[1].replace("\x01", "") for line in lines] == [
        "map.room",
        "map.seat",
        "where.a",
        "map.test",
        "map.learner",
    ]


@pytest.mark.parametrize("kind", [Kind.LEARNER, Kind.TEST])
def test_a_feed_without_anything_to_know_its_records_by_is_refused(kind: Kind) -> None:
    with pytest.raises(
        UsageError, match=r"map\.key: is missing; give the column that holds it or map 'external_"
    ):
        compile_feed(FeedRule(kind, {}, {}), "rows.csv")
