"""The limiter, on a clock that only passes when somebody waits."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.inspera.throttle import LEAST_SHARE, Throttle
from tenacity.nap import sleep_using_event

from .waiting import Time


def _limiter(rate: float, time: Time, stop: threading.Event | None = None) -> Throttle:
    return Throttle(rate, stop or threading.Event(), time.monotonic, time.sleep)


def _sent_at(limiter: Throttle, time: Time, calls: int) -> list[float]:
    moments = []
    for _ in range(calls):
        assert limiter.acquire()
        moments.append(time.passed)
    return moments


def test_calls_at_five_a_second_are_a_fifth_of_a_second_apart() -> None:
    time = Time()
    assert _sent_at(_limiter(5, time), time, 4) == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_a_tenth_of_a_seconds_calls_may_go_at_once_and_no_more() -> None:
    time = Time()
    moments = _sent_at(_limiter(50, time), time, 8)
    assert [round(at, 6) for at in moments] == [0, 0, 0, 0, 0, 0.02, 0.04, 0.06]


def test_an_idle_time_gives_no_more_than_the_burst() -> None:
    time = Time()
    limiter = _limiter(50, time)
    _sent_at(limiter, time, 5)
    time.passed += 3600
    assert sum(at == 3600 for at in _sent_at(limiter, time, 20)) == 5


@given(rate=st.floats(0.5, 200), idle=st.lists(st.floats(0, 3), min_size=2, max_size=60))
def test_no_second_ever_has_more_calls_than_the_rate_and_its_burst(
    rate: float, idle: list[float]
) -> None:
    time = Time()
    limiter = _limiter(rate, time)
    moments = []
    for pause in idle:
        time.passed += pause
        assert limiter.acquire()
        moments.append(time.passed)
    busiest = max(sum(start <= at < start + 1 for at in moments) for start in moments)
    assert busiest <= rate + max(1, rate / 10) + 1e-3


def test_a_pause_holds_every_worker_and_no_burst_follows_it() -> None:
    time = Time()
    limiter = _limiter(50, time)
    limiter.pause(30)
    limiter.pause(5)
    assert [round(at, 6) for at in _sent_at(limiter, time, 3)] == [30, 30.02, 30.04]


def test_a_pause_also_holds_a_worker_that_is_already_waiting() -> None:
    time = Time()
    limiter = _limiter(1, time)
    limiter.acquire()

    def throttled_meanwhile() -> None:
        time.while_waiting = lambda: None
        limiter.pause(20)

    time.while_waiting = throttled_meanwhile
    assert limiter.acquire()
    assert time.passed == pytest.approx(21)


def test_nobody_gets_a_turn_once_the_run_is_being_ended() -> None:
    time, stop = Time(), threading.Event()
    limiter = _limiter(1, time, stop)
    assert limiter.acquire()
    time.while_waiting = stop.set
    assert not limiter.acquire()
    assert len(time.waits) == 1


def test_many_threads_share_one_budget() -> None:
    time = Time()
    limiter = _limiter(10, time)
    workers = [
        threading.Thread(target=lambda: [limiter.acquire() for _ in range(5)]) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.passed == pytest.approx(39 / 10)


def test_a_real_wait_ends_at_once_when_the_stop_event_is_set() -> None:
    stop = threading.Event()
    limiter = Throttle(0.001, stop, lambda: 0.0, sleep_using_event(stop))
    assert limiter.acquire()
    threading.Timer(0.02, stop.set).start()
    assert not limiter.acquire()


def _apart(limiter: Throttle, time: Time) -> float:
    """How long the next call waits after one that went out just now."""
    first, second = _sent_at(limiter, time, 2)
    return second - first


def test_a_429_halves_the_rate_down_to_a_sixteenth_and_no_further() -> None:
    time = Time()
    limiter = _limiter(5, time)
    gaps = []
    for _ in range(6):
        time.passed += 100
        limiter.slow_down(sent_at=time.passed)
        gaps.append(_apart(limiter, time))
    assert gaps == pytest.approx([0.4, 0.8, 1.6, 3.2, 3.2, 3.2])
    assert limiter.calls_per_second == pytest.approx(5 * LEAST_SHARE)


def test_workers_who_are_refused_together_halve_the_rate_once() -> None:
    time = Time()
    limiter = _limiter(5, time)
    time.passed = 10
    for sent_at in (9.7, 9.8, 9.9):
        limiter.slow_down(sent_at)
    assert limiter.calls_per_second == pytest.approx(2.5)
    time.passed = 11
    limiter.slow_down(sent_at=10.5)
    assert limiter.calls_per_second == pytest.approx(1.25)


def test_the_rate_creeps_back_with_good_answers_and_never_above_the_budget() -> None:
    time = Time()
    limiter = _limiter(5, time)
    limiter.slow_down(sent_at=0)
    rates = []
    for _ in range(200):
        limiter.speed_up()
        rates.append(limiter.calls_per_second)
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(2.55)
    assert rates[48] < 5
    assert rates[50] == rates[-1] == pytest.approx(5)
    assert _apart(limiter, time) == pytest.approx(0.2)
