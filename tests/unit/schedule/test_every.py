"""Intervals: how they are written, and that they count from the same moment everywhere."""

from datetime import UTC, datetime, timedelta

import pytest
from sync.schedule import Every, duration, next_times


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400), ("1h30m", 5400), ("0s", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "m", "30 m", "1.5h", "-5m", "30m1h", "five minutes"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 30m, 6h, 1d or 1h30m"):
        duration(text)


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
