"""What a job of the configuration does when it is due: a run of `apply`, or of `plan`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sync.app import App, now
from sync.commands.apply import ApplyOptions, run_once, say_nothing, with_decisions
from sync.commands.plan import make_store
from sync.commands.watch import Watch
from sync.config import JobSettings
from sync.engine.executor import SENDING, ShouldYield
from sync.engine.extract.feed_reader import FeedReport
from sync.engine.interruption import Interruption
from sync.engine.plan import PlanResult, plan_status
from sync.engine.result import RunResult
from sync.engine.run import plan_only
from sync.errors import Interrupted, Locked
from sync.exit_codes import Exit
from sync.schedule.timetable import ScheduledJob
from sync.service.approvals import APPROVED
from sync.service.metrics import SUCCESS, Metrics
from sync.service.protocols import YIELDED, JobRun
from sync.state.sqlite.open import ANOTHER_PROGRAM
from sync.state.store import Store

_log = structlog.get_logger("run")


@dataclass(frozen=True, slots=True)
class ConfiguredJob:
    """A job of the configuration, with the configuration as it was when the job was read.

    With `approved` it is the job without a schedule that sends what people have approved.
    """

    app: App
    name: str
    settings: JobSettings
    metrics: Metrics
    approved: bool = False

    @classmethod
    def of_approvals(cls, app: App, metrics: Metrics) -> "ConfiguredJob":
        """Return the job that sends what people have approved. It is never due by its settings."""
        return cls(app, APPROVED, JobSettings(every=timedelta(days=366)), metrics, approved=True)

    @property
    def timed(self) -> ScheduledJob:
        """Return when it runs."""
        return ScheduledJob(self.settings.schedule, self.settings.jitter)

    @property
    def exclusive(self) -> bool:
        """Tell whether it writes the state."""
        return self.settings.mode == "apply"

    def begin(self) -> JobRun:
        """Return a new run of the job."""
        return ApplyRun(self) if self.exclusive else PlanRun(self)


class ConfiguredRun:
    """What the runs of both modes have in common."""

    def __init__(self, job: ConfiguredJob) -> None:
        self.job, self._interruption = job, Interruption()

    def end(self, reason: str) -> None:
        """End the run; calls under way finish."""
        self._interruption.end(reason)

    def soonest_start(self) -> str:
        """Return when the soonest test begins to which it would add something."""
        with self._planned() as (store, _):
            return store.plan.soonest(command=f"job {self.job.name}")

    @contextmanager
    def _planned(self) -> Iterator[tuple[Store, PlanResult]]:
        """Yield the plan that it would carry out now."""
        app, settings = self.job.app, self.job.settings
        policy = app.policy((), app.read_options(changed=settings.changed), settings.chosen())
        with app.state.open_to_read() as connection:
            store = make_store(app, connection, settings.chosen())
            decided = app.state.read_decided(connection, now())
            policy = with_decisions(policy, decided, only_approved=self.job.approved)
            feeds = app.feeds_of(policy.kinds)
            yield (
                store,
                plan_only(feeds, store, policy, now(), self._interruption.stopping(_silent)),
            )


def _silent(phase: str, done: int, total: int | None = None) -> None:
    """Show nothing: a plan is only read."""


class ApplyRun(ConfiguredRun):
    """Carries out what it plans."""

    _waits_for = ""

    def run(self, should_yield: ShouldYield, began: datetime) -> str:
        """Do one run, or the rest of one that `began` then."""
        job = self.job
        if not job.approved:
            job.metrics.run_began(job.name, began)
        options = ApplyOptions(
            changed=job.settings.changed,
            kinds=job.settings.chosen(),
            job=job.name,
            approved=job.approved,
            deadline=began + job.app.loaded.settings.service.run_timeout,
            check_clock=bool(job.metrics.clock_trouble),
            wait=self._wait,
        )
        ran = run_once(
            job.app,
            options,
            say_nothing,
            self._progress,
            self._interruption,
            should_yield,
            job.metrics,
        )
        if ran.word == YIELDED and not self._interruption.reason:
            self._interruption = Interruption()
        self._count(ran)
        return _outcome(ran)

    def _progress(self, phase: str, done: int, total: int | None = None) -> None:
        if phase == SENDING and total is not None and not self.job.approved:
            self.job.metrics.progress(self.job.name, done, total)

    def _wait(self, holder: str) -> bool:
        """Wait for a run that a person has started.

        Another program is a problem, which `/readyz` shows.
        """
        if holder == ANOTHER_PROGRAM:
            return False
        if holder != self._waits_for:
            self._waits_for = holder
            _log.info("waits for the state", holder=holder)
        return not self._interruption.event.wait(1)

    def _count(self, ran: RunResult) -> None:
        metrics = self.job.metrics
        for (kind, action, result), number in ran.results.items():
            metrics.changes(kind, action, result, number)
        if ran.clock_offset is not None:
            metrics.clock(ran.clock_offset, ran.clock_trouble)
        if self.job.approved or not ran.planned:
            return  # it has seen only a part of what is deferred, or waits; or nothing, in a pause
        metrics.deferred(self.job.name, {**ran.left, ("row error", "row"): ran.row_errors})
        metrics.waiting(self.job.name, ran.waiting, ran.soon)
        for (source, kind), rows in ran.rows.items():
            metrics.source_rows(source, kind, rows)


class PlanRun(ConfiguredRun):
    """Says in the log what it would do."""

    def run(self, should_yield: ShouldYield, began: datetime) -> str:  # noqa: ARG002 - it is in nobody's way
        """Make one plan."""
        deadline = began + self.job.app.loaded.settings.service.run_timeout
        try:
            with Watch(self._interruption, lambda: "", now, deadline).watching():
                try:
                    seen = self._plan()
                except Locked:  # a run began to write meanwhile; from then on both get along
                    seen = self._plan()
        except Interrupted:
            return "interrupted"
        for reading in seen.reports:
            self.job.metrics.source_rows(reading.source, reading.kind, reading.rows)
        _log.info("planned", status=int(seen.status), row_errors=seen.row_errors, **seen.counts)
        for problem in seen.unhealthy:
            _log.warning("source", problem=problem)
        return "source" if seen.status is Exit.SOURCE else SUCCESS

    def _plan(self) -> "_PlanSummary":
        with self._planned() as (store, planning):
            counts: Counter[str] = Counter()
            for (kind, action, verdict), number in store.plan.tally().items():
                counts[f"{verdict}_{action}_{kind}"] += number
            extracted = planning.extracted
            status = plan_status(store, planning)
            return _PlanSummary(
                status,
                store.staging.row_error_count(),
                counts,
                extracted.reports,
                extracted.unhealthy,
            )


@dataclass(frozen=True, slots=True)
class _PlanSummary:
    """The summary of a plan, reported once the plan is known to be undisturbed."""

    status: Exit
    row_errors: int
    counts: Counter[str]
    reports: Sequence[FeedReport]
    unhealthy: Sequence[str]


def _outcome(ran: RunResult) -> str:
    """Return the word for the result of a run: how it ended, or what prevented it."""
    if ran.word == "done":
        source = "clock" if ran.clock_trouble else "source"
        return {Exit.SOURCE: source, Exit.HELD: "held", Exit.ERRORS: "row_errors"}.get(
            ran.status, SUCCESS
        )
    return ran.word
