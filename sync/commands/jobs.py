"""What a job of the configuration does when it is due: a run of `apply`, or of `plan`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from sync.app import App, now
from sync.commands.apply import ApplyOptions, RunResult, no_words, run_once
from sync.commands.interruption import Interruption, Watch
from sync.commands.plan import make_store, plan_status
from sync.config import JobSettings
from sync.engine.executor import ShouldYield
from sync.engine.extract.feed_reader import FeedReport
from sync.engine.plan import PlanResult, make_plan
from sync.errors import Interrupted, Locked
from sync.exit_codes import Exit
from sync.schedule.timetable import ScheduledJob
from sync.service.metrics import SUCCESS, Metrics
from sync.service.protocols import YIELDED, JobRun
from sync.state.sqlite.open import ANOTHER_PROGRAM
from sync.state.store import Store

_log = structlog.get_logger("run")


@dataclass(frozen=True, slots=True)
class ConfiguredJob:
    """A job of the configuration, with the house that it had when it was read."""

    app: App
    name: str
    settings: JobSettings
    metrics: Metrics

    @property
    def timed(self) -> ScheduledJob:
        """When it runs."""
        return ScheduledJob(self.settings.schedule, self.settings.jitter)

    @property
    def exclusive(self) -> bool:
        """Whether it writes the state."""
        return self.settings.mode == "apply"

    def begin(self) -> JobRun:
        """A run of it."""
        return ApplyRun(self) if self.exclusive else PlanRun(self)


class ConfiguredRun:
    """What the runs of both modes have in common."""

    def __init__(self, job: ConfiguredJob) -> None:
        self.job, self._interruption = job, Interruption()

    def end(self, reason: str) -> None:
        """Ends it; calls under way finish."""
        self._interruption.end(reason)

    def soonest_start(self) -> str:
        """When the soonest test begins to which it would add something."""
        with self._planned() as (store, _):
            return store.soonest(command=f"job {self.job.name}")

    @contextmanager
    def _planned(self) -> Iterator[tuple[Store, PlanResult]]:
        """What it would do now, on the state as it is."""
        app, settings = self.job.app, self.job.settings
        policy = app.policy((), app.how(changed=settings.changed), settings.chosen())
        with app.state.open_to_read() as connection:
            store = make_store(app, connection, settings.chosen())
            feeds = app.feeds_of(policy.kinds)
            yield (
                store,
                make_plan(feeds, store, policy, now(), self._interruption.heeded_by(_silent)),
            )


def _silent(phase: str, done: int, total: int | None = None) -> None:
    """Shows nothing: the log has what a run came to."""


class ApplyRun(ConfiguredRun):
    """Carries out what it plans."""

    _waits_for = ""

    def run(self, should_yield: ShouldYield, began: datetime) -> str:
        """One run, or the rest of one that `began` then."""
        job = self.job
        options = ApplyOptions(
            changed=job.settings.changed,
            kinds=job.settings.chosen(),
            job=job.name,
            deadline=began + job.app.loaded.settings.service.run_timeout,
            ask_clock=bool(job.metrics.clock_trouble),
            wait=self._wait,
        )
        ran = run_once(
            job.app, options, no_words, _silent, self._interruption, should_yield, job.metrics.call
        )
        if ran.word == YIELDED and not self._interruption.reason:
            self._interruption = Interruption()
        self._count(ran)
        return _outcome(ran)

    def _wait(self, holder: str) -> bool:
        """Waits for a run that somebody started by hand. Another program is a trouble, which `/readyz` shows."""
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
        metrics.deferred(self.job.name, {**ran.left, ("row error", "row"): ran.row_errors})
        metrics.waiting(self.job.name, ran.waiting, ran.soon)
        for (source, kind), rows in ran.rows.items():
            metrics.source_rows(source, kind, rows)


class PlanRun(ConfiguredRun):
    """Says in the log what it would do."""

    def run(self, should_yield: ShouldYield, began: datetime) -> str:  # noqa: ARG002 - it is in nobody's way
        """One plan."""
        deadline = began + self.job.app.loaded.settings.service.run_timeout
        try:
            with Watch(self._interruption, lambda: "", now, deadline).kept():
                try:
                    seen = self._plan()
                except Locked:  # a run began to write meanwhile; from then on both get along
                    seen = self._plan()
        except Interrupted:
            return "interrupted"
        for reading in seen.readings:
            self.job.metrics.source_rows(reading.source, reading.kind, reading.rows)
        _log.info("planned", status=int(seen.status), row_errors=seen.row_errors, **seen.counts)
        for problem in seen.unhealthy:
            _log.warning("source", problem=problem)
        return "source" if seen.status is Exit.SOURCE else SUCCESS

    def _plan(self) -> "_Seen":
        with self._planned() as (store, planning):
            counts: Counter[str] = Counter()
            for (kind, action, verdict), number in store.tally().items():
                counts[f"{verdict}_{action}_{kind}"] += number
            gathered = planning.gathered
            status = plan_status(store, planning)
            return _Seen(
                status, store.row_error_count(), counts, gathered.readings, gathered.unhealthy
            )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a plan came to, which is told once nothing can have changed it under the hand."""

    status: Exit
    row_errors: int
    counts: Counter[str]
    readings: Sequence[FeedReport]
    unhealthy: Sequence[str]


def _outcome(ran: RunResult) -> str:
    """The word for what a run came to: that of its end, or what its source or Inspera was in the way."""
    if ran.word == "done":
        source = "clock" if ran.clock_trouble else "source"
        return {Exit.SOURCE: source, Exit.HELD: "held", Exit.ERRORS: "row_errors"}.get(
            ran.status, SUCCESS
        )
    return ran.word
