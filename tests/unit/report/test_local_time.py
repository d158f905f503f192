"""Times of tests by the clock of the tests' zone, with UTC in addition."""

from zoneinfo import ZoneInfo

import pytest
from sync.report.local_time import common_zone, with_local_times

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-12-01T08:00:00Z", "2026-12-01 09:00 Europe/Oslo (08:00Z)"),
        ("2026-07-01T08:00:00Z", "2026-07-01 10:00 Europe/Oslo (08:00Z)"),
        ("2026-11-30T23:30:00Z", "2026-12-01 00:30 Europe/Oslo (2026-11-30 23:30Z)"),
        ("2026-13-01T08:00:00Z", "2026-13-01T08:00:00Z"),
        ("2026-12-01", "2026-12-01"),
    ],
)
def test_a_time_is_shown_by_the_zones_clock_with_utc(utc: str, local: str) -> None:
    assert with_local_times(f"start {utc} → {utc}", OSLO) == f"start {local} → {local}"
    assert with_local_times(f"start {utc}", None) == f"start {utc}"


def test_the_zone_is_that_of_all_test_feeds_and_never_guessed() -> None:
    assert common_zone({"Europe/Oslo"}) == OSLO
    assert common_zone({"Europe/Oslo", "Europe/Berlin"}) is None
    assert common_zone({"Europe/Oslo", None}) is None
    assert common_zone({None}) is None
    assert common_zone([]) is None
