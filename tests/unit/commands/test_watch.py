"""What ends a run before its end, with the time passed in: the deadline, a pause, a signal."""

from datetime import UTC, datetime, timedelta

import pytest
from sync.commands.watch import SILENCE, Watch
from sync.engine.interruption import LOST, UNCONFIRMED, Interruption
from sync.errors import Interrupted, StateUnreachable
from sync.exit_codes import Exit

START = datetime(2026, 6, 1, 9, tzinfo=UTC)


class Hands:
    """A clock and a pause that are set by hand."""

    def __init__(self) -> None:
        self.now, self.set = START, timedelta()
        self.paused, self.away = "", False
        self.interruption = Interruption()
        self.watch = Watch(
            self.interruption,
            self._paused,
            lambda: self.now + self.set,
            START + timedelta(hours=4),
            monotonic=self._passed,
        )

    def _passed(self) -> float:
        return (self.now - START).total_seconds()

    def _paused(self) -> str:
        if self.away:
            raise StateUnreachable("away")
        return self.paused


def test_a_run_goes_on_until_its_deadline_and_not_a_second_longer() -> None:
    hands = Hands()
    hands.now = START + timedelta(hours=3, minutes=59, seconds=59)
    hands.watch.look()
    assert not hands.interruption.event.is_set()
    hands.now = START + timedelta(hours=4)
    hands.watch.look()
    assert hands.interruption.event.is_set()
    assert hands.interruption.reason == "its deadline has passed; what is left is for the next run"
    assert hands.interruption.status is Exit.INTERRUPTED


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_set_moves_no_deadline(hours: int) -> None:
    hands = Hands()
    hands.set = timedelta(hours=hours)
    hands.now = START + timedelta(hours=3, minutes=59)
    hands.watch.look()
    assert not hands.interruption.event.is_set()
    hands.now = START + timedelta(hours=4)
    hands.watch.look()
    assert hands.interruption.event.is_set()


def test_a_pause_ends_it_and_is_held_for_a_person() -> None:
    hands = Hands()
    hands.watch.look()
    assert not hands.interruption.event.is_set()
    hands.paused = "All sending is paused"
    hands.watch.look()
    assert (hands.interruption.reason, hands.interruption.status) == (
        "All sending is paused",
        Exit.HELD,
    )


def test_a_state_that_is_away_for_a_moment_ends_nothing_by_itself() -> None:
    hands = Hands()
    hands.away = True
    hands.watch.look()
    assert not hands.interruption.event.is_set()


def test_the_first_reason_stays() -> None:
    interruption = Interruption()
    interruption.end("stopped by a signal", Exit.TERMINATED)
    interruption.end("its deadline has passed")
    assert (interruption.reason, interruption.status) == ("stopped by a signal", Exit.TERMINATED)


def test_work_that_reports_its_progress_ends_where_it_is() -> None:
    interruption, told = Interruption(), list[int]()
    heeding = interruption.stopping(lambda _phase, done, _total=None: told.append(done))
    heeding("reading", 1)
    interruption.end("stopped by a signal")
    with pytest.raises(Interrupted, match="stopped by a signal"):
        heeding("reading", 2)
    assert told == [1]


def test_it_is_looked_at_in_a_thread_of_its_own_while_the_run_lasts() -> None:
    hands = Hands()
    hands.now += timedelta(hours=5)
    with hands.watch.watching():
        assert hands.interruption.event.wait(10)


def test_a_run_that_another_process_may_have_taken_over_from_ends() -> None:
    interruption = Interruption()
    watch = Watch(interruption, str, lambda: START, lost=lambda: True)
    watch.look()
    assert (interruption.reason, interruption.status) == (LOST, Exit.INTERRUPTED)


def test_a_run_ends_when_the_state_has_not_said_for_a_while_whether_it_may_go_on() -> None:
    passed, interruption = iter([0.0, SILENCE - 1, SILENCE, SILENCE + 1]), Interruption()

    def away() -> bool:
        raise StateUnreachable("away")

    watch = Watch(interruption, str, lambda: START, lost=away, monotonic=lambda: next(passed))
    watch.look()
    assert not interruption.event.is_set()
    watch.look()
    assert interruption.reason == UNCONFIRMED


def test_a_reason_given_while_it_should_yield_is_not_lost() -> None:
    interruption = Interruption()
    interruption.event.set()  # as a run does that yields
    interruption.end("this service leads no longer")
    assert interruption.reason == "this service leads no longer"
