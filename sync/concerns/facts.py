"""What the state and the service know of their own condition, read in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sync.concerns.certificate import Ending
from sync.concerns.concern import Facts, PauseFacts
from sync.exit_codes import Exit
from sync.service.health import Health
from sync.state import exam_figures, source_readings
from sync.state.history import PastRun, read_last_ended, read_without_end
from sync.state.holds import read_holds

AHEAD = timedelta(days=7)
"""How soon an exam must start to be looked at."""

_LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job of the configuration, when it runs next, and whether it only plans."""

    name: str
    next_run: datetime | None
    plans_only: bool = False


def read_facts(  # noqa: PLR0913 - each is one kind of fact
    connection: Connection,
    *,
    now: datetime,
    health: Health,
    paused: PauseFacts | None,
    jobs: Sequence[JobFacts],
    endings: Sequence[Ending] = (),
    undelivered: Sequence[str] = (),
    running: bool = True,
) -> Facts:
    """Return the facts of this moment; `running` tells whether a run is under way here.

    Raises:
        StateError: the state can't be read.
    """
    exams, nameless = exam_figures.read(connection, now, now + AHEAD)
    commands = [f"job {job.name}" for job in jobs]
    newest = read_last_ended(connection, commands or ["apply"])
    # A run under way is shown with its job; one without an end that nobody here runs is not.
    unended = () if running else read_without_end(connection, commands)
    return Facts(
        now=now,
        health=health,
        paused=paused,
        holds=read_holds(connection),
        exams=exams,
        failed=[run for run in newest if _needs_a_person(run)],
        troubled=source_readings.read_troubled(connection),
        late=[job.name for job in jobs if job.next_run and job.next_run < now - _LATE],
        nameless=nameless,
        endings=endings,
        undelivered=undelivered,
        unended=[run for run in unended if run.applies],
        never_applied=not any(
            run.applies for run in read_last_ended(connection, ["apply", *commands])
        ),
        plans_only=bool(jobs) and all(job.plans_only for job in jobs),
    )


def _needs_a_person(run: PastRun) -> bool:
    if run.applies and run.exit_status == Exit.HELD:  # the status of a run that had errors as well
        return run.wrong > 0
    return run.applies and run.exit_status not in (None, Exit.OK, Exit.HELD)
