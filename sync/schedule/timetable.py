"""The timetable of jobs: APScheduler without its loop, which belongs to the caller."""

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

MAX_RUNS = 2
"""Runs of one job at a time: one under way, and one that is due and may have urgent changes."""

MAX_WAIT = 60.0
"""The longest time between two ticks in seconds, so that a change of the clock is noticed."""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job's schedule. Each run is delayed by a random time up to `jitter`."""

    schedule: Schedule
    jitter: timedelta = timedelta()


class _Trigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """A schedule in the interface of APScheduler."""

    def __init__(self, job: ScheduledJob, chance: Callable[[], float]) -> None:
        self._job, self._chance = job, chance
        self._due: datetime | None = None
        self._next: datetime | None = None

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the time after the last due one, or after now; the same one until it has come."""
        if (
            previous_fire_time is not None
            and self._next is not None
            and previous_fire_time < self._next
        ):
            return self._next  # the job ran between its times
        after = self._due if previous_fire_time is not None and self._due is not None else now
        self._due = self._job.schedule.next_after(after)
        self._next = None if self._due is None else self._due + self._job.jitter * self._chance()
        return self._next


class Timetable(BaseScheduler):  # type: ignore[misc]  # apscheduler has no types
    """A scheduler that runs jobs at their times, in threads of a pool.

    It has no loop of its own: its owner calls `tick`. A job that missed several of its times runs
    once. A time at which two runs of a job are not finished is skipped.

    Args:
        run: called with a job's name, in a thread of the pool.
        overlapped: called with the name of a job when one of its times is skipped.
        failed: called with a job's name and the exception it raised.
        wake: called when the owner should call `tick` earlier.
        chance: returns a number from 0 to 1, for the jitter.
        most_jobs: the number of threads.
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
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": MAX_RUNS},
        )
        self._run, self._wake, self._chance = run, wake, chance
        self._jobs_by_name: dict[str, ScheduledJob] = {}
        self.add_listener(lambda event: overlapped(_name(event)), EVENT_JOB_MAX_INSTANCES)
        self.add_listener(lambda event: failed(_name(event), event.exception), EVENT_JOB_ERROR)

    def tick(self) -> float:
        """Start what is due, and return the seconds until the next job is."""
        # The method that each of APScheduler's own schedulers calls from its loop; its documents
        # name it as what `wakeup` leads to.
        waits: float | None = self._process_jobs()
        return MAX_WAIT if waits is None else min(waits, MAX_WAIT)

    def wakeup(self) -> None:
        """Wake the owner; APScheduler calls this."""
        self._wake()

    def shutdown(self, wait: bool = True) -> None:
        """Start no more jobs; with `wait`, wait for the running ones."""
        super().shutdown(wait)

    def replace(self, jobs: Mapping[str, ScheduledJob]) -> None:
        """Replace all jobs. A job that is unchanged keeps its next time."""
        for name in self._jobs_by_name.keys() - jobs.keys():
            self.remove_job(name)
        for name, job in jobs.items():
            if self._jobs_by_name.get(name) != job:
                trigger = _Trigger(job, self._chance)
                self.add_job(
                    self._run, trigger, args=[name], id=name, name=name, replace_existing=True
                )
        self._jobs_by_name = dict(jobs)

    def run_now(self, name: str) -> None:
        """Run a job at the next tick, in addition to its times."""
        self.modify_job(name, next_run_time=datetime.now(UTC))

    def next_times(self) -> Mapping[str, datetime]:
        """Return when each job runs next (UTC)."""
        return {
            job.id: job.next_run_time
            for job in self.get_jobs()
            if getattr(job, "next_run_time", None)
        }


def _name(event: SchedulerEvent | JobSubmissionEvent | JobExecutionEvent) -> str:
    return str(event.job_id)
