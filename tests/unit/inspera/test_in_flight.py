"""The limit on the calls in flight: how it is lowered and given back, and that nobody passes it."""

import threading
from datetime import datetime

import pytest
from sync.inspera.in_flight import PROBE, STEP, InFlight

from .waiting import Time


class Observed:
    """What was reported last, and the most that was ever in flight."""

    def __init__(self) -> None:
        self.now = self.allowed = self.peak = 0

    def call(self, name: str, status: str, seconds: float) -> None:
        """Ignore calls."""

    def in_flight(self, now: int, allowed: int) -> None:
        self.now, self.allowed, self.peak = now, allowed, max(self.peak, now)

    def certificate(self, ends: datetime) -> None:
        """Ignore certificates."""


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
def limit(time: Time, stop: threading.Event, observed: Observed) -> InFlight:
    return InFlight(4, stop, time.monotonic, observed)


def _enter(limit: InFlight, calls: int) -> list[bool]:
    return [limit.enter() for _ in range(calls)]


def test_no_more_calls_than_allowed_are_in_flight(limit: InFlight, observed: Observed) -> None:
    assert _enter(limit, 5) == [True] * 4 + [False]
    limit.leave()
    assert _enter(limit, 2) == [True, False]
    assert (observed.now, observed.allowed, observed.peak) == (4, 4, 4)


def test_calls_that_are_refused_together_halve_the_limit_once(
    limit: InFlight, time: Time, observed: Observed
) -> None:
    _enter(limit, 4)
    time.passed = 10
    assert [limit.lower(sent_at) for sent_at in (9.7, 9.8, 9.9)] == [4, None, None]
    assert limit.allowed == observed.allowed == 2
    for _ in range(3):
        limit.leave()
    assert limit.enter()
    assert not limit.enter()


def test_one_call_is_always_allowed(limit: InFlight, time: Time) -> None:
    allowed = []
    for _ in range(4):
        time.passed += 1
        limit.lower(time.passed)
        allowed.append(limit.allowed)
    assert allowed == [2, 1, 1, 1]


def test_the_limit_is_given_back_step_by_step_and_never_above_what_is_configured(
    limit: InFlight, time: Time
) -> None:
    for _ in range(2):
        time.passed += 1
        limit.lower(time.passed)
    steps, allowed = [], limit.allowed
    for number in range(1, 10 * PROBE):
        limit.succeed()
        if limit.allowed != allowed:
            steps.append((number, limit.allowed))
            allowed = limit.allowed
    # Two at once were refused last, so this is tried later than the others.
    assert steps == [(PROBE, 2), (PROBE + STEP, 3), (PROBE + 2 * STEP, 4)]


def test_a_refusal_begins_the_count_of_good_calls_anew(limit: InFlight, time: Time) -> None:
    for _ in range(2):
        time.passed += 1
        limit.lower(time.passed)
        for _ in range(STEP - 1):
            limit.succeed()
    assert limit.allowed == 1


def test_the_number_that_is_refused_is_tried_seldom(limit: InFlight, time: Time) -> None:
    refused = 0
    for _ in range(1000):
        time.passed += 1
        if limit.allowed == 4:
            limit.lower(time.passed)
            refused += 1
        else:
            limit.succeed()
    assert refused == 4


def test_a_thread_waits_for_room_until_a_call_ends(limit: InFlight) -> None:
    _enter(limit, 4)
    waiting = threading.Thread(target=limit.wait_for_room)
    waiting.start()
    assert waiting.is_alive()
    limit.leave()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_thread_that_waits_when_the_run_is_ended_goes_on_with_the_next_end_of_a_call(
    limit: InFlight, time: Time, stop: threading.Event
) -> None:
    _enter(limit, 4)
    limit.lower(time.passed)
    waiting = threading.Thread(target=limit.wait_for_room)
    waiting.start()
    stop.set()
    limit.leave()
    waiting.join(5)
    assert not waiting.is_alive()


def test_after_its_end_nothing_is_in_flight(
    limit: InFlight, time: Time, observed: Observed
) -> None:
    limit.lower(time.passed)
    limit.close()
    assert (observed.now, observed.allowed) == (0, 4)
