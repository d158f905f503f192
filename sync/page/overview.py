"""The first page: the headline, jobs, the next exams and the last runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection
from starlette.requests import Request

from sync.concerns.concern import ALL_WELL, Facts, Urgency, concerns
from sync.concerns.facts import JobFacts, read_facts
from sync.errors import Locked, StateError, UsageError
from sync.page.charts import run_bars
from sync.page.desk import Desk
from sync.page.rendering import View
from sync.report.verdict import status_text
from sync.state.history import PastRun, read_last_runs

RUNS, CHARTED = 8, 40


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
    return read_facts(
        connection,
        now=desk.now(),
        health=desk.health(),
        paused=desk.paused(),
        jobs=jobs,
        endings=desk.endings(),
        undelivered=desk.undelivered(),
        running=bool(desk.running()),
    )


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
