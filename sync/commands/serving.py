"""`serve`: the long-running service, joined from the timetable, the runs of `apply` and `plan`, health and metrics."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from sync.commands.applying import ApplyOptions, Ran, run_once
from sync.commands.interruption import Interruption
from sync.commands.planning import make_store, plan_status
from sync.commands.secrets import read_secrets
from sync.commands.wiring import House, now
from sync.daemon.notify import Notifier
from sync.daemon.service import Run, Service, Setup
from sync.engine.carry_out import GivesWay
from sync.engine.planning import Planning, make_plan
from sync.errors import Interrupted, Locked, StateError, StateUnreachable, UsageError
from sync.exits import Exit
from sync.log import configure
from sync.model import utc_time
from sync.plan import Result, Verdict
from sync.schedule.timetable import Timed
from sync.settings import Job as JobSettings
from sync.state.history import unfinished
from sync.state.places import Pause
from sync.state.places import Service as Hold
from sync.state.store import Store
from sync.web.health import Health, Pulse
from sync.web.metrics import SUCCESS, Metrics
from sync.web.serving import serve_health

HANGS = 30.0
"""Seconds without a round of its loop after which the service says that it is not alive."""

_log = structlog.get_logger("run")


def serve(config: Path) -> Exit:
    """Runs the configuration's jobs until SIGTERM. Gives 0 when it was stopped.

    Raises:
        ConfigurationFaults: the file can't be used; nothing was scheduled.
        Locked: another service runs on this state.
        StateError: the state can't be used, and time won't mend it.
    """
    configure(level="info")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # of runs that overlap, the service tells itself
    desk = Desk(config)
    with ExitStack() as stack:
        house = desk.house
        lead = _Lead(stack.enter_context(house.state.service()))
        service = Service(desk.load, desk.prepare, lead, Notifier.from_environment(), desk, now)
        listen = house.loaded.settings.service.listen
        stack.enter_context(serve_health(listen, desk.health, desk.metrics) if listen else nullcontext())
        service.obey_signals()
        ended = service.run()
    if not ended:
        os._exit(Exit.OK)  # a thread that hangs would keep the process; its open calls are in the journal
    return Exit.OK


class _Lead:
    """Whether this service leads, or else takes the lead when nobody has it."""

    def __init__(self, hold: Hold) -> None:
        self._hold, self._worked = hold, False

    def leads(self) -> bool:
        """Whether it does now.

        Raises:
            StateUnreachable: that can't be found out just now.
            StateError: nor later, as far as is known; only before it ever could.
        """
        try:
            leads = self._hold.try_lead()
        except StateUnreachable:
            raise
        except StateError as error:
            if self._worked:
                raise StateUnreachable(str(error)) from None
            raise
        self._worked = True
        return leads


class Desk:
    """What the service needs of the other rooms, and what it tells them."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.house = _sound(config)
        self._fresh = True
        self.metrics = Metrics(now)
        self._pulse = Pulse(HANGS)
        self._loaded = now()
        self._reload_failed: datetime | None = None
        self._leads, self._unreachable, self._migrated = False, "", False
        self._paused: Pause | None = None

    def load(self) -> Setup:
        """The configuration as it is now. One that is already in use stays so when the new one can't be used."""
        house = self.house if self._fresh else _sound(self._config)
        self._fresh = False
        if str(house.state) != str(self.house.state):
            raise UsageError("state: can't be changed while the service runs; restart it")
        if house.loaded.settings.service.listen != self.house.loaded.settings.service.listen:
            _log.warning("service.listen takes effect when the service is restarted")
        self.house = house
        settings = house.loaded.settings
        self.metrics.keep(settings.jobs.keys(), settings.sources.keys())
        self._loaded = now()
        jobs = {name: Job(house, name, job, self.metrics) for name, job in settings.jobs.items()}
        return Setup(jobs, settings.service.grace)

    def prepare(self) -> list[str]:
        """Brings the state to this version. Gives the jobs whose last run was cut off."""
        state = self.house.state
        try:
            with state.open_to_write("serve") as opened:
                names = unfinished(opened.connection)
        except Locked:  # whoever holds it has brought it to this version
            with state.open_to_read() as connection:
                names = unfinished(connection)
        self._migrated = True
        return names

    def health(self) -> Health:
        """How the service was at its last round."""
        paused = self._paused
        return Health(
            alive=self._pulse.alive,
            unreachable=self._unreachable,
            migrated=self._migrated,
            role="leader" if self._leads else "standby",
            loaded=self._loaded,
            reload_failed=self._reload_failed,
            paused=None if paused is None else utc_time(paused.since),
        )

    def ended(self, job: str, outcome: str, seconds: float) -> None:
        """A run ended."""
        self.metrics.run_ended(job, outcome, seconds, now())
        if outcome == "yielded":
            self.metrics.yielded(job)

    def overlapped(self, job: str) -> None:
        """A job was due while its earlier run was not over."""
        self.metrics.overlapped(job)

    def reloaded(self, ok: bool) -> None:
        """The configuration was read again."""
        self._reload_failed = None if ok else now()
        self.metrics.reload(ok)

    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None:
        """The loop came round."""
        self._pulse.beat()
        self._leads, self._unreachable = leads, unreachable
        self.metrics.leads(leads)
        with suppress(StateError):  # while it can't be asked, what it said last counts
            self._paused = self.house.state.paused()
        self.metrics.paused(self._paused is not None)
        for job in self.house.loaded.settings.jobs:
            self.metrics.next_run(job, next_runs.get(job))


def _sound(config: Path) -> House:
    """The configuration, with its jobs, its rules and its secrets looked at.

    Raises:
        UsageError: there are no jobs, or a rule or a secret can't be used.
    """
    house = House.open(config, lambda text: _log.warning("configuration", warning=text))
    if not house.loaded.settings.jobs:
        raise UsageError(f"{config}: no jobs; add some under 'jobs', or run `inspera-sync apply` from cron")
    house.prepare()
    read_secrets(house)
    return house


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the configuration, with the house that it had when it was read."""

    house: House
    name: str
    settings: JobSettings
    metrics: Metrics

    @property
    def timed(self) -> Timed:
        """When it runs."""
        return Timed(self.settings.schedule, self.settings.jitter)

    @property
    def takes_turns(self) -> bool:
        """Whether it writes the state."""
        return self.settings.mode == "apply"

    def begin(self) -> Run:
        """A run of it."""
        return ApplyRun(self) if self.takes_turns else PlanRun(self)


class JobRun:
    """What the runs of both modes have in common."""

    def __init__(self, job: Job) -> None:
        self.job, self._interruption = job, Interruption()

    def end(self, reason: str) -> None:
        """Ends it; calls under way finish."""
        self._interruption.end(reason)

    def soonest(self) -> str:
        """When the soonest test begins to which it would add something."""
        with self._planned() as (store, _):
            return store.soonest()

    @contextmanager
    def _planned(self) -> Iterator[tuple[Store, Planning]]:
        """What it would do now, on the state as it is."""
        house, settings = self.job.house, self.job.settings
        policy = house.policy((), house.how(changed=settings.changed), settings.chosen())
        with house.state.open_to_read() as connection:
            store = make_store(house, connection, settings.chosen())
            feeds = house.feeds_of(policy.kinds)
            yield store, make_plan(feeds, store, policy, now(), self._interruption.heeded_by(_silent))


def _silent(phase: str, done: int, total: int | None = None) -> None:
    """Shows nothing: the log has what a run came to."""


class ApplyRun(JobRun):
    """Carries out what it plans."""

    def run(self, gives_way: GivesWay, began: datetime) -> str:
        """One run, or the rest of one that `began` then."""
        if self._interruption.event.is_set() and not self._interruption.reason:
            self._interruption = Interruption()  # it gave way, and goes on
        job = self.job
        options = ApplyOptions(
            changed=job.settings.changed,
            kinds=job.settings.chosen(),
            job=job.name,
            deadline=began + job.house.loaded.settings.service.deadline,
            wait=self._wait,
        )
        ran = run_once(job.house, options, _unsaid, _silent, self._interruption, gives_way, job.metrics.call)
        self._count(ran)
        return _outcome(ran)

    def _wait(self, holder: str) -> bool:
        """Waits for a run that somebody started by hand."""
        _log.info("waits for the state", holder=holder)
        return not self._interruption.event.wait(1)

    def _count(self, ran: Ran) -> None:
        metrics = self.job.metrics
        for (kind, action, result), number in ran.results.items():
            metrics.changes(kind, action, result, number)
        reasons: Counter[str] = Counter(fault=ran.faults)
        for (_, verdict), number in ran.verdicts.items():
            if verdict is not Verdict.PASS:
                reasons[verdict] += number
        for (_, _, result), number in ran.results.items():
            if result in (Result.HELD, Result.WITHHELD, Result.WAITING):
                reasons[result] += number
        metrics.withheld(self.job.name, reasons)
        for (source, kind), rows in ran.rows.items():
            metrics.source_rows(source, kind, rows)


class PlanRun(JobRun):
    """Says in the log what it would do."""

    def run(self, gives_way: GivesWay, began: datetime) -> str:  # noqa: ARG002 - it is in nobody's way
        """One plan."""
        try:
            with self._planned() as (store, planning):
                status = plan_status(store, planning)
                self._tell(store, planning, status)
        except Interrupted:
            return "interrupted"
        return "source" if status is Exit.SOURCE else SUCCESS

    def _tell(self, store: Store, planning: Planning, status: Exit) -> None:
        counts: Counter[str] = Counter()
        for (kind, action, verdict), number in store.tally().items():
            counts[f"{verdict}_{action}_{kind}"] += number
        for reading in planning.gathered.readings:
            self.job.metrics.source_rows(reading.source, reading.kind, reading.rows)
        _log.info("planned", status=int(status), faults=store.fault_count(), **counts)
        for problem in planning.gathered.unhealthy:
            _log.warning("source", problem=problem)


def _unsaid(_line: str) -> None:
    """A service says nothing; what a run finds is in its log, and in `status`."""


def _outcome(ran: Ran) -> str:
    """The word for what a run came to: that of its end, or what its source or Inspera was in the way."""
    if ran.word == "done":
        return {Exit.SOURCE: "source", Exit.HELD: "held", Exit.FAULTS: "faults"}.get(ran.status, SUCCESS)
    return ran.word
