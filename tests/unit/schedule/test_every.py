"""Intervals: they count from the same moment everywhere."""

from datetime import UTC, datetime, timedelta

from sync.schedule import Every, next_times


def test_times_do_not_hang_on_when_one_asks() -> None:
    every = Every(timedelta(minutes=30))
    assert next_times(every, datetime(2026, 6, 1, 9, 7, tzinfo=UTC)) == [
        datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
        datetime(2026, 6, 1, 10, tzinfo=UTC),
        datetime(2026, 6, 1, 10, 30, tzinfo=UTC),
    ]
    assert every.next_after(datetime(2026, 6, 1, 9, 30, tzinfo=UTC)) == datetime(
        2026, 6, 1, 10, tzinfo=UTC
    )
