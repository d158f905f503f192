"""The interfaces of what the service needs from other packages, and of its observer."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sync.schedule.timetable import ScheduledJob
from sync.service.deliveries import WatchedSource

YIELDED = "yielded"
"""The outcome of a run that yielded to another one, and is resumed after it."""


class JobRun(Protocol):
    """One run of a job. A run that yields to another one is resumed later."""

    def run(self, should_yield: Callable[[Callable[[], str]], bool], began: datetime) -> str:
        """Run, or resume the run that began at this time; return its outcome in one word."""

    def end(self, reason: str) -> None:
        """End the run: calls under way finish, and nothing new is sent."""

    def soonest_start(self) -> str:
        """Return the start of the soonest test to which it would add something, as UTC text.

        The text is empty without such a test.
        """


class Job(Protocol):
    """A task that runs at its scheduled times."""

    @property
    def timed(self) -> ScheduledJob:
        """Return the job's schedule."""

    @property
    def exclusive(self) -> bool:
        """Tell whether it writes the state, so that it must run alone."""

    def begin(self) -> JobRun:
        """Return a new run of it, which has not done anything yet."""


@dataclass(frozen=True, slots=True)
class ServiceSetup:
    """The parts of a configuration that the service uses.

    Attributes:
        jobs: the jobs by name.
        shutdown_timeout: how long a shutdown may take.
        approved: the job without a schedule that sends what people have approved.
        watched: the sources that start jobs when they have something new.
    """

    jobs: Mapping[str, Job]
    shutdown_timeout: timedelta
    approved: Job | None = None
    watched: Sequence[WatchedSource] = ()


class JobHistory(Protocol):
    """The stored history of a job."""

    @property
    def started(self) -> datetime:
        """Return when its last run began."""

    @property
    def cut_off(self) -> bool:
        """Tell whether that run was interrupted before its end."""


class ServiceState(Protocol):
    """The state, as the service uses it. Each method may take long."""

    def leads(self) -> bool:
        """Tell whether this service may run jobs; take the lead when no service has it.

        Raises:
            Locked: another service leads, and this state allows only one.
            StateUnreachable: it is not known just now.
            StateError: the state can't be used, and waiting will probably not help.
        """

    def prepare(self) -> Mapping[str, JobHistory]:
        """Migrate the state if needed, and return the stored history of the jobs, by name.

        Raises:
            Locked: another process has locked it.
            StateUnreachable: it can't be reached just now.
            StateError: it can't be used.
        """

    def take_requested(self) -> Collection[str]:
        """Return the jobs that a person wants to run now (`run-now`), and forget them.

        It returns at once, with what the last call of `leads` has seen.
        """

    def approvals_wait(self) -> bool:
        """Tell whether a person has approved something with which no run has begun.

        It returns at once, with what the last call of `leads` has seen.
        """


class ServiceObserver(Protocol):
    """A receiver of events, for metrics and health. Its methods must return quickly."""

    def ended(self, job: str, outcome: str, seconds: float) -> None: ...  # noqa: D102
    def overlapped(self, job: str) -> None: ...  # noqa: D102
    def reloaded(self, ok: bool) -> None: ...  # noqa: D102
    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None: ...  # noqa: D102

    def impediment(self) -> str:
        """Return why nothing is sent although the service works; empty if changes are sent."""
