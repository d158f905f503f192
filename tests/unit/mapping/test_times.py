"""Date-times become UTC without a guess: what a clock change skips or repeats is a row error."""

from datetime import UTC, datetime

import pytest
from sync.errors import UsageError
from sync.mapping import FieldRule
from sync.records.base import Kind

from .feeds import feed, feed_of, outcome, refused, row, row_errors, test

OSLO = "Europe/Oslo"
START = (Kind.TEST, "start")
ISO = FieldRule(column="x", zone=OSLO)
NORWEGIAN = FieldRule(column="x", format="%d.%m.%Y %H:%M", zone=OSLO)


def utc(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-05-20T09:00", utc(2026, 5, 20, 7)),
        ("2026-05-20 09:00:30", utc(2026, 5, 20, 7, 0, 30)),
        ("2026-01-20T09:00", utc(2026, 1, 20, 8)),
        ("20260520T0900", utc(2026, 5, 20, 7)),
        ("2026-05-20T09:00Z", utc(2026, 5, 20, 9)),
        ("2026-05-20T09:00:00+00:00", utc(2026, 5, 20, 9)),
        ("2026-05-20T09:00-05:00", utc(2026, 5, 20, 14)),
        ("2026-05-20T09:00:00.000", utc(2026, 5, 20, 7)),
        ("2026-01-01T00:30", utc(2025, 12, 31, 23, 30)),
    ],
)
def test_iso_times_are_read_in_their_offset_or_else_in_the_zone(text: str, time: datetime) -> None:
    made = outcome(*START, ISO, x=f" {text} ")
    assert made == time
    assert isinstance(made, datetime)
    assert made.tzinfo is UTC


def test_times_are_read_by_the_feed_s_format() -> None:
    assert outcome(*START, NORWEGIAN, x="20.05.2026 09:00") == utc(2026, 5, 20, 7)
    offset = FieldRule(column="x", format="%d.%m.%Y %H:%M %z")
    assert outcome(*START, offset, x="20.05.2026 09:00 +0530") == utc(2026, 5, 20, 3, 30)


def test_a_time_may_be_joined_from_two_columns() -> None:
    rule = FieldRule(template="{day} {hour}", format="%d.%m.%Y %H:%M", zone=OSLO)
    assert outcome(*START, rule, day="20.05.2026", hour="09:00") == utc(2026, 5, 20, 7)
    assert outcome(*START, rule, day="20.05.2026", hour="") is None


@pytest.mark.parametrize("rule", [ISO, NORWEGIAN])
@pytest.mark.parametrize(
    ("iso", "norwegian", "why"),
    [
        (
            "2026-03-29T02:00",
            "29.03.2026 02:00",
            "does not exist in Europe/Oslo: the clock skips it",
        ),
        (
            "2026-03-29T02:59",
            "29.03.2026 02:59",
            "does not exist in Europe/Oslo: the clock skips it",
        ),
        (
            "2026-10-25T02:00",
            "25.10.2026 02:00",
            "is ambiguous in Europe/Oslo: the clock goes back and it comes twice",
        ),
        (
            "2026-10-25T02:59",
            "25.10.2026 02:59",
            "is ambiguous in Europe/Oslo: the clock goes back and it comes twice",
        ),
    ],
)
def test_a_local_time_that_a_clock_change_skips_or_repeats_is_a_row_error(
    rule: FieldRule, iso: str, norwegian: str, why: str
) -> None:
    text = iso if rule is ISO else norwegian
    assert refused(*START, rule, x=text).reason == f"'{text}' {why}"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-29T01:59", utc(2026, 3, 29, 0, 59)),
        ("2026-03-29T03:00", utc(2026, 3, 29, 1)),
        ("2026-10-25T01:59", utc(2026, 10, 24, 23, 59)),
        ("2026-10-25T03:00", utc(2026, 10, 25, 2)),
        ("2026-10-25T02:30+02:00", utc(2026, 10, 25, 0, 30)),
        ("2026-10-25T02:30+01:00", utc(2026, 10, 25, 1, 30)),
    ],
)
def test_the_times_around_a_clock_change_and_those_with_an_offset_are_certain(
    text: str, time: datetime
) -> None:
    assert outcome(*START, ISO, x=text) == time


def test_a_zone_whose_clock_changes_the_other_way_round_is_judged_alike() -> None:
    rule = FieldRule(column="x", zone="Australia/Sydney")
    assert "does not exist" in refused(*START, rule, x="2026-10-04T02:30").reason
    assert "is ambiguous" in refused(*START, rule, x="2026-04-05T02:30").reason


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-05-20", "has no time of day"),
        ("2026-W21-3", "has no time of day"),
        ("20.05.2026 09:00", "is not an ISO 8601 date-time"),
        ("2026-02-30T09:00", "is not an ISO 8601 date-time"),
        ("2026-05-20T09:00:00.5", "has a fraction of a second"),
        ("2026-05-20T09:00:00.0000001", "has a fraction of a second"),
        ("2026-05-20T09:00:00,5Z", "has a fraction of a second"),
        ("0026-05-20T09:00", "the year 26 is not in 1970–2199"),
        ("9999-12-31T23:59-10:00", "the year 9999 is not in 1970–2199"),
    ],
)
def test_what_is_no_whole_date_and_time_is_a_row_error_that_quotes_it(text: str, why: str) -> None:
    row_error = refused(*START, ISO, x=text)
    assert f"'{text}'" in row_error.reason
    assert why in row_error.reason


def test_a_time_that_does_not_fit_the_format_is_a_row_error_that_names_both() -> None:
    row_error = refused(*START, NORWEGIAN, x="2026-05-20 09:00")
    assert row_error.reason == "'2026-05-20 09:00' does not fit the format '%d.%m.%Y %H:%M'"
    assert "does not fit" in refused(*START, NORWEGIAN, x="31.02.2026 09:00").reason


def test_a_fraction_by_format_is_a_row_error_too() -> None:
    rule = FieldRule(column="x", format="%Y-%m-%d %H:%M:%S.%f", zone=OSLO)
    assert outcome(*START, rule, x="2026-05-20 09:00:00.000") == utc(2026, 5, 20, 7)
    assert "fraction of a second" in refused(*START, rule, x="2026-05-20 09:00:00.001").reason


def test_a_local_time_without_a_zone_is_a_row_error_and_with_an_offset_is_not() -> None:
    rule = FieldRule(column="x")
    assert "has no offset from UTC" in refused(*START, rule, x="2026-05-20T09:00").reason
    assert outcome(*START, rule, x="2026-05-20T09:00+02:00") == utc(2026, 5, 20, 7)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (FieldRule(column="x", zone="Europe/Olso"), "zone: 'Europe/Olso' is not a time zone"),
        (FieldRule(column="x", zone="../etc"), "zone: '../etc' is not a time zone"),
        (FieldRule(column="x", format="%d.%m.%Y %H:%M"), "format: local times need a 'zone'"),
        (FieldRule(column="x", format="%d.%d", zone=OSLO), "format: '%d.%d' can't be read"),
        (
            FieldRule(column="x", default="soon", zone=OSLO),
            "default: 's***' is not an ISO 8601 date-time",
        ),
    ],
)
def test_a_time_rule_that_can_t_be_followed_is_the_configuration_s_row_error(
    rule: FieldRule, told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        feed_of(*START, rule)
    assert told in str(caught.value)


def test_an_end_that_is_not_after_the_start_is_a_row_error() -> None:
    for end in ("2026-05-20T09:00", "2026-05-20T08:00"):
        (row_error,) = row_errors(feed(Kind.TEST).map(row(Kind.TEST, end=end)))
        assert (row_error.field, row_error.reason) == ("end", "the end is not after the start")
        assert row_error.key == ("EX100-2026V",)


def test_a_duration_longer_than_the_test_is_a_row_error_and_one_as_long_is_not() -> None:
    assert test(feed(Kind.TEST).map(row(Kind.TEST, minutes="240"))).duration == 240
    (row_error,) = row_errors(feed(Kind.TEST).map(row(Kind.TEST, minutes="241")))
    assert (row_error.field, row_error.key) == ("duration", ("EX100-2026V",))
    assert row_error.reason == "241 minutes is more than the 240 minutes from start to end"


def test_a_test_across_a_clock_change_has_the_length_that_passes_and_not_the_one_on_the_clock() -> (
    None
):
    night = {"start": "2026-03-28T20:00", "end": "2026-03-29T08:00"}
    assert test(feed(Kind.TEST).map(row(Kind.TEST, **night, minutes="660"))).duration == 660
    (row_error,) = row_errors(feed(Kind.TEST).map(row(Kind.TEST, **night, minutes="661")))
    assert "the 660 minutes" in row_error.reason


@pytest.mark.parametrize("blank", ["start", "end", "minutes"])
def test_times_that_are_blank_are_not_judged_against_the_others(blank: str) -> None:
    values = {"start": "2026-05-20T09:00", "end": "2026-05-20T10:00", "minutes": "60", blank: ""}
    assert test(feed(Kind.TEST).map(row(Kind.TEST, **values))).key == "EX100-2026V"
