"""What the service needs of others, and what others are told by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sync.schedule.timetable import ScheduledJob

YIELDED = "yielded"
"""What a run says that ended for another one, and is to go on after it."""


class JobRun(Protocol):
    """One run of a job, of which parts may come later, when it gave way to another one."""

    def run(self, should_yield: Callable[[Callable[[], str]], bool], began: datetime) -> str:
        """One run, or the rest of one that `began` then; gives what became of it in a word."""

    def end(self, reason: str) -> None:
        """Ends its run: calls under way finish, nothing new is sent."""

    def soonest(self) -> str:
        """When the soonest test begins to which it would add something (UTC text); empty for none."""


class Job(Protocol):
    """Something that is done at its times."""

    @property
    def timed(self) -> ScheduledJob:
        """When."""

    @property
    def exclusive(self) -> bool:
        """Whether it writes the state, so that it runs alone."""

    def begin(self) -> JobRun:
        """A run of it, which has not begun to do anything."""


@dataclass(frozen=True, slots=True)
class ServiceSetup:
    """One configuration: its jobs by name, and how long stopping may take."""

    jobs: Mapping[str, Job]
    shutdown_timeout: timedelta


class JobHistory(Protocol):
    """What the state remembers of a job."""

    @property
    def started(self) -> datetime:
        """When its last run began."""

    @property
    def cut_off(self) -> bool:
        """Whether that did not come to its end."""


class ServiceState(Protocol):
    """The state, as the service asks about it. Each question may take long."""

    def leads(self) -> bool:
        """Whether this service is the one that may run jobs; it takes the lead when nobody has it.

        Raises:
            Locked: another service has it, and this state takes no second one.
            StateUnreachable: that can't be found out just now.
            StateError: nor later, as far as is known.
        """

    def prepare(self) -> Mapping[str, JobHistory]:
        """Makes the state ready (migrated). Gives what it remembers of the jobs.

        Raises:
            Locked: somebody else holds it.
            StateUnreachable: it can't be reached just now.
            StateError: it can't be used.
        """


class ServiceObserver(Protocol):
    """Is told what happens, for metrics and health. Quick."""

    def ended(self, job: str, outcome: str, seconds: float) -> None: ...  # noqa: D102
    def overlapped(self, job: str) -> None: ...  # noqa: D102
    def reloaded(self, ok: bool) -> None: ...  # noqa: D102
    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None: ...  # noqa: D102

    def impediment(self) -> str:
        """Why nothing is sent although everything works; empty when it is."""
