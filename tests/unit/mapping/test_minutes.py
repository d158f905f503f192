"""Durations and extra time, in each of the ways in which sources write them."""

import pytest
from sync.mapping import FieldRule
from sync.records.base import Kind, Row
from sync.records.candidate import SHARES, Candidate

from .feeds import candidate, feed, feed_of, outcome, refused, row, row_errors

NUMBER = FieldRule(column="x")
CLOCK = FieldRule(column="x", minutes="hh:mm")
HOURS = FieldRule(column="x", minutes="hours")
ISO = FieldRule(column="x", minutes="iso8601")


@pytest.mark.parametrize(
    ("rule", "text", "minutes"),
    [
        (NUMBER, "240", 240),
        (FieldRule(column="x", minutes="number"), "007", 7),
        (CLOCK, "4:30", 270),
        (CLOCK, "00:01", 1),
        (CLOCK, "100:00", 6000),
        (HOURS, "4", 240),
        (HOURS, "4.5", 270),
        (HOURS, "4,25", 255),
        (HOURS, "0.05", 3),
        (ISO, "PT4H30M", 270),
        (ISO, "PT90M", 90),
        (ISO, "P1DT1H", 1500),
        (ISO, "PT120S", 2),
        (ISO, "P1D", 1440),
    ],
)
def test_a_duration_is_read_in_the_way_the_feed_says(
    rule: FieldRule, text: str, minutes: int
) -> None:
    assert outcome(Kind.TEST, "duration", rule, x=f" {text} ") == minutes


@pytest.mark.parametrize(
    ("rule", "text", "why"),
    [
        (NUMBER, "4:30", "is not a whole number of minutes"),
        (NUMBER, "240.0", "is not a whole number of minutes"),
        (NUMBER, "-5", "is not a whole number of minutes"),
        (NUMBER, "1e3", "is not a whole number of minutes"),
        (NUMBER, "٢٤٠", "is not a whole number of minutes"),
        (NUMBER, "9" * 5000, "is not a whole number of minutes"),
        (CLOCK, "270", "is not hours and minutes"),
        (CLOCK, "4:60", "is not hours and minutes"),
        (HOURS, "4:30", "is not a number of hours"),
        (HOURS, "4.01", "hours are not whole minutes"),
        (HOURS, "4.333333", "hours are not whole minutes"),
        (ISO, "4H30M", "is not an ISO 8601 duration"),
        (ISO, "P", "is not an ISO 8601 duration"),
        (ISO, "PT", "is not an ISO 8601 duration"),
        (ISO, "P1M", "is not an ISO 8601 duration"),
        (ISO, "PT90S", "is not whole minutes"),
    ],
)
def test_a_duration_written_otherwise_is_a_row_error_that_quotes_it(
    rule: FieldRule, text: str, why: str
) -> None:
    row_error = refused(Kind.TEST, "duration", rule, x=text)
    assert why in row_error.reason
    assert row_error.reason.startswith(f"'{text[:40]}")
    assert len(row_error.reason) < 120


@pytest.mark.parametrize(
    ("rule", "nothing"), [(NUMBER, "0"), (CLOCK, "0:00"), (HOURS, "0,0"), (ISO, "PT0M")]
)
def test_a_test_lasts_longer_than_nothing(rule: FieldRule, nothing: str) -> None:
    assert refused(Kind.TEST, "duration", rule, x=nothing).reason == "a duration of 0 minutes"
    assert outcome(Kind.CANDIDATE, "extra_time", rule, x=nothing) == 0


def extra(text: str) -> Candidate:
    return candidate(feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE, extra=text)))


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("25%", 25), ("25 %", 25), ("+25%", 25), ("+ 25 %", 25), ("0%", 0), ("100%", 100), ("33.3%", 33.3),
        ("12,5 %", 12.5), ("12.5%", 12.5), ("0,125%", 0.125), ("15 min/h", 25), ("15min/h", 25),
        ("15 minutter per time", 25),
        ("7,5 min/h", 12.5), ("20 min/h", 100 / 3), ("60 min/h", 100), ("10 minutes per hour", 100 / 6),
    ],
)  # fmt: skip
def test_extra_time_may_be_a_share_of_the_duration(text: str, percent: float) -> None:
    made = extra(text)
    assert (made.extra_time, made.extra_share) == (None, round(percent * SHARES / 100))
    assert type(made.extra_share) is int


@pytest.mark.parametrize(
    "text", ["30", "30.0", "30,00", "+30", "+ 30", "30 min", "30min", "30 minutter", "30.0 min"]
)
def test_minutes_may_have_a_sign_a_unit_and_a_zero_behind_the_point(text: str) -> None:
    assert (extra(text).extra_time, extra(text).extra_share) == (30, None)


def test_minutes_are_no_share_and_a_blank_is_neither() -> None:
    assert (extra("25").extra_time, extra("25").extra_share) == (25, None)
    assert (extra("0").extra_time, extra("0").extra_share) == (0, None)
    assert (extra("").extra_time, extra("").extra_share) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "101%",
        "100.5%",
        "-5%",
        "%",
        "25 percent",
        "1000%",
        "61 min/h",
        "15 min/d",
        "30.5",
        "25.5555%",
        "--3",
        "min",
    ],
)
def test_other_extra_time_is_a_row_error_about_extra_time(text: str) -> None:
    (row_error,) = row_errors(feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE, extra=text)))
    assert row_error.field == "extra_time"
    assert row_error.key == ("EX100-2026V", "500001")


def test_a_share_may_be_the_feed_s_default_or_constant() -> None:
    for rule in (FieldRule(column="x", default="25%"), FieldRule(constant="25%")):
        made = candidate(feed_of(Kind.CANDIDATE, "extra_time", rule).map(Row(2, {"x": ""})))
        assert (made.extra_time, made.extra_share) == (None, 75_000)


def test_a_share_is_understood_in_whatever_way_minutes_are_written() -> None:
    made = candidate(feed_of(Kind.CANDIDATE, "extra_time", HOURS).map(Row(2, {"x": "33%"})))
    assert made.extra_share == 99_000
