"""What the service needs of other packages, and what it reports to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sync.schedule.timetable import ScheduledJob

YIELDED = "yielded"
"""The outcome of a run that ended for another one, and is to be resumed after it."""


class JobRun(Protocol):
    """One run of a job. A run that yields to another one is resumed later."""

    def run(self, should_yield: Callable[[Callable[[], str]], bool], began: datetime) -> str:
        """Run, or resume the run that `began` then; return its outcome in one word."""

    def end(self, reason: str) -> None:
        """End the run: calls under way finish, and nothing new is sent."""

    def soonest_start(self) -> str:
        """Return the start of the soonest test to which it would add something (UTC text).

        Empty without such a test.
        """


class Job(Protocol):
    """A task that runs at its scheduled times."""

    @property
    def timed(self) -> ScheduledJob:
        """Return when it runs."""

    @property
    def exclusive(self) -> bool:
        """Tell whether it writes the state, so that it must run alone."""

    def begin(self) -> JobRun:
        """Return a new run of it, which has not done anything yet."""


@dataclass(frozen=True, slots=True)
class ServiceSetup:
    """One configuration: its jobs by name, and how long a shutdown may take."""

    jobs: Mapping[str, Job]
    shutdown_timeout: timedelta


class JobHistory(Protocol):
    """What the state remembers of a job."""

    @property
    def started(self) -> datetime:
        """Return when its last run began."""

    @property
    def cut_off(self) -> bool:
        """Tell whether that run was cut off before its end."""


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
        """Migrate the state if needed, and return what it remembers of the jobs, by name.

        Raises:
            Locked: another process has locked it.
            StateUnreachable: it can't be reached just now.
            StateError: it can't be used.
        """


class ServiceObserver(Protocol):
    """Receives what happens, for metrics and health. Its methods must return quickly."""

    def ended(self, job: str, outcome: str, seconds: float) -> None: ...  # noqa: D102
    def overlapped(self, job: str) -> None: ...  # noqa: D102
    def reloaded(self, ok: bool) -> None: ...  # noqa: D102
    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None: ...  # noqa: D102

    def impediment(self) -> str:
        """Return why nothing is sent although everything works; empty when something is."""
