"""The two clocks: what a response's `Date` shows, by our times before and after it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.inspera.clock import WRONG, ClockCheck
from sync.planning.freeze import Moment

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def seen(theirs: datetime | None, took: float = 0) -> ClockCheck:
    """One answer that bears this time, to a request of noon that took so many seconds."""
    check = ClockCheck()
    check.note(NOON, NOON + timedelta(seconds=took), theirs)
    return check


def test_nothing_is_wrong_before_there_is_an_answer_or_where_it_bears_no_time() -> None:
    for check in (ClockCheck(), seen(None)):
        assert not check.seen
        assert check.trouble == ""
        assert check.moment(NOON) == Moment.of(NOON)


@given(st.integers(0, 600), st.integers(0, 600))
def test_a_slow_answer_is_no_difference_whenever_in_between_it_was_made(took: int, at: int) -> None:
    check = seen((NOON + timedelta(seconds=min(at, took))).replace(microsecond=0), took)
    assert check.seen
    assert check.trouble == ""
    assert check.offset == timedelta(0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (7200, "this machine's clock is 2 h 0 min behind Inspera's; set it by NTP (`timedatectl`)"),
        (-7201, "this machine's clock is 2 h 0 min ahead of Inspera's"),
        (61, "61 s behind"),
        (-62, "61 s ahead of"),
        (60, ""),
        (-61, ""),
        (600, "10 min behind"),
    ],
)
def test_more_than_a_minute_is_reported_with_its_direction(seconds: int, words: str) -> None:
    trouble = seen(NOON + timedelta(seconds=seconds)).trouble
    assert words in trouble
    assert bool(trouble) is bool(words)


@given(st.integers(-100_000, 100_000))
def test_what_has_begun_goes_by_the_later_clock_and_what_has_ended_by_the_earlier(
    seconds: int,
) -> None:
    check = seen(NOON + timedelta(seconds=seconds))
    moment = check.moment(NOON)
    assert moment.earliest <= NOON <= moment.latest
    theirs = NOON + timedelta(seconds=seconds)
    if check.trouble:
        assert moment.latest >= theirs
        assert moment.earliest <= theirs + timedelta(seconds=1)
    else:
        assert moment == Moment.of(NOON)
        assert abs(seconds) <= WRONG.total_seconds() + 1


def test_one_answer_that_is_far_off_counts_for_the_rest_of_the_run() -> None:
    check = seen(NOON + timedelta(hours=1))
    check.note(NOON, NOON, NOON)
    assert check.trouble
