"""The pulse of the loop, and what makes a service ready."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sync.service.health import Health, Heartbeat

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WELL = Health(alive=True, unreachable="", migrated=True, role="leader", loaded=NOON)


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_is_alive_while_it_beats_and_for_the_longest_silence_after() -> None:
    seconds = Seconds()
    pulse = Heartbeat(30, seconds)
    seconds.now += 30
    assert pulse.alive
    seconds.now += 1
    assert not pulse.alive
    assert pulse.silent == 31
    pulse.beat()
    assert pulse.alive


def test_a_standby_and_a_paused_service_are_ready() -> None:
    assert WELL.ready
    assert replace(WELL, role="standby").ready
    assert replace(WELL, paused=NOON).ready
    assert replace(WELL, clock_trouble="2 h behind").ready  # it still adds
    assert replace(WELL, reload_failed=NOON).ready


@pytest.mark.parametrize(
    "change",
    [{"alive": False}, {"unreachable": "connection refused"}, {"migrated": False}, {"role": None}],
)
def test_each_thing_that_is_amiss_makes_it_unready(change: dict[str, object]) -> None:
    assert not replace(WELL, **change).ready  # type: ignore[arg-type]


def test_the_document_says_everything_with_times_in_utc() -> None:
    oslo = datetime(2026, 11, 24, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    health = replace(
        WELL,
        unreachable="no route",
        migrated=False,
        role="standby",
        paused=oslo,
        reload_failed=oslo,
    )
    assert health.document() == {
        "ready": False,
        "alive": True,
        "state": "no route",
        "migrations": "pending",
        "role": "standby",
        "paused_since": "2026-11-24T12:00:00Z",
        "clock": "right",
        "configuration": {
            "loaded_at": "2026-11-24T12:00:00Z",
            "reload_failed_at": "2026-11-24T12:00:00Z",
        },
    }
    wrong = "this machine's clock is 2 h 0 min behind Inspera's"
    assert replace(WELL, clock_trouble=wrong).document() == WELL.document() | {"clock": wrong}
    assert (
        WELL.document() | {"state": "reachable", "paused_since": None, "ready": True}
        == WELL.document()
    )
