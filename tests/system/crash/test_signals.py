"""`apply` told to end: it finishes and records the calls under way, sends nothing new, and says so by its status."""

import signal
from collections.abc import Callable

import pytest

from ...support.process_university import SEATS, STUDENT, TEST, ProcessUniversity

ANSWER = 0.5
"""Seconds by which the answers come late, so that calls are under way when the signal arrives."""


@pytest.mark.parametrize(
    ("path", "number", "status"),
    [(STUDENT, signal.SIGTERM, 143), (TEST, signal.SIGTERM, 143), (SEATS, signal.SIGINT, 130)],
    ids=["learners-SIGTERM", "tests-SIGTERM", "candidates-SIGINT"],
)
def test_calls_under_way_are_recorded_and_nothing_is_ever_sent_twice(
    new: ProcessUniversity, path: str, number: signal.Signals, status: int
) -> None:
    new.rule("POST", path, times=4, latency=ANSWER)
    run = new.start()
    new.until(lambda: new.writes("POST", path.rpartition("*")[2]) >= 4, run)
    run.signal(number)
    assert run.wait() == status, run.output
    assert "the calls under way are finished and recorded first" in run.output
    assert new.unknown() == set()
    assert new.recovers() == set()


def test_a_removal_under_way_is_recorded_before_the_run_ends(
    settled: ProcessUniversity, nothing_left: Callable[[ProcessUniversity], bool]
) -> None:
    settled.rows.withdraw_some()
    settled.settings["batch_size"] = 3
    settled.rule("DELETE", SEATS, latency=ANSWER)
    run = settled.start()
    settled.until(lambda: settled.writes("DELETE", "/candidates") >= 1, run)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143, run.output
    assert settled.unknown() == set()
    assert settled.recovers() == set()
    assert nothing_left(settled)


def test_a_second_signal_ends_the_process_at_once_and_what_was_under_way_is_found_out_about(
    new: ProcessUniversity,
) -> None:
    new.rule("POST", STUDENT, times=4, latency=60)
    run = new.start()
    new.until(lambda: new.writes("POST", STUDENT) >= 4, run)
    run.signal(signal.SIGTERM)
    new.until(lambda: "stopping" in run.output, run)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert new.unknown()
    new.recovers()


def test_a_signal_while_sources_are_read_sends_nothing_more(settled: ProcessUniversity) -> None:
    settled.rows.correct_names()
    settled.rule("POST", "/api/authenticate/*", latency=ANSWER)
    run = settled.start()
    settled.until(lambda: bool(settled.calls()), run)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143, run.output
    assert settled.sent() == set()
    assert settled.unknown() == set()
    assert settled.recovers() == set()
