"""Crontab as cron means it: weekdays, days, words, and both clock changes."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.schedule import crontab, next_times

from ...support.examples import examples

OSLO = "Europe/Oslo"


def at(text: str, zone: str = OSLO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def local(fields: str, since: str, most: int = 3, zone: str = OSLO) -> list[str]:
    """Return the next local times with their offsets, such as `Mon 2026-06-01 06:00+02`."""
    times = next_times(crontab(fields, zone), at(since, zone), most)
    return [f"{time.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M%z}"[:-2] for time in times]


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("1", "Mon Mon"), ("0", "Sun Sun"), ("7", "Sun Sun"), ("1-5", "Mon Tue Wed Thu Fri Mon"),
        ("5-7", "Fri Sat Sun Fri"), ("0-2", "Mon Tue Sun Mon"), ("mon-fri", "Mon Tue Wed Thu Fri Mon"),
        ("fri-sun", "Fri Sat Sun Fri"), ("SUN", "Sun Sun"), ("*/2", "Tue Thu Sat Sun Tue"), ("6,0", "Sat Sun Sat"),
    ],
)  # fmt: skip
def test_weekdays_are_those_of_cron(weekday: str, days: str) -> None:
    # a Sunday, after the time of that day
    found = local(f"0 6 * * {weekday}", "2026-06-07 07:00", len(days.split()))
    assert [time[:3] for time in found] == days.split()


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("@hourly", "Sun 2026-06-07 08:00+02"), ("@daily", "Mon 2026-06-08 00:00+02"),
        ("@midnight", "Mon 2026-06-08 00:00+02"), ("@weekly", "Sun 2026-06-14 00:00+02"),
        ("@monthly", "Wed 2026-07-01 00:00+02"), ("@yearly", "Fri 2027-01-01 00:00+01"),
        ("@annually", "Fri 2027-01-01 00:00+01"), ("@Daily", "Mon 2026-06-08 00:00+02"),
    ],
)  # fmt: skip
def test_words(word: str, first: str) -> None:
    assert local(word, "2026-06-07 07:00", 1) == [first]


def test_a_day_of_the_month_and_a_weekday_mean_either_of_them() -> None:
    found = local("0 6 13 * 5", "2026-06-10 00:00", 4)
    assert [time[:14] for time in found] == [
        "Fri 2026-06-12",
        "Sat 2026-06-13",
        "Fri 2026-06-19",
        "Fri 2026-06-26",
    ]
    # but not where one of them begins with a star
    assert [time[:14] for time in local("0 6 */2 * 5", "2026-06-10 00:00", 2)] == [
        "Fri 2026-06-19",
        "Fri 2026-07-03",
    ]


def test_steps_lists_and_names_of_months() -> None:
    assert local("5/20 8,20 1 jan-mar/2 *", "2026-01-01 08:30", 3) == [
        "Thu 2026-01-01 08:45+01", "Thu 2026-01-01 20:05+01", "Thu 2026-01-01 20:25+01",
    ]  # fmt: skip


def test_the_last_day_and_the_second_monday_of_a_month() -> None:
    assert local("0 6 L * *", "2026-02-10 00:00", 1) == ["Sat 2026-02-28 06:00+01"]
    assert local("0 6 * * 1#2", "2026-06-01 07:00", 1) == ["Mon 2026-06-08 06:00+02"]


def test_a_leap_day_is_found() -> None:
    assert local("0 0 29 2 *", "2025-01-01 00:00", 2) == [
        "Tue 2028-02-29 00:00+01",
        "Sun 2032-02-29 00:00+01",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("0 0 31 2 *", "never fires: no such day exists"),
        ("0 0 30 feb *", "never fires"),
        ("* * * *", "has 4 fields instead of five"),
        ("0 0 0 1 1 *", "has 6 fields instead of five"),
        ("", "has 0 fields instead of five"),
        ("@reboot", "'@reboot' is not known; use @hourly"),
        ("60 * * * *", "minute '60' is not valid; use * or 0 to 59"),
        ("* 24 * * *", "hour '24' is not valid; use * or 0 to 23"),
        ("* * 0 * *", "day of the month '0' is not valid; use * or 1 to 31"),
        ("* * * 13 *", "month '13' is not valid; use * or 1 to 12 or jan to dec"),
        ("* * * * 8", "day of the week '8' is not valid; use * or 0 to 7 or mon to sun"),
        ("* * * * mondag", "day of the week 'mondag' is not valid; use * or 0 to 7 or mon"),
        ("*/0 * * * *", "minute '*/0' is not valid"),
        (
            "* 22-6 * * *",
            "hour '22-6' is not valid; use * or 0 to 23, in a list (1,3), a range from low to high",
        ),
        ("* */x * * *", "hour '*/x'"),
        ("L * * * *", "minute 'L'"),
        ("*-5 * * * *", "minute '*-5'"),
        ("0 6 * * sun-fri-sat", "day of the week 'sun-fri-sat'"),
        ("0 0 30 2 */2", "never fires"),
    ],
)
def test_what_is_wrong_is_named(fields: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        crontab(fields, OSLO)


@pytest.mark.parametrize("zone", ["Europe/Olso", "", "../etc/passwd", "CEST"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    with pytest.raises(
        ValueError, match=r"time zone .* is not known; use a name such as Europe/Oslo"
    ):
        crontab("@daily", zone)


def test_a_local_time_that_is_skipped_comes_once_when_the_clock_jumps() -> None:
    # 2026-03-29: 02:00 becomes 03:00
    assert local("30 2 * * *", "2026-03-28 12:00") == [
        "Sun 2026-03-29 03:00+02", "Mon 2026-03-30 02:30+02", "Tue 2026-03-31 02:30+02",
    ]  # fmt: skip
    # several of them come together, and not again with the one that falls on that moment by itself
    assert local("*/20 2-3 * * *", "2026-03-28 12:00", 4) == [
        "Sun 2026-03-29 03:00+02", "Sun 2026-03-29 03:20+02", "Sun 2026-03-29 03:40+02", "Mon 2026-03-30 02:00+02",
    ]  # fmt: skip
    assert local("0 3 * * *", "2026-03-28 12:00", 2) == [
        "Sun 2026-03-29 03:00+02",
        "Mon 2026-03-30 03:00+02",
    ]


@pytest.mark.parametrize("fields", ["*/20 2 * * *", "* 2 * * *", "30 */2 * * *"])
def test_no_run_is_lost_where_a_field_begins_with_a_star(fields: str) -> None:
    # Debian's cron skips this night's runs; a run more is harmless, a lost night is not
    assert "Sun 2026-03-29 03:00+02" in local(fields, "2026-03-28 23:59", 3)
    autumn = next_times(crontab(fields, OSLO), at("2026-10-25 01:50"), 60)
    shown = [f"{time.astimezone(ZoneInfo(OSLO)):%m-%d %H:%M}" for time in autumn]
    assert len(set(shown)) == len(shown)


def test_a_local_time_that_is_repeated_comes_at_its_first_passing_only() -> None:
    # 2026-10-25: 03:00 becomes 02:00
    assert local("30 2 * * *", "2026-10-24 12:00") == [
        "Sun 2026-10-25 02:30+02", "Mon 2026-10-26 02:30+01", "Tue 2026-10-27 02:30+01",
    ]  # fmt: skip
    assert local("0 1-3 * * *", "2026-10-24 12:00") == [
        "Sun 2026-10-25 01:00+02", "Sun 2026-10-25 02:00+02", "Sun 2026-10-25 03:00+01",
    ]  # fmt: skip
    # asked in the middle of the second passing
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    found = crontab("30 2 * * *", OSLO).next_after(second)
    assert found == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("since", ["2026-03-29 01:30", "2026-10-25 01:30"])
@pytest.mark.parametrize("fields", ["*/10 * * * *", "*/10 */1 * * *"])
def test_every_ten_minutes_stays_so_through_both_changes(fields: str, since: str) -> None:
    times = next_times(crontab(fields, OSLO), at(since), 18)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=10)}


def _moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Any second of these years."""
    begin, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    return st.integers(0, int((end - begin).total_seconds())).map(
        lambda seconds: begin + timedelta(seconds=seconds)
    )


_NUMBERS = {"minute": (0, 59), "hour": (0, 23), "month": (1, 12), "weekday": (0, 7)}


def _field(name: str) -> st.SearchStrategy[str]:
    low, high = _NUMBERS[name]
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    steps = st.integers(1, high).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), number.map(str), ranges, steps)


def _allowed(field: str, low: int, high: int) -> set[int]:
    """By another way than the code's own."""
    if field.startswith("*"):
        return {n for n in range(low, high + 1) if (n - low) % int(field[2:] or 1) == 0}
    first, _, last = field.partition("-")
    return set(range(int(first), int(last or first) + 1))


@settings(max_examples=examples(80), deadline=None)
@given(
    *(_field(name) for name in _NUMBERS),
    _moments(2024, 2030),
)
def test_without_clock_changes_it_is_the_first_minute_that_matches(
    minute: str, hour: str, month: str, weekday: str, moment: datetime
) -> None:
    found = crontab(f"{minute} {hour} * {month} {weekday}", "UTC").next_after(moment)
    assert found is not None
    assert found > moment

    def matches(time: datetime) -> bool:
        return (
            time.minute in _allowed(minute, 0, 59)
            and time.hour in _allowed(hour, 0, 23)
            and time.month in _allowed(month, 1, 12)
            and time.isoweekday() % 7 in {day % 7 for day in _allowed(weekday, 0, 7)}
        )

    assert matches(found)
    assert found.second == 0
    earlier = found - timedelta(minutes=1)
    for _ in range(3000):
        if earlier <= moment:
            break
        assert not matches(earlier)
        earlier -= timedelta(minutes=1)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(["30 2 * * *", "*/7 1-3 * * *", "0 * * * *", "*/10 * * * 0", "59 23 31 12 *"]),
    st.sampled_from([OSLO, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    _moments(2025, 2028),
)
def test_times_go_forward_in_any_zone(fields: str, zone: str, moment: datetime) -> None:
    schedule = crontab(fields, zone)
    times = next_times(schedule, moment, 5)
    assert times == sorted(set(times))
    assert times[0] > moment
    # the answer is the same for any later moment before it
    assert schedule.next_after(times[0] - timedelta(seconds=1)) == times[0]


_JUMPS = {
    OSLO: ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": ("2026-10-03T15:30", "2026-04-04T15:00"),  # by half an hour
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
}
"""The moments (UTC) at which the clock skips and repeats local times."""


@pytest.mark.parametrize("zone", _JUMPS)
@pytest.mark.parametrize(
    "fields", ["30 2 * * *", "*/7 1-3 * * *", "15,45 0-23 * * *", "*/10 * * * *", "5 * * * 0"]
)
def test_through_a_clock_change_it_is_what_somebody_watching_the_clock_would_do(
    fields: str, zone: str
) -> None:
    """Asked at every quarter of an hour around the change, and in the very seconds before it."""
    schedule = crontab(fields, zone)
    for text in _JUMPS[zone]:
        jump = datetime.fromisoformat(text).replace(tzinfo=UTC)
        watched = _watched(fields, ZoneInfo(zone), jump - timedelta(hours=4), hours=32)
        asked = [jump + timedelta(minutes=15 * quarter) for quarter in range(-12, 12)]
        asked += [jump - timedelta(seconds=seconds) for seconds in (0.5, 1, 1.5, 60)]
        for moment in asked:
            expected = next((time for time in watched if time > moment), None)
            assert expected is None or schedule.next_after(moment) == expected, moment


def _watched(fields: str, zone: ZoneInfo, begin: datetime, hours: int) -> list[datetime]:
    """Return the times by a look at the clock each minute: shown, skipped, or shown again."""
    minute, hour, *_, weekday = fields.split()
    minutes = {int(m) for m in minute.split(",")} if "," in minute else _allowed(minute, 0, 59)

    def matches(wall: datetime) -> bool:
        right_day = wall.isoweekday() % 7 in _allowed(weekday, 0, 6)
        return right_day and wall.minute in minutes and wall.hour in _allowed(hour, 0, 23)

    times, shown = [], begin.astimezone(zone).replace(tzinfo=None)
    for number in range(1, hours * 60):
        moment = begin + timedelta(minutes=number)
        local, before = moment.astimezone(zone), shown
        shown = local.replace(tzinfo=None, fold=0)
        skipped = [
            before + timedelta(minutes=n)
            for n in range(1, int((shown - before) / timedelta(minutes=1)))
        ]
        by_clock = (matches(shown) and not local.fold) or any(map(matches, skipped))
        due = matches(shown) if hour == "*" else by_clock
        times += [moment] if due else []
    return times
