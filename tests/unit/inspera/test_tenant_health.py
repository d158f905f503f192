"""When nothing more is sent in a run, because Inspera is out of reach or accepts nothing."""

import pytest
from sync.inspera.tenant_health import TenantHealth

from .waiting import Time


@pytest.fixture
def health(time: Time) -> TenantHealth:
    return TenantHealth(20, time.monotonic)


def test_it_stops_after_as_many_attempts_in_a_row_as_its_patience_allows(
    health: TenantHealth,
) -> None:
    stops = [health.unreachable("no answer") for _ in range(20)]
    assert stops[:-1] == [None] * 19
    assert "no answer; this happened 20 times in a row" in str(stops[-1])
    assert health.stopped == str(stops[-1])


def test_a_few_attempts_that_took_five_minutes_without_an_answer_are_enough(
    health: TenantHealth, time: Time
) -> None:
    attempts = 0
    while not health.stopped:
        time.passed += 65
        health.unreachable("no answer")
        attempts += 1
    assert attempts == 6


def test_two_attempts_are_never_enough_and_an_answer_begins_anew(
    health: TenantHealth, time: Time
) -> None:
    health.unreachable("no answer")
    time.passed += 3600
    assert health.unreachable("no answer") is None
    health.reached()
    assert health.out_of_reach is None
    assert health.unreachable("no answer") is None
    time.passed += 299
    assert [health.unreachable("no answer") for _ in range(5)] == [None] * 5


def test_refusals_because_of_the_limit_stop_it_only_after_500_in_a_row(
    health: TenantHealth,
) -> None:
    for _ in range(499):
        health.throttled()
    health.reached()
    for _ in range(499):
        health.throttled()
    assert health.stopped is None
    health.throttled()
    assert "asked for fewer calls (429) 500 times in a row" in str(health.stopped)
