"""The first page: the headline, jobs, the next exams and the last runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection
from starlette.requests import Request

from sync.errors import Locked, StateError, UsageError
from sync.exit_codes import Exit
from sync.page.charts import count_wrong, run_bars
from sync.page.desk import Desk, JobFacts
from sync.page.headline import ALL_WELL, Facts, Urgency, concerns
from sync.page.rendering import View
from sync.report.verdict import status_text
from sync.state import exam_figures, source_readings
from sync.state.history import PastRun, read_last_ended, read_last_runs, read_without_end
from sync.state.holds import read_holds

AHEAD = timedelta(days=7)
RUNS, CHARTED = 8, 40

_LATE = timedelta(minutes=2)


def show(desk: Desk, _request: Request) -> View:
    """Show how everything is; also while the state can't be read."""
    health, jobs = desk.health(), desk.jobs()
    try:
        with desk.open_to_read() as connection:
            facts = _facts(desk, connection, jobs)
            runs = read_last_runs(connection, CHARTED)
        return _view(desk, jobs, facts, runs, desk.counts())
    except (StateError, Locked, UsageError) as error:  # such as a state that is not made yet
        health = replace(health, unreachable=health.unreachable or str(error))
        facts = Facts(now=desk.now(), health=health, paused=None, holds=(), exams=())
        return _view(desk, jobs, facts, [], {})


def _facts(desk: Desk, connection: Connection, jobs: Sequence[JobFacts]) -> Facts:
    now = desk.now()
    exams, nameless = exam_figures.read(connection, now, now + AHEAD)
    commands = [f"job {job.name}" for job in jobs]
    newest = read_last_ended(connection, commands or ["apply"])
    # A run under way is said beside the jobs; one without an end that nobody here runs is not.
    unended = () if desk.running() else read_without_end(connection, commands)
    return Facts(
        now=now,
        health=desk.health(),
        paused=desk.paused(),
        holds=read_holds(connection),
        exams=exams,
        failed=[run for run in newest if _needs_a_person(run)],
        troubled=source_readings.read_troubled(connection),
        late=[job.name for job in jobs if job.next_run and job.next_run < now - _LATE],
        nameless=nameless,
        unended=[run for run in unended if run.applies],
        never_applied=not any(
            run.applies for run in read_last_ended(connection, ["apply", *commands])
        ),
        plans_only=bool(jobs) and all(job.plans_only for job in jobs),
    )


def _needs_a_person(run: PastRun) -> bool:
    if run.applies and run.exit_status == Exit.HELD:  # the status of a run that had errors as well
        return count_wrong(run) > 0
    return run.applies and run.exit_status not in (None, Exit.OK, Exit.HELD)


def _view(
    desk: Desk,
    jobs: Sequence[JobFacts],
    facts: Facts,
    runs: Sequence[PastRun],
    counts: Mapping[str, int],
) -> View:
    found = concerns(facts)
    complete = sum(one.is_complete for one in facts.exams)
    return View(
        "overview.html",
        "Overview",
        {
            "well": not found,
            "headline": found[0].text if found else ALL_WELL,
            "urgent": bool(found) and found[0].urgency is Urgency.NOW,
            "concerns": found,
            "health": facts.health,
            "jobs": jobs,
            "running": desk.running(),
            "paused": facts.paused,
            "exams": facts.exams,
            "complete": complete,
            "runs": runs[:RUNS],
            "bars_of": run_bars(runs),
            "counts": counts,
            "meaning": run_meaning,
        },
    )


def run_meaning(run: PastRun) -> str:
    """Return what the exit status of a run means; that it has none, if it has no end."""
    if run.exit_status is None:
        return "has no end yet"
    return status_text(run.exit_status, run.counts, run.status)
