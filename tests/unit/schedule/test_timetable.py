"""The timetable with the time passed in: late, overlapping, by chance, replaced."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import time_machine
from sync.schedule import Every, crontab
from sync.schedule.timetable import ScheduledJob, Timetable

START = datetime(2026, 6, 1, 9, 1, tzinfo=UTC)
HALF_HOUR = ScheduledJob(Every(timedelta(minutes=30)))


class Office:
    """A timetable whose clock is set by hand, and what came of its jobs."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock, self.chance = clock, 0.0
        self.began, self.overlaps, self.failures = list[str](), list[str](), list[tuple[str, str]]()
        self.hold = Event()
        self.hold.set()
        self.error: Exception | None = None
        self.timetable = Timetable(
            self._run,
            overlapped=self.overlaps.append,
            failed=lambda name, error: self.failures.append((name, str(error))),
            wake=lambda: None,
            chance=lambda: self.chance,
        )
        self.timetable.start()

    def _run(self, name: str) -> None:
        self.began.append(name)
        self.hold.wait(10)
        if self.error:
            raise self.error

    def until(self, moment: datetime) -> float:
        """Set the clock, and call the timetable."""
        self.clock.move_to(moment)
        return self.timetable.tick()

    def settled(self) -> list[str]:
        """All that ran, once it is done."""
        self.hold.set()
        self.timetable.shutdown()
        return self.began


@pytest.fixture
def office() -> Iterator[Office]:
    with time_machine.travel(START, tick=False) as clock:
        office = Office(clock)
        yield office
        office.hold.set()
        if office.timetable.running:
            office.timetable.shutdown()


def test_a_job_runs_at_its_time_and_not_before(office: Office) -> None:
    office.timetable.replace({"rehearsal": HALF_HOUR})
    assert office.timetable.next_times() == {"rehearsal": START.replace(minute=30)}
    assert office.until(START.replace(minute=29, second=59)) == 1
    assert office.began == []
    office.until(START.replace(minute=30))
    assert office.settled() == ["rehearsal"]


def test_a_late_run_runs_once_not_once_for_each_missed_time(office: Office) -> None:
    office.timetable.replace({"rehearsal": HALF_HOUR})
    office.until(START + timedelta(hours=5))
    office.until(START + timedelta(hours=5, seconds=1))
    assert office.timetable.next_times() == {"rehearsal": datetime(2026, 6, 1, 14, 30, tzinfo=UTC)}
    assert office.settled() == ["rehearsal"]


def test_of_a_job_that_takes_too_long_one_more_run_waits_and_the_rest_is_counted(
    office: Office,
) -> None:
    office.timetable.replace(
        {"rehearsal": HALF_HOUR, "nightly": ScheduledJob(crontab("15 2 * * *", "Europe/Oslo"))}
    )
    office.hold.clear()
    office.until(START.replace(minute=30))
    office.until(START.replace(hour=10, minute=0))
    assert office.overlaps == []
    office.until(START.replace(hour=10, minute=30))
    office.until(START.replace(hour=11, minute=0))
    assert office.overlaps == ["rehearsal", "rehearsal"]
    assert office.settled() == ["rehearsal", "rehearsal"]


def test_jitter_comes_after_the_time_and_does_not_add_up(office: Office) -> None:
    office.chance = 0.5
    office.timetable.replace({"rehearsal": ScheduledJob(HALF_HOUR.schedule, timedelta(minutes=4))})
    assert office.timetable.next_times() == {"rehearsal": START.replace(minute=32)}
    office.chance = 1.0
    office.until(START.replace(minute=32))
    assert office.timetable.next_times() == {"rehearsal": START.replace(hour=10, minute=4)}
    assert office.settled() == ["rehearsal"]


def test_what_a_job_raises_is_reported_and_it_runs_again_at_its_next_time(office: Office) -> None:
    office.timetable.replace({"rehearsal": HALF_HOUR})
    office.error = ValueError("the source is away")
    office.until(START.replace(minute=30))
    while not office.failures:
        Event().wait(0.01)
    office.until(START.replace(hour=10, minute=0))
    assert office.settled() == ["rehearsal", "rehearsal"]
    assert office.failures == [("rehearsal", "the source is away")] * 2


def test_replaced_jobs_fire_nothing_by_that_and_what_stays_keeps_its_time(office: Office) -> None:
    office.timetable.replace({"rehearsal": HALF_HOUR, "old": HALF_HOUR})
    office.clock.move_to(START.replace(minute=20))
    office.timetable.replace(
        {"rehearsal": HALF_HOUR, "new": ScheduledJob(crontab("*/5 * * * *", "Europe/Oslo"))}
    )
    office.timetable.tick()
    assert office.timetable.next_times() == {
        "rehearsal": START.replace(minute=30),
        "new": START.replace(minute=25),
    }
    assert office.settled() == []


def test_a_job_that_is_to_run_now_does_so_and_keeps_its_times(office: Office) -> None:
    office.timetable.replace({"rehearsal": HALF_HOUR})
    office.timetable.run_now("rehearsal")
    office.timetable.tick()
    assert office.timetable.next_times() == {"rehearsal": START.replace(minute=30)}
    assert office.settled() == ["rehearsal"]
