"""The plausible times of tests, in the zone of their feed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sync.planning.plausible import PlausibleTimes, span_text

OSLO = ZoneInfo("Europe/Oslo")


def doubts(times: PlausibleTimes, name: str, local: str) -> list[str]:
    """Return the doubts about a local time in Oslo, given in UTC."""
    time = datetime.fromisoformat(local).replace(tzinfo=OSLO).astimezone(UTC)
    return list(times.doubts_about(name, time))


@pytest.mark.parametrize(
    ("name", "local", "plausible"),
    [
        ("start", "2026-12-01 07:00", True),
        ("start", "2026-12-01 06:59", False),
        ("start", "2026-12-01 21:00", False),
        ("end", "2026-12-01 21:00", True),
        ("end", "2026-12-01 21:01", False),
        ("end", "2026-12-01 00:00", False),
    ],
)
def test_a_test_starts_and_ends_within_the_hours(name: str, local: str, plausible: bool) -> None:
    assert (doubts(PlausibleTimes(hours=(7, 21), zone=OSLO), name, local) == []) is plausible


def test_an_end_at_midnight_is_of_the_day_before() -> None:
    times = PlausibleTimes(weekdays=(0, 1, 2, 3, 4), hours=(7, 24), zone=OSLO)
    assert doubts(times, "end", "2026-12-05 00:00") == []  # Friday, 24:00
    assert doubts(times, "end", "2026-12-05 00:01") != []


def test_the_first_and_the_last_day_count() -> None:
    times = PlausibleTimes(first=date(2026, 8, 1), last=date(2027, 7, 31), zone=OSLO)
    assert doubts(times, "start", "2026-08-01 00:00") == []
    assert doubts(times, "end", "2027-07-31 23:59") == []
    assert "1 day before 2026-08-01" in doubts(times, "start", "2026-07-31 23:00")[0]
    assert "1 day after 2027-07-31" in doubts(times, "end", "2027-08-01 00:30")[0]


def test_all_reasons_are_said_at_once() -> None:
    times = PlausibleTimes(weekdays=(0,), hours=(7, 21), zone=OSLO)
    assert doubts(times, "start", "2026-12-06 03:30") == [
        "its start would be Sun 2026-12-06 03:30 Europe/Oslo: not on one of mon "
        "(plausible.weekdays), 3 h 30 min before 7:00 (plausible.hours)"
    ]


def test_without_settings_nothing_is_doubted() -> None:
    assert doubts(PlausibleTimes(), "start", "1999-12-26 03:00") == []


@pytest.mark.parametrize(
    ("minutes", "text"), [(30, "30 min"), (60, "1 h"), (90, "1 h 30 min"), (0, "0 min")]
)
def test_lengths_of_time_are_in_whole_units(minutes: int, text: str) -> None:
    assert span_text(timedelta(minutes=minutes)) == text
