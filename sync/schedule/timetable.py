"""The timetable: APScheduler's, with a loop that belongs to whoever owns it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
    SchedulerEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from sync.schedule.times import Schedule

AT_ONCE = 2
"""Runs of one job at a time: one under way, and one that is due already and may have something sooner to do."""

MOST_WAIT = 60.0
"""Seconds at most between two ticks, so that a clock that was set is noticed."""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job's schedule; each run comes up to `jitter` late, by chance."""

    schedule: Schedule
    jitter: timedelta = timedelta()


class _Trigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """A schedule as APScheduler asks for it."""

    def __init__(self, timed: ScheduledJob, chance: Callable[[], float]) -> None:
        self._timed, self._chance = timed, chance
        self._due: datetime | None = None
        self._next: datetime | None = None

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The time after the one that was due last, or after now; the same one while it has not come."""
        if (
            previous_fire_time is not None
            and self._next is not None
            and previous_fire_time < self._next
        ):
            return self._next  # it ran out of turn
        after = self._due if previous_fire_time is not None and self._due is not None else now
        self._due = self._timed.schedule.next_after(after)
        self._next = None if self._due is None else self._due + self._timed.jitter * self._chance()
        return self._next


class Timetable(BaseScheduler):  # type: ignore[misc]  # apscheduler has no types
    """Runs jobs at their times, in threads of a pool.

    It has no loop of its own: its owner calls `tick` in time, and is woken by `wake` when it should do so earlier. A
    job that missed several of its times runs once. A time at which two of its runs are not over yet is left out, and
    `overlapped` is told. `failed` is told of what a job raises.

    Args:
        run: called with a job's name, in a thread of the pool.
        chance: a number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        run: Callable[[str], None],
        *,
        overlapped: Callable[[str], None],
        failed: Callable[[str, BaseException], None],
        wake: Callable[[], None],
        chance: Callable[[], float],
        most_jobs: int = 50,
    ) -> None:
        super().__init__(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(most_jobs)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": AT_ONCE},
        )
        self._run, self._wake, self._chance = run, wake, chance
        self._timed: dict[str, ScheduledJob] = {}
        self.add_listener(lambda event: overlapped(_name(event)), EVENT_JOB_MAX_INSTANCES)
        self.add_listener(lambda event: failed(_name(event), event.exception), EVENT_JOB_ERROR)

    def tick(self) -> float:
        """Starts what is due; gives the seconds until something is."""
        waits: float | None = self._process_jobs()
        return MOST_WAIT if waits is None else min(waits, MOST_WAIT)

    def wakeup(self) -> None:
        """Wakes the owner, as APScheduler asks for it."""
        self._wake()

    def shutdown(self, wait: bool = True) -> None:
        """Starts nothing more; with `wait`, waits for what is under way."""
        super().shutdown(wait)

    def replace(self, jobs: Mapping[str, ScheduledJob]) -> None:
        """Takes these jobs in the place of all others. One that stays as it was keeps its next time."""
        for name in self._timed.keys() - jobs.keys():
            self.remove_job(name)
        for name, timed in jobs.items():
            if self._timed.get(name) != timed:
                trigger = _Trigger(timed, self._chance)
                self.add_job(
                    self._run, trigger, args=[name], id=name, name=name, replace_existing=True
                )
        self._timed = dict(jobs)

    def run_now(self, name: str) -> None:
        """Lets a job run at the next tick, beside its times."""
        self.modify_job(name, next_run_time=datetime.now(UTC))

    def next_times(self) -> Mapping[str, datetime]:
        """When each job runs next (UTC)."""
        return {
            job.id: job.next_run_time
            for job in self.get_jobs()
            if getattr(job, "next_run_time", None)
        }


def _name(event: SchedulerEvent | JobSubmissionEvent | JobExecutionEvent) -> str:
    return str(event.job_id)
