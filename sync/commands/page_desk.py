"""The service behind the status page: what its pages ask for, done by the commands."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from sync.app import App, now
from sync.commands.approve import DecisionOptions, decide
from sync.commands.explain import ExplainOptions, explain
from sync.commands.held import command_of, find_hold
from sync.commands.pause import pause, resume
from sync.commands.plan import make_store
from sync.commands.report_subjects import run_report
from sync.commands.situation import endings_of, job_facts
from sync.concerns.certificate import Ending
from sync.concerns.concern import PauseFacts
from sync.concerns.facts import JobFacts
from sync.errors import UsageError
from sync.page.desk import Decision
from sync.planning.decided import DecidedChanges
from sync.records.base import Key, Kind
from sync.report.lines import Line
from sync.report.report_html import report_html, report_policy
from sync.report.wording import plural
from sync.service.health import Health
from sync.state.history import count_known
from sync.state.holds import read_changes, read_holds
from sync.state.past_changes import find_run

COUNTED_FOR = 60.0
"""The seconds for which a count of all records is shown again: of a million it takes a while."""

_log = structlog.get_logger("page")


class PageDesk:
    """What the pages ask for.

    Args:
        app: returns the configuration in use.
        health: returns the health of the service.
        next_runs: returns when each job runs next; empty on standby.
        running: returns the job that runs now.
        request_run: starts a job; returns whether this replica leads.
        undelivered: returns the targets whose newest notification could not be delivered.
    """

    def __init__(
        self,
        app: Callable[[], App],
        health: Callable[[], Health],
        next_runs: Callable[[], Mapping[str, datetime]],
        running: Callable[[], str],
        request_run: Callable[[str], bool],
        undelivered: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._undelivered = undelivered
        self._app, self._health = app, health
        self._next_runs, self._running, self._request_run = next_runs, running, request_run
        self._explaining = threading.Lock()
        self._counted: tuple[float, Mapping[str, int]] | None = None

    @property
    def tenant(self) -> str:
        """Return the address of the tenant."""
        return self._app().loaded.settings.inspera.url

    @property
    def zone(self) -> ZoneInfo | None:
        """Return the zone of the tests."""
        return self._app().test_zone

    def now(self) -> datetime:
        """Return the time."""
        return now()

    def health(self) -> Health:
        """Return the health of the service at its last round."""
        return self._health()

    def jobs(self) -> Sequence[JobFacts]:
        """Return the jobs of the configuration."""
        return job_facts(self._app(), self._next_runs())

    def running(self) -> str:
        """Return the name of the job that runs."""
        return self._running()

    def paused(self) -> PauseFacts | None:
        """Return whether all sending is stopped."""
        paused = self._app().state.paused()
        return None if paused is None else PauseFacts(paused.since, paused.reason)

    def endings(self) -> Sequence[Ending]:
        """Return the certificates and keys that are about to end."""
        return endings_of(self._app(), now())

    def undelivered(self) -> Sequence[str]:
        """Return the targets whose newest notification could not be delivered."""
        return self._undelivered()

    @contextmanager
    def open_to_read(self) -> Iterator[Connection]:
        """Open the state for reading."""
        with self._app().state.open_to_read() as connection:
            yield connection

    def decided(self, connection: Connection) -> DecidedChanges:
        """Return the decisions that count now."""
        return self._app().state.read_decided(connection, now())

    def command_for(self, connection: Connection, hold: str) -> str:
        """Return the command that decides about a hold on which the page can't."""
        found = find_hold(read_holds(connection), hold)
        return command_of(found, read_changes(connection, found.id))

    def decide(self, decision: Decision) -> str:
        """Record a decision, and return what follows."""
        options = DecisionOptions(
            id=decision.hold,
            why=decision.why,
            digests=tuple(decision.digests),
            by=decision.person,
            for_=decision.duration,
        )
        return decide(self._app(), options, approve=decision.approve)

    def pause(self, reason: str, person: str) -> None:
        """Stop all sending."""
        pause(self._app(), f"{reason} (by {person})", _say_nothing, person)

    def resume(self, person: str) -> None:
        """Allow sending again."""
        _log.info("resumed on the page", by=person)
        resume(self._app(), _say_nothing, person)

    def run_now(self, job: str) -> None:
        """Start a job at once."""
        if job not in self._app().loaded.settings.jobs:
            raise UsageError(f"{job}: the configuration has no such job")
        if not self._request_run(job):
            raise UsageError("another replica leads and runs the jobs; use its page")
        _log.info("started on the page", job=job)

    def explain(self, kind: Kind, key: Key) -> Sequence[Line]:
        """Read the sources, and explain a record; one at a time, since it takes a whole plan."""
        if not self._explaining.acquire(blocking=False):
            raise UsageError("another explanation is being made; try again in a minute")
        lines: list[Line] = []
        try:
            words = ExplainOptions((str(kind), *key))
            explain(self._app(), words, lambda line: lines.append(_as_line(line)), _no_progress)
        finally:
            self._explaining.release()
        return lines

    @contextmanager
    def report(self, run_id: int) -> Iterator[tuple[str, Iterator[str]]]:
        """Yield the content security policy and the HTML of the report on a run."""
        app = self._app()
        with app.state.open_to_read() as connection:
            past = find_run(connection, run_id)
            if past is None:
                raise UsageError(f"run {run_id}: unknown run")
            make_store(app, connection)
            yield report_policy(), report_html(run_report(app, connection, past, now()))

    def counts(self) -> Mapping[str, int]:
        """Return how many records are known, at most a minute old."""
        counted = self._counted
        if counted is None or monotonic() - counted[0] > COUNTED_FOR:
            with self.open_to_read() as connection:
                found = count_known(connection)
            by_kind = {kind: n for (kind, lifecycle), n in found.items() if lifecycle == "active"}
            words = {plural(n, kind).split(" ", 1)[1]: n for kind, n in by_kind.items()}
            counted = self._counted = (monotonic(), words)
        return counted[1]


def _as_line(line: str) -> Line:
    return line if isinstance(line, Line) else Line(line)


def _say_nothing(_line: str) -> None:
    """Show nothing: the page shows it."""


def _no_progress(phase: str, done: int, total: int | None = None) -> None:
    """Show nothing: a page is made at once."""
